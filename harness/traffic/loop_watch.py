"""How late this process is: a timer every 100 ms that measures how far behind its time it fired."""

import asyncio
import time
from types import TracebackType
from typing import Self

from harness.model.units import Duration
from harness.traffic.timers import Handle, Timers, exact_timers

EVERY = Duration.of_ms(100)


class LoopWatch:
    """A context; entered in the loop that it watches."""

    def __init__(self) -> None:
        self._exact = exact_timers()
        self._timers: Timers | None = None
        self._alarm: Handle | None = None
        self._due = 0
        self._worst = 0

    def __enter__(self) -> Self:
        asyncio.get_running_loop()
        self._timers = self._exact.__enter__()
        self._set()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._exact.__exit__(kind, value, trace)

    def worst(self) -> Duration:
        """The worst since it was asked last. A timer that is overdue by now counts as well, this once."""
        overdue = time.monotonic_ns() - self._due
        worst = max(self._worst, overdue)
        self._worst = 0
        if overdue > 0 and self._alarm is not None:
            self._alarm.cancel()
            self._set()
        return Duration.of_ns(max(0, worst))

    def _set(self) -> None:
        assert self._timers is not None, "it is used as a context"
        self._due = time.monotonic_ns() + EVERY.ns
        self._alarm = self._timers.call_at(self._due / 1e9, self._fired)

    def _fired(self) -> None:
        self._worst = max(self._worst, time.monotonic_ns() - self._due)
        self._set()
