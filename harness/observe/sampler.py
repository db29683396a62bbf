"""Reads probes again and again, in step with a clock, until it is left; what ``always`` is judged by.

A beat that would begin while the last one is still being read is left out: readings never pile up on
a target that is busy. How often it read is in the journal, one event for each.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from harness.connections.pool import Connections
from harness.model.events import AnyEvent
from harness.model.units import Duration
from harness.observe.read import Probe


class Sampler:
    """``async with Sampler(…):`` reads at once, then every ``every``, and once more at the end.

    A reading that fails cancels the body and comes out as ``TargetError`` (in an exception group).
    """

    def __init__(
        self,
        probes: Sequence[Probe],
        connections: Connections,
        *,
        every: Duration,
        round: int | None,
        record: Callable[[AnyEvent], object],
    ) -> None:
        self._probes = probes
        self._connections = connections
        self._every = every
        self._round = round
        self._record = record
        self._left = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        names = ", ".join(probe.name for probe in self._probes)
        self._group.create_task(self._sample(), name=f"sample {names}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left.set()
        await self._group.__aexit__(kind, raised, traceback)

    async def _sample(self) -> None:
        started = time.monotonic_ns()
        beat = 0
        while not self._left.is_set():
            await self._read_all()
            beat = next_beat(started, self._every, beat, time.monotonic_ns())
            await self._until(started + beat * self._every.ns)
        await self._read_all()

    async def _until(self, moment: int) -> None:
        """Waits for the moment, or for being left."""
        wait = (moment - time.monotonic_ns()) / 1e9
        try:
            async with asyncio.timeout(max(wait, 0)):
                await self._left.wait()
        except TimeoutError:
            return

    async def _read_all(self) -> None:
        for probe in self._probes:
            reading = await probe.read(self._connections)
            self._record(reading.as_event(purpose="always", round=self._round))


def next_beat(started: int, every: Duration, beat: int, now: int) -> int:
    """The first beat after ``beat`` that is not over yet; in nanoseconds, from ``started`` on."""
    passed = -(-(now - started) // every.ns)
    return max(beat + 1, passed)
