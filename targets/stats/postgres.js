// Ways to add points in PostgreSQL, a function for each; all answer what the player has then.

// Between the two awaits others read the number that this one is about to replace.
async function naive(pool, player, points) {
  const { rows } = await pool.query('SELECT points FROM players WHERE id = $1', [player]);
  const sum = rows[0].points + points;
  await pool.query('UPDATE players SET points = $2 WHERE id = $1', [player, sum]);
  return sum;
}

// Each query of a pool takes whatever connection is free: BEGIN may go by one, and the rest of the
// transaction by others, where somebody else's is open.
async function beginOnPool(pool, player, points) {
  await pool.query('BEGIN');
  try {
    const { rows } = await pool.query('SELECT points FROM players WHERE id = $1 FOR UPDATE', [player]);
    const sum = rows[0].points + points;
    await pool.query('UPDATE players SET points = $2 WHERE id = $1', [player, sum]);
    await pool.query('COMMIT');
    return sum;
  } catch (error) {
    await pool.query('ROLLBACK');
    throw error;
  }
}

// The same statements by one connection, which is this request's alone until it is released.
async function beginOnClient(pool, player, points) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query('SELECT points FROM players WHERE id = $1 FOR UPDATE', [player]);
    const sum = rows[0].points + points;
    await client.query('UPDATE players SET points = $2 WHERE id = $1', [player, sum]);
    await client.query('COMMIT');
    return sum;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

// The database reads and writes in one statement, under the row's lock.
async function relative(pool, player, points) {
  const { rows } = await pool.query(
    'UPDATE players SET points = points + $2 WHERE id = $1 RETURNING points',
    [player, points],
  );
  return rows[0].points;
}

export const variants = {
  naive,
  'begin-on-pool': beginOnPool,
  'begin-on-client': beginOnClient,
  relative,
};
