"""Waits until the state stands still: no request in flight, a quiet wire, two equal readings.

Equal readings alone can deceive while a message is being held back, so two things are asked beside
them: the gap between the readings is longer than any declared delay of one message, and no byte
moved on any hop meanwhile. A service that talks all the time (a heartbeat, a polling worker) would
never be quiet; equal readings over the whole limit are accepted from it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from harness.kinds import to_params
from harness.model.events import AnyEvent, NeverSettled, Settled
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.observe.read import Reading
from harness.proxy.toxics import TOXICS
from harness.runner.clock import now

Read = Callable[[], Awaitable[Mapping[str, Reading]]]


def careful_gap(plan: Plan) -> Duration:
    """The declared gap, made longer than the delays that the plan's faults put on one message."""
    gap = plan.settle.gap
    for step in plan.faults:
        kind = TOXICS[step.kind]
        gap += kind.longest(to_params(kind.Params, step.params))
    return gap


async def settle(
    *,
    round: int,
    read: Read,
    must: Collection[str],
    bytes_moved: Callable[[], Awaitable[int]],
    gap: Duration,
    limit: Duration,
    record: Callable[[AnyEvent], object],
) -> Mapping[str, Reading] | None:
    """The settled readings by probe, or None after ``NeverSettled`` was recorded.

    Probes beside those that ``must`` settle are waited for as long, and then left moving.
    """
    started = now()
    moved, readings = await bytes_moved(), await read()
    equal_since = started
    restless: tuple[str, ...] = ()
    while True:
        await asyncio.sleep(gap.in_s)  # noqa: TID251 - the declared gap between two readings
        moved_before, moved = moved, await bytes_moved()
        before, readings = readings, await read()
        restless = tuple(name for name in readings if readings[name].value != before[name].value)
        if restless:
            equal_since = now()
        elif moved == moved_before or now() - equal_since >= limit:
            record(Settled(round=round, after=now() - started))
            return readings
        if now() - started >= limit and restless:
            moving = tuple(name for name in restless if name in must)
            if not moving:
                # A counter that never stands still; what has to stand still does.
                record(Settled(round=round, after=now() - started))
                return readings
            record(NeverSettled(round=round, probes=moving, in_flight=0, limit=limit))
            return None
        if now() - started >= limit * 2:
            record(NeverSettled(round=round, probes=tuple(readings), in_flight=0, limit=limit))
            return None
