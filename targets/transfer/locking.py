"""Workers on several machines take turns by a lock in Valkey, and each computes the new balance itself."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio.lock import Lock
from redis.exceptions import LockError, LockNotOwnedError

from transfer.ledger import ACCOUNT, Busy, NotEnoughMoney, Paid, Pay, Stores

# Long enough for two statements, as long as the database is near.
_LEASE_S = 0.06
_PATIENCE_S = 20
_POLL_S = 0.01
_ATTEMPTS = 100
_LOCK = f"lock:account:{ACCOUNT}"

log = logging.getLogger("transfer")


@asynccontextmanager
async def held(stores: Stores) -> AsyncIterator[None]:
    lock: Lock = stores.cache.lock(
        _LOCK, timeout=_LEASE_S, sleep=_POLL_S, blocking_timeout=_PATIENCE_S
    )
    if not await lock.acquire():
        raise Busy
    try:
        yield
    finally:
        try:
            await lock.release()
        except (LockNotOwnedError, LockError):
            log.warning("the lease ran out while we held the lock")


async def short_lease(stores: Stores, _key: str, _reference: str, amount: int) -> Paid:
    """When the lease ends before the work does, there are two holders."""
    async with held(stores):
        balance = await stores.db.fetchval("SELECT balance FROM accounts WHERE id = $1", ACCOUNT)
        await stores.db.execute(
            "UPDATE accounts SET balance = $2 WHERE id = $1", ACCOUNT, _left(balance, amount)
        )
    return Paid.NOW


async def fence_stored(stores: Stores, _key: str, _reference: str, amount: int) -> Paid:
    """A token that is written down, and that nobody compares, keeps nobody out."""
    async with held(stores):
        token = await stores.cache.incr("fence")
        balance = await stores.db.fetchval("SELECT balance FROM accounts WHERE id = $1", ACCOUNT)
        await stores.db.execute(
            "UPDATE accounts SET balance = $2, fence = $3 WHERE id = $1",
            ACCOUNT,
            _left(balance, amount),
            token,
        )
    return Paid.NOW


async def fenced(stores: Stores, _key: str, _reference: str, amount: int) -> Paid:
    """The row takes a reader's token if none is newer, and a write only with the token it holds."""
    for _ in range(_ATTEMPTS):
        async with held(stores):
            token = await stores.cache.incr("fence")
            balance = await stores.db.fetchval(
                "UPDATE accounts SET fence = $2 WHERE id = $1 AND fence < $2 RETURNING balance",
                ACCOUNT,
                token,
            )
            if balance is None:
                continue
            written = await stores.db.execute(
                "UPDATE accounts SET balance = $2 WHERE id = $1 AND fence = $3",
                ACCOUNT,
                _left(balance, amount),
                token,
            )
            if written == "UPDATE 1":
                return Paid.NOW
    raise Busy


async def compare_and_set(stores: Stores, _key: str, _reference: str, amount: int) -> Paid:
    """No lock at all: the write takes place only on the version that was read."""
    for _ in range(_ATTEMPTS):
        row = await stores.db.fetchrow(
            "SELECT balance, version FROM accounts WHERE id = $1", ACCOUNT
        )
        written = await stores.db.execute(
            "UPDATE accounts SET balance = $2, version = version + 1 WHERE id = $1 AND version = $3",
            ACCOUNT,
            _left(row["balance"], amount),
            row["version"],
        )
        if written == "UPDATE 1":
            return Paid.NOW
    raise Busy


def _left(balance: int, amount: int) -> int:
    if balance < amount:
        raise NotEnoughMoney
    return balance - amount


VARIANTS: dict[str, Pay] = {
    "short-lease": short_lease,
    "fence-stored": fence_stored,
    "fenced": fenced,
    "compare-and-set": compare_and_set,
}
