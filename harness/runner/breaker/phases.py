"""The phases of the quick script, each as the contract has it (§4.3)."""

import asyncio
from statistics import median

from harness.model.breaker_script import ScriptPhase
from harness.model.units import Duration, Instant
from harness.runner.breaker.downstream import failing_steps, phase_steps
from harness.runner.breaker.stage import BreakerStage, Open
from harness.runner.breaker.starts import (
    most_failing,
    reach_closed,
    silence_until,
    trip,
    tripped_by,
)
from harness.runner.breaker.watch import Seen
from harness.runner.clock import now

_LEAST_SILENCE = Duration.of_ms(300)


async def warm_up(stage: BreakerStage, plan: ScriptPhase) -> None:
    """Until three successive seconds differ by less than a fifth in their median, 5 to 30 s."""
    phase = stage.enter(plan)
    seconds: list[float] = []

    def level() -> bool:
        age = (now() - phase.entered).in_s
        while len(seconds) < int(age):
            lasted = [
                (call.ended - call.sent).in_ms
                for call in stage.watch.since(phase.mark)
                if len(seconds) <= (call.ended - phase.entered).in_s < len(seconds) + 1
            ]
            seconds.append(median(lasted) if lasted else 0.0)
        last = seconds[-3:]
        return age >= 5 and len(last) == 3 and max(last) <= 1.2 * min(last)

    async with stage.looking():
        await stage.caller.open(
            phase=phase.id, rate=plan.rate or 20.0, lasts=plan.lasts, until=level
        )
    await stage.leave(phase)


async def baseline(stage: BreakerStage, plan: ScriptPhase) -> None:
    """Good calls at the script's rate; what is learnt is how long one takes.

    Where they do not reach the downstream one by one, no later phase could be read (contract §1.5).
    """
    phase = stage.enter(plan)
    async with stage.looking():
        await stage.caller.open(phase=phase.id, rate=plan.rate or 20.0, calls=plan.calls)
    await stage.leave(phase)
    lasted = [call.ended - call.sent for call in stage.watch.since(phase.mark) if call.good]
    if lasted:
        stage.learn(latency=sorted(lasted)[len(lasted) // 2])
    stage.barred = _barred(stage.watch.since(phase.mark))


def _barred(calls: list[Seen]) -> str:
    answered = [call for call in calls if call.answered]
    if not answered:
        return "no call of the baseline was answered"
    astray = sum(call.attempts != 1 for call in answered)
    if astray:
        return f"{astray} of {len(answered)} calls of the baseline had not one arrival each"
    return ""


async def exact_trip(stage: BreakerStage, plan: ScriptPhase) -> None:
    """Failing calls one after the other: how many until it opens."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    applied = await stage.apply(phase_steps(stage.log.hop, plan))
    since = now()
    tau = await trip(stage, phase, at_most=plan.calls or most_failing(stage))
    await stage.undo(applied, since=since)
    await stage.leave(phase)
    if tau is not None and stage.declared.threshold is None and stage.declared.share is None:
        forwarded = [call for call in stage.watch.since(phase.mark) if call.arrived is not None]
        stage.learn(threshold=max(1, -(-len(forwarded) // stage.instances)))
    return None


async def outage(stage: BreakerStage, plan: ScriptPhase, heal: ScriptPhase | None) -> None:
    """The downstream fails for the hold, under load that goes on through the healing."""
    if why := await reach_closed(stage, plan):
        stage.skip(plan, why)
        return None if heal is None else stage.skip(heal, why)
    phase = stage.enter(plan)
    applied = await stage.apply(phase_steps(stage.log.hop, plan))
    since = now()

    def over() -> bool:
        tau = stage.watch.trip(phase.mark)
        if tau is not None:
            return now() >= tau + plan.hold
        return now() >= phase.entered + plan.lasts

    async with stage.looking():
        await stage.caller.open(
            phase=phase.id, rate=plan.rate or 20.0, lasts=plan.lasts, until=over
        )
        stage.tripped = stage.watch.trip(phase.mark)
        stage.learn_call_timeout(since)
        began = now()
        healed = await stage.undo(applied, since=since)
        if heal is None:
            await stage.drain()
        await stage.leave(phase, drain=False)
        if heal is not None:
            await _heal(stage, heal, began, healed)
    stage.learn_open(phase.mark)
    return None


async def _heal(stage: BreakerStage, plan: ScriptPhase, began: Instant, healed: Instant) -> None:
    phase = stage.enter(plan)
    phase.found["healed"] = [began.ns, healed.ns]
    await stage.caller.open(
        phase=phase.id, rate=plan.rate or 20.0, lasts=plan.lasts, calls=plan.calls
    )
    await stage.leave(phase)


async def trial_burst(stage: BreakerStage, plan: ScriptPhase) -> None:
    """Trips it, waits until it is due for half-open, then calls from many sides at once."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    tau = await tripped_by(
        stage, phase, failing_steps(stage.log.hop, plan, "trip"), at_most=most_failing(stage)
    )
    due = stage.due(phase, tau, wait=1.2)
    if due is not None:
        await silence_until(due)
        applied = await stage.apply(phase_steps(stage.log.hop, plan))
        since = now()
        spread = await stage.caller.burst(phase=phase.id, callers=plan.callers or 100)
        phase.found["spread"] = spread.ns
        stage.learn(spread=spread)
        if plan.name == "burst-bad":
            await _calls_after_a_bad_burst(stage, phase, plan)
        await stage.undo(applied, since=since)
    await stage.leave(phase)
    return None


async def _calls_after_a_bad_burst(stage: BreakerStage, phase: Open, plan: ScriptPhase) -> None:
    async with stage.looking():
        await stage.caller.open(phase=phase.id, rate=plan.rate or 20.0, lasts=plan.hold)


async def hung_trial(stage: BreakerStage, plan: ScriptPhase) -> None:
    """The trial gets no answer, all others would; with ``departing-trial`` its caller leaves as well."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    tau = await tripped_by(
        stage, phase, failing_steps(stage.log.hop, plan, "trip"), at_most=most_failing(stage)
    )
    due = stage.due(phase, tau, wait=1.1)
    if due is not None:
        await silence_until(due)
        applied = await stage.apply(phase_steps(stage.log.hop, plan, first=1))
        since = now()
        async with stage.looking():
            await _trial_and_others(stage, phase, plan, since)
        await stage.undo(applied, since=since)
    await stage.leave(phase)
    return None


async def _trial_and_others(
    stage: BreakerStage, phase: Open, plan: ScriptPhase, since: Instant
) -> None:
    leaves = plan.given.get("leaves")
    leave = None if leaves is None else Duration.of_ns(leaves)
    async with asyncio.TaskGroup() as calls:
        trial = calls.create_task(
            stage.caller.call(phase=phase.id, leave_after=leave), name="trial"
        )
        await asyncio.wait([trial], timeout=_LEAST_SILENCE.in_s)
        await stage.caller.open(phase=phase.id, rate=plan.rate or 20.0, lasts=plan.hold)
        hung = stage.log.first_since(since)
        if hung is not None:
            phase.found["trial"] = hung
        await stage.drain()


async def slow(stage: BreakerStage, plan: ScriptPhase) -> None:
    """The downstream answers, but late."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    applied = await stage.apply(phase_steps(stage.log.hop, plan))
    since = now()
    async with stage.looking():
        await stage.caller.open(phase=phase.id, rate=plan.rate or 20.0, lasts=plan.hold)
        await stage.undo(applied, since=since)
        await stage.drain()
    stage.tripped = stage.watch.trip(phase.mark)
    await stage.leave(phase, drain=False)
    return None
