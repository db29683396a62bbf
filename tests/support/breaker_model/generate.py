"""Plays a whole script against the model, and writes down what was to be seen of it from outside."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from random import Random

from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import BreakerHistory
from harness.model.breaker_script import ScriptPhase
from tests.support.breaker_model import phases, phases_full, phases_sequential
from tests.support.breaker_model.callers import Callers
from tests.support.breaker_model.clock import MS, Clock
from tests.support.breaker_model.hop import Hop
from tests.support.breaker_model.load import lighter
from tests.support.breaker_model.service import Service
from tests.support.breaker_model.settings import Defect, Settings, World
from tests.support.breaker_model.stage import Stage

Play = Callable[[Stage, ScriptPhase], Awaitable[None]]

_PLAYS: dict[str, Play] = {
    "warm-up": phases.warm_up,
    "baseline": phases.baseline,
    "transparent": phases_full.transparent,
    "below": phases_sequential.pattern,
    "exact-trip": phases.exact_trip,
    "silent-trial": phases_full.silent_trial,
    "burst-good": phases.trial_burst,
    "burst-bad": phases.trial_burst,
    "hung-trial": phases.hung_trial,
    "departing-trial": phases.hung_trial,
    "slow": phases.slow,
    "departures": phases_sequential.pattern,
    "ignored": phases_sequential.pattern,
    "keys": phases_full.keys,
    "stragglers": phases_sequential.stragglers,
    "second-outage": phases_full.second_outage,
    "partial": phases_full.partial,
    "memory": phases_full.memory,
}


def generate(
    plan: BreakerPlan,
    settings: Settings,
    *,
    defects: Iterable[Defect] = (),
    world: World | None = None,
    seed: int = 0,
    without: Collection[str] = (),
    load: float = 1,
) -> BreakerHistory:
    """The history of one run. ``without``: ids of phases that are left out, or their names.

    ``load``: which part of the calls, callers and time of the script there is.
    """
    world = world or World()
    rng = Random(seed)
    clock = Clock()

    def way() -> int:
        return round((world.way + min(rng.expovariate(1 / world.jitter), 4 * world.jitter)) * MS)

    hop = Hop(clock, rng, way, round(world.downstream * MS))
    wrong = frozenset(defects)
    service = Service(clock, rng, settings, wrong, hop, way, round(world.own * MS))
    tells = plan.rejection.status is not None or plan.fallback is not None
    callers = Callers(
        clock, rng, service, way, round(world.lag * MS), round(world.spread * MS), tells
    )
    stage = Stage(plan, clock, rng, callers, hop)
    clock.run(_play(stage, frozenset(without), load))
    return BreakerHistory(
        declared=plan,
        phases=tuple(stage.phases),
        calls=tuple(sorted((one.call() for one in callers.made), key=lambda call: call.sent)),
        faults=tuple(fault.span() for fault in stage.faults),
        samples=tuple(stage.samples),
        instances_seen=settings.instances,
    )


async def _play(stage: Stage, without: frozenset[str], load: float) -> None:
    played: set[str] = set()
    while plan := _next(stage, played, load):
        played.add(plan.id)
        if plan.id in without or plan.name in without:
            continue
        if plan.name != "outage":
            await _PLAYS[plan.name](stage, plan)
            continue
        heal = _next(stage, played, load)
        if heal is None or heal.name != "heal":
            heal = None
        else:
            played.add(heal.id)
            heal = None if {heal.id, heal.name} & without else heal
        await phases.outage(stage, plan, heal)


def _next(stage: Stage, played: set[str], load: float) -> ScriptPhase | None:
    left = (one for one in stage.script.phases if one.id not in played)
    return next((lighter(one, load) for one in left), None)
