"""What all variants share: the stores, and the words for what became of a payment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

import asyncpg
from redis.asyncio import Redis

ACCOUNT = 1


class NotEnoughMoney(Exception):
    pass


class Busy(Exception):
    """Given up before anything was done."""


class Paid(Enum):
    NOW = "now"
    BEFORE = "before"


@dataclass(frozen=True)
class Stores:
    db: asyncpg.Pool
    cache: Redis


Pay = Callable[[Stores, str, str, int], Awaitable[Paid]]
"""Pays once for a key. The reference is what the payer calls it, and says nothing of tries."""


async def charge(
    connection: asyncpg.Connection | asyncpg.Pool, key: str, reference: str, amount: int
) -> None:
    """Takes the money and writes the payment down, in one statement that does both or neither.

    Raises:
        NotEnoughMoney: neither was done.
    """
    charged = await connection.fetchval(
        "WITH debit AS ("
        "  UPDATE accounts SET balance = balance - $4 WHERE id = $1 AND balance >= $4 RETURNING id"
        ") INSERT INTO payments (account, key, reference, amount) "
        "SELECT id, $2, $3, $4 FROM debit RETURNING key",
        ACCOUNT,
        key,
        reference,
        amount,
    )
    if charged is None:
        raise NotEnoughMoney
