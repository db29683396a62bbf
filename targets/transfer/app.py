"""Payments from one account, by two workers: VARIANT says how a payment is kept from happening twice.

README.md draws the races. What a variant does is in ``idempotency.py`` and ``locking.py``.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, PositiveInt
from redis.asyncio import Redis

from transfer import idempotency, locking
from transfer.ledger import Busy, NotEnoughMoney, Paid, Stores

pay_by = {**idempotency.VARIANTS, **locking.VARIANTS}[os.environ["VARIANT"]]


class Payment(BaseModel):
    key: str
    reference: str
    amount: PositiveInt


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Opened at start: a burst of payments should not queue for connections to be made.
    async with (
        asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=20) as db,
        Redis.from_url(os.environ["REDIS_URL"], decode_responses=True) as cache,
    ):
        app.state.stores = Stores(db=db, cache=cache)
        yield


app = FastAPI(title="transfer", lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    await app.state.stores.db.fetchval("SELECT 1")
    await app.state.stores.cache.ping()
    return {"status": "ok"}


@app.post("/payments")
async def pay(payment: Payment, response: Response) -> dict[str, str]:
    """201 for a payment, 200 for one that was made before, 409 for want of money, 503 when busy."""
    try:
        paid = await pay_by(app.state.stores, payment.key, payment.reference, payment.amount)
    except NotEnoughMoney:
        raise HTTPException(409, "not enough money") from None
    except Busy:
        raise HTTPException(503, "busy, nothing was done") from None
    response.status_code = 201 if paid is Paid.NOW else 200
    return {"payment": payment.reference}
