"""The phases of the quick script, as the contract has them (§4.3)."""

from statistics import median

from harness.model.breaker_script import ScriptPhase
from harness.model.units import Duration
from tests.support.breaker_model.clock import MS, SECOND
from tests.support.breaker_model.hop import Fault
from tests.support.breaker_model.stage import Open, Stage

_LEAST_SILENCE = 300 * MS
_WARM = 3 * SECOND


async def warm_up(stage: Stage, plan: ScriptPhase) -> None:
    phase = stage.enter(plan)
    await stage.callers.open(phase.id, rate=plan.rate or 20.0, lasts=_WARM)
    await stage.leave(phase)


async def baseline(stage: Stage, plan: ScriptPhase) -> None:
    phase = stage.enter(plan)
    await stage.callers.open(phase.id, rate=plan.rate or 20.0, calls=plan.calls)
    await stage.leave(phase)
    lasted = [(c.ended or c.sent) - c.sent for c in stage.since(phase.mark) if c.good]
    if lasted:
        stage.learn(latency=Duration.of_ns(round(median(lasted))))


async def exact_trip(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    applied = await stage.phase_faults(phase)
    tau = await stage.trip(phase, at_most=plan.calls or stage.most_failing)
    await stage.undo(applied)
    await stage.leave(phase)
    if tau is not None and stage.declared.threshold is None and stage.declared.share is None:
        forwarded = [called for called in stage.since(phase.mark) if called.exchanges]
        stage.learn(threshold=max(1, len(forwarded)))
    return None


async def outage(stage: Stage, plan: ScriptPhase, heal: ScriptPhase | None) -> None:
    """The downstream fails for the hold, under load that goes on through the healing."""
    if why := await stage.reach_closed(plan):
        await stage.skip(plan, why)
        return None if heal is None else await stage.skip(heal, why)
    phase = stage.enter(plan)
    applied = await stage.phase_faults(phase)

    def over() -> bool:
        tau = stage.trip_seen(phase.mark)
        if tau is not None:
            return stage.clock.now >= tau + plan.hold.ns
        return stage.clock.now >= phase.entered + plan.lasts.ns

    await stage.callers.open(phase.id, rate=plan.rate or 20.0, lasts=plan.lasts.ns, until=over)
    stage.tripped = stage.trip_seen(phase.mark)
    began = stage.clock.now
    healed = await stage.undo(applied)
    if heal is None:
        await stage.drain()
    await stage.leave(phase, drain=False)
    if heal is not None:
        await _heal(stage, heal, began, healed)
    stage.learn_open(phase.mark)
    return None


async def _heal(stage: Stage, plan: ScriptPhase, began: int, healed: int) -> None:
    phase = stage.enter(plan)
    phase.given["healed"] = [began, healed]
    await stage.callers.open(
        phase.id, rate=plan.rate or 20.0, lasts=plan.lasts.ns, calls=plan.calls
    )
    await stage.leave(phase)


async def trial_burst(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    tau = await stage.tripped_by(phase, await stage.failing(phase, "trip"))
    due = stage.due(phase, tau, 1.2)
    if due is not None:
        await stage.clock.sleep_until(due)
        applied = await stage.phase_faults(phase)
        spread = await stage.callers.burst(phase.id, plan.callers or 100)
        phase.given["spread"] = spread
        stage.learn(spread=Duration.of_ns(spread))
        if plan.name == "burst-bad":
            rate, hold = plan.rate or 20.0, plan.hold.ns
            await stage.callers.open(phase.id, rate=rate, lasts=hold)
        await stage.undo(applied)
    await stage.leave(phase)
    return None


async def hung_trial(stage: Stage, plan: ScriptPhase) -> None:
    """The trial gets no answer, all others would; its caller may leave as well."""
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    tau = await stage.tripped_by(phase, await stage.failing(phase, "trip"))
    due = stage.due(phase, tau, 1.1)
    if due is not None:
        await stage.clock.sleep_until(due)
        applied = await stage.phase_faults(phase, first=1)
        await _trial_and_others(stage, phase, applied)
        await stage.undo(applied)
    await stage.leave(phase)
    return None


async def _trial_and_others(stage: Stage, phase: Open, applied: list[Fault]) -> None:
    plan = phase.plan
    before = len(stage.callers.made)
    trial = stage.callers.send(phase.id, leave=plan.given.get("leaves", 0))
    await trial.over.within(stage.clock, _LEAST_SILENCE)
    await stage.callers.open(phase.id, rate=plan.rate or 20.0, lasts=plan.hold.ns)
    hung = first_arrived(stage, before)
    if hung is not None:
        phase.given["trial"] = hung
    await stage.drain()


def first_arrived(stage: Stage, before: int) -> str | None:
    """The id of the first request to arrive among the calls made since."""
    came = [(c.arrived, c.rid) for c in stage.callers.made[before:] if c.arrived is not None]
    return min(came)[1] if came else None


async def slow(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    applied = await stage.phase_faults(phase)
    await stage.callers.open(phase.id, rate=plan.rate or 20.0, lasts=plan.hold.ns)
    await stage.undo(applied)
    await stage.drain()
    stage.tripped = stage.trip_seen(phase.mark)
    await stage.leave(phase, drain=False)
    return None
