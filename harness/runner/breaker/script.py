"""Goes through a script, phase by phase, and derives what is left of it anew from what was learnt."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from harness.model.breaker_script import PhaseName, ScriptPhase
from harness.runner.breaker import (
    phases,
    phases_full,
    phases_memory,
    phases_patterns,
    phases_stragglers,
)
from harness.runner.breaker.stage import BreakerStage

Play = Callable[[BreakerStage, ScriptPhase], Awaitable[None]]

_PLAYS: Mapping[PhaseName, Play] = {
    "warm-up": phases.warm_up,
    "baseline": phases.baseline,
    "transparent": phases_full.transparent,
    "below": phases_patterns.pattern,
    "exact-trip": phases.exact_trip,
    "silent-trial": phases_full.silent_trial,
    "burst-good": phases.trial_burst,
    "burst-bad": phases.trial_burst,
    "hung-trial": phases.hung_trial,
    "departing-trial": phases.hung_trial,
    "slow": phases.slow,
    "departures": phases_patterns.pattern,
    "ignored": phases_patterns.pattern,
    "keys": phases_full.keys,
    "stragglers": phases_stragglers.stragglers,
    "second-outage": phases_full.second_outage,
    "partial": phases_full.partial,
    "memory": phases_memory.memory,
}


async def play_script(stage: BreakerStage) -> AsyncIterator[str]:
    """Plays the whole script; yields what it is about to do.

    Raises:
        TargetError: the service or its proxy failed in a way that is no verdict.
    """
    played: set[str] = set()
    async with stage.on():
        await stage.log.begin()
        async for during in _phases(stage, played):
            yield during
        await stage.log.end()


async def _phases(stage: BreakerStage, played: set[str]) -> AsyncIterator[str]:
    while plan := next((p for p in stage.script.phases if p.id not in played), None):
        played.add(plan.id)
        if stage.barred:
            stage.skip(plan, stage.barred)
            continue
        yield f"phase {plan.id}"
        if plan.name == "outage":
            heal = _heal_behind(stage, played)
            if heal is not None:
                played.add(heal.id)
            await phases.outage(stage, plan, heal)
        else:
            await _PLAYS[plan.name](stage, plan)


def _heal_behind(stage: BreakerStage, played: set[str]) -> ScriptPhase | None:
    """The healing that belongs to the outage that is about to be played: the next phase, if it is one."""
    left = next((phase for phase in stage.script.phases if phase.id not in played), None)
    return left if left is not None and left.name == "heal" else None
