"""Ways to take money from an account, a function for each. README.md says which of them lose money.

``pool.fetchval`` and ``pool.execute`` take a connection for one statement, and give it back.
"""

import asyncio

import asyncpg


class NotEnoughMoney(Exception):
    pass


def take(balance: int | None, amount: int) -> int:
    """What would remain of ``balance``; None is an account that does not exist."""
    if balance is None or balance < amount:
        raise NotEnoughMoney
    return balance - amount


async def withdraw_naive(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """Between the two awaits others read the balance that this one is about to replace."""
    balance = await pool.fetchval("SELECT balance FROM accounts WHERE id = $1", account)
    remaining = take(balance, amount)
    await pool.execute("UPDATE accounts SET balance = $2 WHERE id = $1", account, remaining)
    return remaining


async def withdraw_read_committed(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """A transaction makes both statements take effect together. It does not keep others from reading."""
    async with pool.acquire() as connection, connection.transaction():
        balance = await connection.fetchval("SELECT balance FROM accounts WHERE id = $1", account)
        remaining = take(balance, amount)
        await connection.execute(
            "UPDATE accounts SET balance = $2 WHERE id = $1", account, remaining
        )
    return remaining


async def withdraw_autocommit_lock(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """Without a transaction around it, the lock ends with the statement that took it."""
    balance = await pool.fetchval("SELECT balance FROM accounts WHERE id = $1 FOR UPDATE", account)
    remaining = take(balance, amount)
    await pool.execute("UPDATE accounts SET balance = $2 WHERE id = $1", account, remaining)
    return remaining


async def withdraw_for_update(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """The row is locked from the reading to the commit; others wait before they read."""
    async with pool.acquire() as connection, connection.transaction():
        balance = await connection.fetchval(
            "SELECT balance FROM accounts WHERE id = $1 FOR UPDATE", account
        )
        remaining = take(balance, amount)
        await connection.execute(
            "UPDATE accounts SET balance = $2 WHERE id = $1", account, remaining
        )
    return remaining


async def withdraw_check_relative(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """No update is lost, but the balance that was enough may be gone by the time of the second one."""
    take(await pool.fetchval("SELECT balance FROM accounts WHERE id = $1", account), amount)
    remaining: int = await pool.fetchval(
        "UPDATE accounts SET balance = balance - $2 WHERE id = $1 RETURNING balance",
        account,
        amount,
    )
    return remaining


async def withdraw_atomic(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """The database checks and writes in one statement, under the row's lock."""
    remaining: int | None = await pool.fetchval(
        "UPDATE accounts SET balance = balance - $2 "
        "WHERE id = $1 AND balance >= $2 RETURNING balance",
        account,
        amount,
    )
    if remaining is None:
        raise NotEnoughMoney
    return remaining


async def withdraw_version_ignored(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """The version keeps a late write out, and nobody asks whether it was."""
    row = await pool.fetchrow("SELECT balance, version FROM accounts WHERE id = $1", account)
    remaining = take(row and row["balance"], amount)
    await pool.execute(
        "UPDATE accounts SET balance = $2, version = version + 1 WHERE id = $1 AND version = $3",
        account,
        remaining,
        row["version"],
    )
    return remaining


async def withdraw_version_checked(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """A write that changed no row came too late: read again.

    No limit on the tries: each failure is somebody else's success, so all together get on.
    """
    while True:
        row = await pool.fetchrow("SELECT balance, version FROM accounts WHERE id = $1", account)
        remaining = take(row and row["balance"], amount)
        done = await pool.execute(
            "UPDATE accounts SET balance = $2, version = version + 1 "
            "WHERE id = $1 AND version = $3",
            account,
            remaining,
            row["version"],
        )
        if done == "UPDATE 1":
            return remaining


async def withdraw_serializable(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """The database finds out that two could not have come one after the other, and ends one."""
    while True:
        try:
            async with (
                pool.acquire() as connection,
                connection.transaction(isolation="serializable"),
            ):
                balance = await connection.fetchval(
                    "SELECT balance FROM accounts WHERE id = $1", account
                )
                remaining = take(balance, amount)
                await connection.execute(
                    "UPDATE accounts SET balance = $2 WHERE id = $1", account, remaining
                )
        except asyncpg.SerializationError:
            continue
        return remaining


async def withdraw_ledger(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """An entry names the one before it by its number; the table takes no number twice."""
    while True:
        try:
            remaining: int | None = await pool.fetchval(
                "INSERT INTO entries (account, number, amount, balance) "
                "SELECT account, number + 1, -$2::integer, balance - $2 FROM entries "
                "WHERE account = $1 ORDER BY number DESC LIMIT 1 RETURNING balance",
                account,
                amount,
            )
        except asyncpg.UniqueViolationError:
            continue
        except asyncpg.CheckViolationError:
            raise NotEnoughMoney from None
        if remaining is None:
            raise NotEnoughMoney
        return remaining


one_at_a_time = asyncio.Lock()


async def withdraw_process_lock(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """One at a time in this process; another worker has a lock of its own."""
    async with one_at_a_time:
        return await withdraw_naive(pool, account, amount)
