"""An event loop whose clock jumps: an hour's time-out takes no time, and a deadlock is told at once.

For code without real sockets or threads. When nothing is ready, the selector would wait for the next
timer; here it moves the clock on by that long instead (trio's autojump clock, for asyncio).
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from harness.model.units import Duration, Instant

T = TypeVar("T")


class Deadlocked(AssertionError):
    """Every task waits for something that no timer will bring about."""


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Deadlocked("every task waits, and no timer is left that could wake one of them")
        self.now += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """``loop.time()`` begins at 0 and moves only when all tasks wait."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def jump(self, duration: Duration) -> None:
        """The process stood still for so long: timers that are due meanwhile come late."""
        self._jumping.now += duration.in_s


def run(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` in virtual time.

    Raises:
        Deadlocked: nothing is left that could go on.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def now() -> Instant:
    """The virtual time of the running loop, from 0."""
    return Instant.of_ns(round(asyncio.get_running_loop().time() * 1_000_000_000))
