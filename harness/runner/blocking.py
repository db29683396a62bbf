"""Blocking calls from the loop, which a cancellation may delay but never tear in two.

A call to add a toxic that goes on in its thread after we gave up on it would add the toxic behind
the undo. So whoever is cancelled here waits for the call to end first.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Runs ``call`` in a thread. On cancellation waits for it to end, then lets the cancel pass."""
    future = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # fetched, so that the loop does not report it as never retrieved
        raise
