"""Tells when a child process has ended, without a thread and without a task that needs an owner."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress

from harness.model.units import Duration

# Only where the kernel has no descriptor for processes: macOS, and Linux before 5.3.
_POLL = Duration.of_ms(20)


def on_exit(pid: int, callback: Callable[[], bool]) -> Callable[[], None]:
    """Calls ``callback`` in the running loop once ``pid`` ended, until it answers True.

    Returns what takes the watch back; safe to call more than once.
    """
    loop = asyncio.get_running_loop()
    opened = _descriptor(pid)
    return _poll(loop, callback) if opened is None else _read(loop, opened, callback)


def _descriptor(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _read(
    loop: asyncio.AbstractEventLoop, descriptor: int, callback: Callable[[], bool]
) -> Callable[[], None]:
    open_still = [descriptor]

    def cancel() -> None:
        while open_still:
            number = open_still.pop()
            if not loop.is_closed():
                loop.remove_reader(number)
            with suppress(OSError):
                os.close(number)

    def ended() -> None:
        if callback():
            cancel()

    loop.add_reader(descriptor, ended)
    return cancel


def _poll(loop: asyncio.AbstractEventLoop, callback: Callable[[], bool]) -> Callable[[], None]:
    timer: list[asyncio.TimerHandle] = []

    def cancel() -> None:
        while timer:
            timer.pop().cancel()

    def look() -> None:
        timer.clear()
        if not callback():
            timer.append(loop.call_later(_POLL.in_s, look))

    timer.append(loop.call_later(_POLL.in_s, look))
    return cancel
