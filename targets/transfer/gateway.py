"""Orders, each paid for at the payments service; what is lost on the way is tried again.

VARIANT=retry-without-key makes a new key for each try. All others keep the order's own.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, PositiveInt

_TRIES = 7
_KEY_FOR_EACH_TRY = os.environ["VARIANT"] == "retry-without-key"


class Order(BaseModel):
    order: str
    amount: PositiveInt


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(os.environ["PAYMENTS_URL"]) as payments:
        app.state.payments = payments
        yield


app = FastAPI(title="orders", lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/orders")
async def place(order: Order, response: Response) -> dict[str, str]:
    for _ in range(_TRIES):
        key = str(uuid.uuid4()) if _KEY_FOR_EACH_TRY else order.order
        body = {"key": key, "reference": order.order, "amount": order.amount}
        try:
            async with app.state.payments.post("/payments", json=body) as answer:
                if answer.status == 409:
                    raise HTTPException(409, "not enough money")
                if answer.status < 300:
                    response.status_code = answer.status
                    return {"order": order.order}
        except aiohttp.ClientConnectionError:
            continue
    raise HTTPException(503, "the payments service does not answer")
