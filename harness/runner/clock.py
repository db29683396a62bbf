"""The one place where the runner reads a clock: the running loop's, which is the monotonic one.

Taken from the loop so that a test with virtual time moves both the sleeps and the clock.
"""

import asyncio

from harness.model.units import Instant


def now() -> Instant:
    """Nanoseconds of ``time.monotonic``; a float of seconds holds them for a hundred days."""
    return Instant.of_ns(round(asyncio.get_running_loop().time() * 1_000_000_000))
