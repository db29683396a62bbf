"""The shop that the README tells of, as small as can be. It looks, then sells; mended with MENDED=1."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel


class Purchase(BaseModel):
    item: int


async def sell_after_a_look(pool: asyncpg.Pool, item: int) -> bool:
    left = await pool.fetchval("SELECT left_over FROM items WHERE id = $1", item)
    if not left:
        return False
    await pool.execute("UPDATE items SET left_over = left_over - 1 WHERE id = $1", item)
    return True


async def sell_what_is_there(pool: asyncpg.Pool, item: int) -> bool:
    sold = "UPDATE items SET left_over = left_over - 1 WHERE id = $1 AND left_over > 0"
    return bool(await pool.execute(sold, item) == "UPDATE 1")


sell = sell_what_is_there if os.environ.get("MENDED") else sell_after_a_look


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=30, max_size=30) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/buy")
async def buy(purchase: Purchase) -> dict[str, bool]:
    if not await sell(app.state.pool, purchase.item):
        raise HTTPException(409, "sold out")
    return {"sold": True}
