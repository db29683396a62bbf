"""One round: reset, method, settle, undo, and what the wire saw of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from harness.connections.pool import Connections
from harness.faults.fault import Fault, HopOnProxy
from harness.judge.invariants import INVARIANTS
from harness.model.address import Address
from harness.model.events import (
    AnyEvent,
    ArrivalsStarted,
    BurstReleased,
    BurstWritten,
    ResetDone,
    RoundFinished,
    RoundStarted,
)
from harness.model.plan import ArrivalsStep, BurstStep, FaultStep, HttpCall, Plan
from harness.model.units import Duration, Instant
from harness.observe.read import Probe
from harness.observe.sampler import Sampler
from harness.processes.programs import Programs
from harness.runner.clock import now
from harness.runner.readings import read_all
from harness.runner.rollback import ActiveFaults
from harness.runner.settle import careful_gap, settle, watched_of
from harness.runner.wire import Wire
from harness.traffic.arrivals import run_arrivals
from harness.traffic.burst import run_burst
from harness.traffic.operation import Operation

Record = Callable[[AnyEvent], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all rounds of a run share. ``reset`` puts the state back, directly, through no hop."""

    plan: Plan
    record: Callable[[AnyEvent], object]
    connections: Connections
    probes: Mapping[str, Probe]
    operations: Mapping[str, Operation]
    address_of: Callable[[str], Address]
    values: Mapping[str, Any]
    programs: Programs
    hops: Mapping[str, HopOnProxy]
    warm: Mapping[str, HttpCall | None]
    numbers: Iterator[int]
    wire: Wire
    faults: ActiveFaults
    reset: Callable[[], Any]
    not_back: Callable[[], Awaitable[tuple[str, ...]]]
    """The steady state's expressions that do not hold after a reset."""
    check_alive: Callable[[], None]


async def run_round(stage: Stage, number: int) -> bool:
    """Runs round ``number`` (from 1); True if it settled. Faults are undone on every way out.

    Raises:
        TargetError: reset, probe, proxy or a service failed in a way that is no verdict.
    """
    plan, record = stage.plan, stage.record
    record(RoundStarted(round=number))
    await stage.reset()
    record(ResetDone(round=number, failing=await stage.not_back()))
    await _read_start(stage, number)
    await stage.wire.begin()
    try:
        async with AsyncExitStack() as sampling:
            # Readings are those of all who ask for the probe, so one sampler does for alike ones.
            for probes, every in dict.fromkeys((i.probes, i.every) for i in plan.invariants):
                if every is not None:
                    await sampling.enter_async_context(
                        Sampler(
                            [stage.probes[name] for name in probes],
                            stage.connections,
                            every=every,
                            round=number,
                            record=record,
                        )
                    )
            released = await _method(stage, number)
            stage.check_alive()
            settled = await _settle(stage, number)
    finally:
        await stage.faults.undo_all()
    stage.faults.require_undone()
    await stage.wire.finish(round=number, since=released, record=record)
    for seen in stage.faults.seen_in(number, lambda hop: stage.wire.turns(hop, since=released)):
        record(seen)
    record(RoundFinished(round=number))
    return settled


async def _method(stage: Stage, number: int) -> Instant:
    """Runs the steps in order; returns when the first last byte was released, or the first arrival due.

    Each runs to its end, calls and all, before the next begins; a fault with ``for:`` may end meanwhile.
    What passed the hops before (warming up, in the main) is no evidence of what a burst met.
    """
    released: list[Instant] = []

    def record(event: AnyEvent) -> object:
        if isinstance(event, BurstWritten):
            # In the hold: all that warms up has passed, and nothing has been released yet.
            ending.create_task(stage.faults.before_release(), name="look before the release")
        if isinstance(event, BurstReleased | ArrivalsStarted):
            released.append(event.first)
            stage.faults.released(event.first, round=number)
        return stage.record(event)

    async with asyncio.TaskGroup() as ending:
        for step in stage.plan.method:
            match step:
                case FaultStep():
                    fault = await stage.faults.apply(step, stage.hops[step.on], round=number)
                    if step.lasts is not None:
                        ending.create_task(
                            _undo_after(step.lasts, fault, stage.faults), name=f"undo {step.id}"
                        )
                case BurstStep():
                    await _burst(stage, step, number, record)
                case ArrivalsStep():
                    await stage.faults.before_release()
                    await _arrivals(stage, step, number, record)
    return min(released, default=now())


async def _burst(stage: Stage, step: BurstStep, number: int, record: Record) -> None:
    await run_burst(
        step,
        round=number,
        operations=stage.operations,
        address_of=stage.address_of,
        values={**stage.values, "round": number},
        record=record,
        numbers=stage.numbers,
        warm=stage.warm,
        programs=stage.programs,
    )


async def _arrivals(stage: Stage, step: ArrivalsStep, number: int, record: Record) -> None:
    await run_arrivals(
        step,
        round=number,
        operations=stage.operations,
        address_of=stage.address_of,
        values={**stage.values, "round": number},
        record=record,
        numbers=stage.numbers,
    )


async def _undo_after(lasts: Duration, fault: Fault, faults: ActiveFaults) -> None:
    await asyncio.sleep(lasts.in_s)  # noqa: TID251 - the fault's declared time
    await faults.undo(fault)
    faults.require_undone()


async def _read_start(stage: Stage, number: int) -> None:
    """What is there before anything was sent, for the kinds that ask what a round has added."""
    names = dict.fromkeys(
        name
        for invariant in stage.plan.invariants
        if getattr(INVARIANTS.get(invariant.kind), "from_start", False)
        for name in invariant.probes
    )
    await read_all(
        [stage.probes[name] for name in names],
        stage.connections,
        purpose="reset",
        round=number,
        record=stage.record,
    )


async def _settle(stage: Stage, number: int) -> bool:
    plan = stage.plan
    watched = watched_of(plan)
    readings = await settle(
        round=number,
        read=lambda: read_all(
            [stage.probes[name] for name in watched.names],
            stage.connections,
            purpose="settle",
            round=number,
            record=stage.record,
        ),
        must=watched.must,
        look=stage.wire.look,
        gap=careful_gap(plan, sees_held=all(hop.observed == "here" for hop in stage.hops.values())),
        limit=plan.settle.limit,
        record=stage.record,
    )
    for reading in (each for name, each in (readings or {}).items() if name in watched.at_end):
        stage.record(reading.as_event(purpose="at-end", round=number))
    return readings is not None
