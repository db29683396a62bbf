"""Toxics that remove themselves: until when each may stay, and the timer that ends it."""

import asyncio
from collections.abc import Callable

from harness.model.units import Duration, Instant


class Lifetimes:
    """Of the toxics of one proxy, by name. ``over`` is called with a name when its time has come."""

    def __init__(
        self,
        over: Callable[[str], None],
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], Instant],
    ) -> None:
        self._over = over
        self._loop = loop
        self._clock = clock
        self._running: dict[str, tuple[Instant, asyncio.TimerHandle]] = {}

    def start(self, name: str, duration: Duration) -> None:
        """It has ``duration`` from now, whatever it had before."""
        self.forget(name)
        timer = self._loop.call_later(duration.in_s, self._end, name)
        self._running[name] = (self._clock() + duration, timer)

    def forget(self, name: str) -> None:
        """It stays, or is gone already."""
        _, timer = self._running.pop(name, (None, None))
        if timer is not None:
            timer.cancel()

    def forget_all(self) -> None:
        for name in tuple(self._running):
            self.forget(name)

    def left(self, name: str) -> Duration | None:
        """Never below 0; None for one that stays."""
        if name not in self._running:
            return None
        return max(Duration.ZERO, self._running[name][0] - self._clock())

    def _end(self, name: str) -> None:
        del self._running[name]
        self._over(name)
