"""A bank with one endpoint, written twice: VARIANT=naive loses updates, VARIANT=atomic does not.

README.md draws the race. Both variants answer 409 when there is not enough money.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, PositiveInt


class Withdrawal(BaseModel):
    amount: PositiveInt


class NotEnoughMoney(Exception):
    pass


async def withdraw_naive(pool: asyncpg.Pool, account: int, amount: int) -> int:
    """Between the two awaits others read the balance that this one is about to replace."""
    balance = await pool.fetchval("SELECT balance FROM accounts WHERE id = $1", account)
    if balance is None or balance < amount:
        raise NotEnoughMoney
    remaining: int = balance - amount
    await pool.execute("UPDATE accounts SET balance = $2 WHERE id = $1", account, remaining)
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


VARIANTS: dict[str, Callable[[asyncpg.Pool, int, int], Awaitable[int]]] = {
    "naive": withdraw_naive,
    "atomic": withdraw_atomic,
}
withdraw_from = VARIANTS[os.environ["VARIANT"]]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Opened at start: a burst of withdrawals should not queue for connections to be made.
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=50, max_size=60) as pool:
        app.state.pool = pool
        yield


app = FastAPI(title="bank", lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    await app.state.pool.fetchval("SELECT 1")
    return {"status": "ok"}


@app.post("/accounts/{account}/withdraw")
async def withdraw(account: int, withdrawal: Withdrawal) -> dict[str, int]:
    try:
        balance = await withdraw_from(app.state.pool, account, withdrawal.amount)
    except NotEnoughMoney:
        raise HTTPException(409, "not enough money") from None
    return {"balance": balance}
