"""A bank with one endpoint, written many times: VARIANT says how a withdrawal is done.

README.md draws the races. All variants answer 409 when there is not enough money.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, PositiveInt

from bank.withdrawals import (
    NotEnoughMoney,
    withdraw_atomic,
    withdraw_autocommit_lock,
    withdraw_check_relative,
    withdraw_for_update,
    withdraw_ledger,
    withdraw_naive,
    withdraw_process_lock,
    withdraw_read_committed,
    withdraw_serializable,
    withdraw_version_checked,
    withdraw_version_ignored,
)

VARIANTS: dict[str, Callable[[asyncpg.Pool, int, int], Awaitable[int]]] = {
    "naive": withdraw_naive,
    "read-committed": withdraw_read_committed,
    "autocommit-lock": withdraw_autocommit_lock,
    "version-ignored": withdraw_version_ignored,
    "check-relative": withdraw_check_relative,
    "process-lock": withdraw_process_lock,
    "atomic": withdraw_atomic,
    "for-update": withdraw_for_update,
    "serializable": withdraw_serializable,
    "version-checked": withdraw_version_checked,
    "ledger": withdraw_ledger,
}
withdraw_from = VARIANTS[os.environ["VARIANT"]]


class Withdrawal(BaseModel):
    amount: PositiveInt


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
