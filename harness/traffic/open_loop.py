"""The open loop: something is done at each planned instant, whatever became of what was done before.

A closed loop of so many callers slows down with the service it calls, and so measures less the worse
the service is (B. Schroeder et al., "Open Versus Closed: A Cautionary Tale", NSDI 2006). Here the only
bound is ``cap``; what is due while so many are in flight is dropped, and counted.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from harness.traffic.schedule import Schedule
from harness.traffic.timers import Timers

T = TypeVar("T")

# While it is behind, whoever else waits for the loop gets a turn this often.
_TURN_NS = 1_000_000


class OpenLoop(Generic[T]):
    """``run`` it once. ``prepare`` is called ahead of time where there is time; ``send`` when it is due.

    ``clock`` is that of ``timers``, in nanoseconds.
    """

    def __init__(
        self,
        schedule: Schedule,
        *,
        cap: int,
        prepare: Callable[[int, int], T],
        send: Callable[[T], object],
        in_flight: Callable[[], int],
        timers: Timers,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """``prepare`` takes the number of the request, from 0, and when it is due."""
        self._schedule = schedule
        self._cap = cap
        self._prepare = prepare
        self._send = send
        self._in_flight = in_flight
        self._timers = timers
        self._clock = clock
        self._turn = 0
        self.dropped = 0
        self.most = 0
        self.stopped = False

    async def run(self, *, until: Callable[[], bool] | None = None) -> None:
        """Returns when all have been sent or dropped, or once ``until`` is true when one is due."""
        self._turn = self._clock()
        for k in range(self._schedule.planned):
            due = self._schedule.due(k)
            early = self._clock() < due
            ready = self._prepare(k, due) if early else None
            await self._wait(due)
            if until is not None and until():
                self.stopped = True
                return
            if self._in_flight() >= self._cap:
                self.dropped += 1
                continue
            self._send(self._prepare(k, due) if ready is None else ready)
            self.most = max(self.most, self._in_flight())

    async def _wait(self, due: int) -> None:
        while (now := self._clock()) < due:
            await self._alarm(due)
            self._turn = now
        if now - self._turn > _TURN_NS:
            await asyncio.sleep(0)  # noqa: TID251 - a turn for the others, no pause
            self._turn = self._clock()

    async def _alarm(self, due: int) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        alarm = self._timers.call_at(due / 1e9, wake)
        try:
            await woken
        finally:
            alarm.cancel()
