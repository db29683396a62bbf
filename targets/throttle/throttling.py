"""Ways to fetch many items without asking too much of the warehouse: ten requests at a time were agreed.

Each way is entered when the collector starts and gives a function that collects items, one answer for
each: the item, or why there is none.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import ClientError, ClientResponseError, ClientSession, ClientTimeout, TCPConnector

AT_ONCE = 10
TRIES = 12

Answer = str | BaseException
Ask = Callable[[int], Awaitable[str]]
Collect = Callable[[Iterable[int]], Awaitable[list[Answer]]]


def session(url: str, limit: int = 100) -> ClientSession:
    """``limit`` is the most connections; 100 is aiohttp's own default, 0 means any number."""
    # No total: a request that waits for its turn is not late.
    timeout = ClientTimeout(total=None, sock_connect=1.5, sock_read=1.5)
    return ClientSession(
        url, connector=TCPConnector(limit=limit), timeout=timeout, raise_for_status=True
    )


async def fetch(warehouse: ClientSession, item: int) -> str:
    async with warehouse.get(f"/items/{item}") as answer:
        return (await answer.json())["item"]


async def patiently(ask: Ask, item: int) -> str:
    """Asks again when the warehouse is not available (503) and so has done nothing."""
    for _ in range(TRIES - 1):
        try:
            return await ask(item)
        except ClientResponseError as error:
            if error.status != 503:
                raise
    return await ask(item)


async def all_at_once(ask: Ask, items: Iterable[int]) -> list[Answer]:
    return await asyncio.gather(*(patiently(ask, item) for item in items), return_exceptions=True)


@asynccontextmanager
async def unlimited(url: str) -> AsyncIterator[Collect]:
    """A task and a connection for each item: aiohttp's limit of 100 connections was in the way."""

    async def collect(items: Iterable[int]) -> list[Answer]:
        async with session(url, limit=0) as warehouse:
            return await all_at_once(lambda item: fetch(warehouse, item), items)

    yield collect


@asynccontextmanager
async def released_twice(url: str) -> AsyncIterator[Collect]:
    """An error gives its slot back by itself, and then again like everybody: one slot more each time."""
    async with session(url) as warehouse:
        slots = asyncio.Semaphore(AT_ONCE)

        async def ask(item: int) -> str:
            await slots.acquire()
            try:
                return await fetch(warehouse, item)
            except ClientError:
                slots.release()  # lets another one go before this one tries again
                raise
            finally:
                slots.release()

        yield lambda items: all_at_once(ask, items)


@asynccontextmanager
async def semaphore_per_request(url: str) -> AsyncIterator[Collect]:
    """Ten at a time for each of those who collect, and nobody counts those."""
    async with session(url) as warehouse:

        async def collect(items: Iterable[int]) -> list[Answer]:
            slots = asyncio.Semaphore(AT_ONCE)

            async def ask(item: int) -> str:
                async with slots:
                    return await fetch(warehouse, item)

            return await all_at_once(ask, items)

        yield collect


@asynccontextmanager
async def semaphore(url: str) -> AsyncIterator[Collect]:
    async with session(url) as warehouse:
        slots = asyncio.Semaphore(AT_ONCE)

        async def ask(item: int) -> str:
            async with slots:
                return await fetch(warehouse, item)

        yield lambda items: all_at_once(ask, items)


@asynccontextmanager
async def worker_pool(url: str) -> AsyncIterator[Collect]:
    """Ten workers and a queue, as old as the collector itself."""
    queue: asyncio.Queue[tuple[int, asyncio.Future[str]]] = asyncio.Queue()

    async def work(warehouse: ClientSession) -> None:
        while True:
            item, answer = await queue.get()
            try:
                answer.set_result(await fetch(warehouse, item))
            except Exception as error:
                answer.set_exception(error)

    async def ask(item: int) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await queue.put((item, answer))
        return await answer

    async with session(url) as warehouse, asyncio.TaskGroup() as group:
        workers = [group.create_task(work(warehouse)) for _ in range(AT_ONCE)]
        yield lambda items: all_at_once(ask, items)
        for worker in workers:
            worker.cancel()


@asynccontextmanager
async def connector_limit(url: str) -> AsyncIterator[Collect]:
    """One session with ten connections; who finds none free waits in aiohttp."""
    async with session(url, limit=AT_ONCE) as warehouse:
        yield lambda items: all_at_once(lambda item: fetch(warehouse, item), items)


WAYS: dict[str, Callable[[str], AbstractAsyncContextManager[Collect]]] = {
    "unlimited": unlimited,
    "released-twice": released_twice,
    "semaphore-per-request": semaphore_per_request,
    "semaphore": semaphore,
    "worker-pool": worker_pool,
    "connector-limit": connector_limit,
}
