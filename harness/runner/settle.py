"""Waits until the state stands still: no request in flight, a quiet wire, two equal readings.

Equal readings alone can deceive while a message is being held back. So no byte may have moved on any
hop between them, our own proxy must hold none, and the gap between them is longer than any declared
delay. A service that talks all the time (a heartbeat, a polling worker) would never be quiet; equal
readings over the whole limit are accepted from it, but only at a moment at which our own proxy holds
nothing: what it held before has arrived by then, and what is stuck for good is never taken for quiet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from harness.faults.known import longest_hold
from harness.model.events import AnyEvent, NeverSettled, Settled
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.observe import PROBES
from harness.observe.read import Reading
from harness.runner.clock import now
from harness.runner.wire import Quiet

# What a process holds of the machine is nobody's state: it may move for ever and says of no work.
_NO_STATE = "process"

Read = Callable[[], Awaitable[Mapping[str, Reading]]]

# Where nobody tells what is held and no attribute says how long: bandwidth lets something pass at
# least every 100 ms, so a wire that is silent for so much longer has nothing more to give.
_UNTOLD = Duration.of_s(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The probes that are read until they stand still. Those of ``at_end`` are judged by that reading."""

    names: tuple[str, ...]
    must: Collection[str]
    at_end: Collection[str]


def watched_of(plan: Plan) -> Watched:
    """A value that is only sampled and still moves says that work is going on: it is watched, too.

    Without an invariant that is read at the end, all of them must stand still.
    """
    at_end = {name for i in plan.invariants if i.every is None for name in i.probes}
    no_state = {probe.name for probe in plan.target.probes if _speaks(probe.kind) == _NO_STATE}
    names = dict.fromkeys(name for i in plan.invariants for name in i.probes)
    watched = tuple(name for name in names if name in at_end or name not in no_state)
    return Watched(names=watched, must=at_end or set(watched), at_end=at_end)


def _speaks(kind: str) -> str:
    return str(getattr(PROBES.get(kind), "speaks", ""))


def careful_gap(plan: Plan, *, sees_held: bool) -> Duration:
    """The declared gap, made longer than what the plan's faults can hold back silently.

    ``sees_held``: all hops are ours and say what they hold, so what has no bound needs none.
    """
    gap = plan.settle.gap
    for step in plan.faults:
        longest = longest_hold(step)
        gap += (Duration.ZERO if sees_held else _UNTOLD) if longest is None else longest
    return gap


async def settle(
    *,
    round: int,
    read: Read,
    must: Collection[str],
    look: Callable[[], Awaitable[Quiet]],
    gap: Duration,
    limit: Duration,
    record: Callable[[AnyEvent], object],
) -> Mapping[str, Reading] | None:
    """The settled readings by probe, or None after ``NeverSettled`` was recorded.

    Probes beside those that ``must`` settle are waited for as long, and then left moving.
    """
    started = now()
    # What a probe of a service makes it ask its database passes a hop as well: looked at before and
    # after the reading, so that it is not taken for work that is still going on.
    readings, earlier = await read(), await look()
    equal_since = started
    while True:
        await asyncio.sleep(gap.in_s)  # noqa: TID251 - the declared gap between two readings
        wire = await look()
        before, readings = readings, await read()
        restless = tuple(name for name in readings if readings[name].value != before[name].value)
        moves = wire.moved != earlier.moved
        earlier = await look()
        if restless:
            equal_since = now()
        elif not wire.held and (not moves or now() - equal_since >= limit):
            record(Settled(round=round, after=now() - started))
            return readings
        if now() - started >= limit and restless:
            moving = tuple(name for name in restless if name in must)
            if moving:
                record(_never(round, limit, probes=moving))
                return None
            if not wire.held:
                # A counter that never stands still; what has to stand still does.
                record(Settled(round=round, after=now() - started))
                return readings
        if now() - started >= limit * 2:
            # Readings that are equal beside something stuck are no probe's fault.
            probes = () if wire.held else tuple(readings)
            record(_never(round, limit, probes=probes, held=wire.held))
            return None


def _never(round: int, limit: Duration, *, probes: tuple[str, ...], held: int = 0) -> NeverSettled:
    return NeverSettled(round=round, probes=probes, in_flight=0, held=held, limit=limit)
