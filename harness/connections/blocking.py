"""Work that a cancellation may delay but never tear in two, and blocking calls from the loop.

A call to add a toxic that goes on in its thread after we gave up on it would add the toxic behind
the undo; an undo that was given up half-way would be told by nobody. So whoever is cancelled here
waits for the work to end first; a second cancellation waits as well. The work has a limit of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def to_the_end(work: Awaitable[T]) -> T:
    """Awaits ``work``. On cancellation lets it end, then lets the cancellation pass.

    What the work raised is then left out, for the cancellation comes first.
    """
    task = asyncio.ensure_future(work)  # noqa: TID251 - owned here: this never returns before it
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as request:
            cancelled = request
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # fetched, so that the loop does not report it as never retrieved
    raise cancelled


async def in_thread(call: Callable[[], T]) -> T:
    """Runs ``call`` in a thread, to its end."""
    return await to_the_end(asyncio.get_running_loop().run_in_executor(None, call))
