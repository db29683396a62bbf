"""The machine's exact timers for whoever sends at planned instants; the event loop's where it has none."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness.proxy.alarms import Alarms, Handle, Timers

__all__ = ["Handle", "Timers", "exact_timers"]


@contextmanager
def exact_timers() -> Iterator[Timers]:
    """Timers of the running loop, on the clock of ``time.monotonic``.

    An event loop counts its waiting in milliseconds: at 500 requests a second it would send every
    other one late by half a gap.
    """
    loop = asyncio.get_running_loop()
    try:
        alarms = Alarms(loop, time.monotonic_ns)
    except (OSError, AttributeError):
        yield loop  # no Linux, or a C library without timerfd
        return
    try:
        yield alarms
    finally:
        alarms.close()
