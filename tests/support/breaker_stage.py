"""The stage of a breaker's script without sockets: a service that keeps a breaker, in virtual time.

    world = World(threshold=5)
    phase = play(lambda stage: exact_trip(stage, plan("exact-trip")), world)

What drives the script is real: stage, hop log, faults, watch. Made up are the callers (each call is a
task that sleeps), the service, and the proxy, which holds the steps that were applied.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Self, cast

from harness.experiment.breaker_script import derive
from harness.model.breaker import BreakerPlan, OpenTime
from harness.model.breaker_script import FaultKind, PhaseName, ScriptPhase
from harness.model.events import (
    AnyEvent,
    FaultSeen,
    PhaseEntered,
)
from harness.model.units import Duration
from harness.runner.breaker.faults import HopFaults
from harness.runner.breaker.sampling import ProcessWatch
from harness.runner.breaker.stage import BreakerStage
from harness.runner.breaker.watch import Watch
from harness.runner.rollback import ActiveFaults
from harness.traffic.caller import Caller, To
from harness.traffic.loop_watch import LoopWatch
from tests.support.breaker_world import BEHIND, HERE, TheCaller, TheFaults, TheLog, World
from tests.support.virtual_time import run

ms = Duration.of_ms


def a_plan(name: PhaseName, number: int = 5, **fields: Any) -> ScriptPhase:
    """A phase of which nothing is given that the test does not ask for."""
    lasts = fields.pop("lasts", Duration.of_s(20))
    load: Any = fields.pop("load", "open")
    fault: FaultKind | None = fields.pop("fault", None)
    return ScriptPhase(
        number=number, name=name, title=name, load=load, lasts=lasts, fault=fault, **fields
    )


def a_stage(world: World, *, process: ProcessWatch | None = None, **declared: Any) -> BreakerStage:
    """Must be made in a running loop. ``declared`` overrides K = 5 and D = 1 s."""
    keys: dict[str, Any] = {"threshold": 5, "open": OpenTime(first=ms(1000)), **declared}
    plan = BreakerPlan(calls="sell", behind="bank", **keys)
    watch = Watch()

    def record(event: AnyEvent) -> object:
        told = world.record(event)
        watch.take(event)
        return told

    def check_alive() -> None:
        if world.gone is not None:
            raise world.gone

    log = TheLog(
        hop="bank",
        admin="http://127.0.0.1:1",
        proxy="bank",
        carrier=plan.id,
        ours={},
        record=record,
    )
    log.world = world
    return BreakerStage(
        declared=plan,
        seed=7,
        record=record,
        caller=cast("Caller", TheCaller(world, record)),
        log=log,
        faults=HopFaults(
            here=HERE,
            behind=BEHIND if world.foreign else None,
            faults=cast("ActiveFaults", TheFaults(world)),
            log=log,
            record=record,
        ),
        watch=watch,
        lag=cast("LoopWatch", _NeverLate()),
        process=process,
        check_alive=check_alive,
        derive=derive,
        circuits=(To("a"), To("b")),
    )


class _NeverLate:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def worst(self) -> Duration:
        return Duration.ZERO


def play(
    what: Callable[[BreakerStage], Awaitable[object]], world: World, **declared: Any
) -> BreakerStage:
    """Does it on a stage of this world, in virtual time; the stage as it is then."""

    async def whole() -> BreakerStage:
        stage = a_stage(world, **declared)
        async with stage.on():
            await what(stage)
        return stage

    return run(whole())


def entered(world: World, phase: str) -> PhaseEntered:
    (found,) = [event for event in world.of(PhaseEntered) if event.phase == phase]
    return found


def seen(world: World) -> dict[str, FaultSeen]:
    """By fault, what was told of it."""
    return {event.fault: event for event in world.of(FaultSeen)}
