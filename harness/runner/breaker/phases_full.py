"""The phases that the full script has beside the quick one's, each as the contract has it (§4.3)."""

import asyncio

from harness.model.breaker_script import ScriptPhase
from harness.model.units import Duration
from harness.runner.breaker.downstream import failing_steps, phase_steps
from harness.runner.breaker.stage import BreakerStage
from harness.runner.breaker.starts import (
    GAP,
    most_failing,
    reach_closed,
    silence_until,
    trip,
    tripped_by,
)
from harness.runner.clock import now

_GOOD_AFTER = 20
_AFTER_BURSTS = 5
_RECOVERY = Duration.of_s(10)


async def transparent(stage: BreakerStage, plan: ScriptPhase) -> None:
    """Bursts of callers on a healthy downstream that takes its time, then a few calls."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    applied = await stage.apply(phase_steps(stage.log.hop, plan))
    since, spreads = now(), []
    for callers in plan.given["bursts"]:
        spread = await stage.caller.burst(phase=phase.id, callers=callers)
        spreads.append(spread.ns)
    await stage.undo(applied, since=since)
    phase.found["spread"] = max(spreads)
    for _ in range(_AFTER_BURSTS):
        await stage.caller.call(phase=phase.id)
    await stage.leave(phase)
    return None


async def silent_trial(stage: BreakerStage, plan: ScriptPhase) -> None:
    """It trips, nobody calls until it should be half-open, then one does, and others behind it."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    steps = failing_steps(stage.log.hop, plan, "trip")
    tau = await tripped_by(stage, phase, steps, at_most=most_failing(stage))
    due = stage.due(phase, tau, wait=1.1)
    if due is not None:
        await silence_until(due)
        for _ in range(1 + _GOOD_AFTER):
            await stage.caller.call(phase=phase.id)
            await asyncio.sleep(GAP.in_s)  # noqa: TID251 - the script's own gap
    await stage.leave(phase)
    return None


async def keys(stage: BreakerStage, plan: ScriptPhase) -> None:
    """The circuit of one key trips; while it is open, calls of another are made beside it."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    one, other = stage.circuits
    applied = await stage.apply(failing_steps(stage.log.hop, plan, "trip"))
    since = now()
    tau = await trip(stage, phase, at_most=most_failing(stage), to=one)
    await stage.undo(applied, since=since)
    if tau is None:
        phase.not_reached("the circuit of the first key did not open")
    else:
        async with stage.looking():
            await stage.caller.open(
                phase=phase.id,
                rate=2 * (plan.rate or stage.script.rate),
                lasts=plan.hold,
                to=(one, other),
            )
    phase.found["keys"] = [one.circuit, other.circuit]
    await stage.leave(phase)
    return None


async def second_outage(stage: BreakerStage, plan: ScriptPhase) -> None:
    """One outage with many rejections, a recovery, and another one within the window (BRK-19)."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    rate = plan.rate or 300.0
    applied = await stage.apply(phase_steps(stage.log.hop, plan))
    since = now()
    async with stage.looking():
        await stage.caller.open(phase=phase.id, rate=rate, lasts=plan.hold)
        began = now()
        healed = await stage.undo(applied, since=since)
        phase.found["healed"] = [began.ns, healed.ns]
        await _until_good(stage, phase.id, plan)
        again = await stage.apply(phase_steps(stage.log.hop, plan, name="second-"))
        since = now()
        phase.found["second"] = since.ns
        await stage.caller.open(phase=phase.id, rate=rate, calls=plan.calls)
        await stage.drain()
        await stage.undo(again, since=since)
    await stage.leave(phase, drain=False)
    return None


async def _until_good(stage: BreakerStage, phase: str, plan: ScriptPhase) -> None:
    """Healthy calls until so many in a row were good."""
    good, mark = int(plan.given.get("good", 50)), stage.watch.mark
    recovery = plan.given.get("recovery")
    limit = (_RECOVERY if recovery is None else Duration.of_ns(recovery)) + _RECOVERY
    await stage.caller.open(
        phase=phase,
        rate=stage.script.rate,
        lasts=limit,
        until=lambda: stage.watch.good_in_a_row(mark) >= good,
    )
    await stage.drain()


async def partial(stage: BreakerStage, plan: ScriptPhase) -> None:
    """A share of the arrivals fails, drawn from the run's seed."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    (step,) = failing_steps(stage.log.hop, plan, "share")
    applied = await stage.apply([stage.drawn(step, float(plan.given["share"]))])
    since = now()
    async with stage.looking():
        await stage.caller.open(
            phase=phase.id, rate=plan.rate or stage.script.rate, lasts=plan.hold
        )
        await stage.undo(applied, since=since)
    await stage.leave(phase)
    return None
