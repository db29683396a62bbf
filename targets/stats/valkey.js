// Ways to add points in Valkey, a function for each; all answer what the player has then.
//
// `redis` is the one connection of the process, as ioredis wants it: commands of all requests go out
// on it one behind the other. When it is lost, ioredis connects anew and sends again what had no reply.

import { randomUUID } from 'node:crypto';

const pointsOf = (player) => `points:${player}`;

// Between the two awaits others read the number that this one is about to replace.
async function getSet(redis, player, points) {
  const sum = Number(await redis.get(pointsOf(player))) + points;
  await redis.set(pointsOf(player), sum);
  return sum;
}

// EXEC does nothing, and answers null, when the key changed since WATCH.
async function watched(connection, player, points) {
  for (;;) {
    await connection.watch(pointsOf(player));
    const sum = Number(await connection.get(pointsOf(player))) + points;
    const done = await connection.multi().set(pointsOf(player), sum).exec();
    if (done !== null) return sum;
  }
}

// What is watched belongs to the connection, not to the request: the first EXEC on it ends the watch
// of everybody who shares it.
async function watchShared(redis, player, points) {
  return watched(redis, player, points);
}

async function watchOwn(redis, player, points) {
  const own = redis.duplicate();
  try {
    return await watched(own, player, points);
  } finally {
    own.disconnect();
  }
}

// The server reads and writes in one command. Sent again, it adds again.
async function incrby(redis, player, points) {
  return redis.incrby(pointsOf(player), points);
}

// A script is one command as well: nobody else's comes in between.
const ADD = `
local sum = tonumber(redis.call('GET', KEYS[1]) or '0') + tonumber(ARGV[1])
redis.call('SET', KEYS[1], sum)
return sum`;

async function lua(redis, player, points) {
  return redis.eval(ADD, 1, pointsOf(player), points);
}

// The key says that this award has been counted, and is set together with the count.
const ADD_ONCE = `
if redis.call('SET', KEYS[2], '1', 'NX', 'EX', 86400) then
  return redis.call('INCRBY', KEYS[1], ARGV[1])
end
return tonumber(redis.call('GET', KEYS[1]))`;

async function incrbyOnce(redis, player, points, key = randomUUID()) {
  return redis.eval(ADD_ONCE, 2, pointsOf(player), `award:${key}`, points);
}

export const variants = {
  'get-set': getSet,
  'watch-shared': watchShared,
  'watch-own': watchOwn,
  incrby,
  lua,
  'incrby-once': incrbyOnce,
};
