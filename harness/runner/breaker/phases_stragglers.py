"""The phase of stragglers: calls from before the trip that end once it is open, or half-open (BRK-20)."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from harness.model.breaker_script import ScriptPhase
from harness.model.units import Duration, Instant
from harness.runner.breaker.downstream import failing_steps, hanging_steps, late_steps
from harness.runner.breaker.stage import BreakerStage, Open
from harness.runner.breaker.starts import (
    GAP,
    most_failing,
    reach_closed,
    silence_until,
    tripped_by,
)
from harness.runner.clock import now

_BEHIND = 10
_A_MOMENT = Duration.of_ms(100)


async def stragglers(stage: BreakerStage, plan: ScriptPhase) -> None:
    """The parts that the script has, each a phase of its own name with a start of its own."""
    parts = plan.given["parts"]
    for number, part in enumerate(parts, 1):
        own = replace(plan, repetition=number, of=len(parts))
        if why := await reach_closed(stage, own):
            stage.skip(own, why)
            continue
        phase = stage.enter(own, part=part)
        late = Duration.of_ns(plan.given["late"][part])
        await _PARTS[part](stage, phase, late)
        await stage.leave(phase)


async def _ok_while_open(stage: BreakerStage, phase: Open, late: Duration) -> None:
    """(i): it succeeds in the open state; ten calls behind it."""
    if await _tripped_behind(stage, phase, late, fails=False) is not None:
        await silence_until(_ends(phase, late))
        await _ten(stage, phase)


async def _failed_while_open(stage: BreakerStage, phase: Open, late: Duration) -> None:
    """(ii): it fails late in the open state; steady calls until long after that ought to end."""
    tau, opened = await _tripped_behind(stage, phase, late, fails=True), stage.open_time
    if tau is not None and opened is not None:
        async with stage.looking():
            await stage.caller.open(phase=phase.id, rate=stage.script.rate, lasts=opened * 2)


async def _ok_while_trial_hangs(stage: BreakerStage, phase: Open, late: Duration) -> None:
    """(iii): it succeeds while the one trial gets no answer; ten calls behind it."""
    tau = await _tripped_behind(stage, phase, late, fails=False)
    due = stage.due(phase, tau, wait=1.1)
    if due is None:
        return
    await silence_until(due)
    steps = hanging_steps(stage.log.hop, phase.plan, f"hang{stage.next_number()}", first=1)
    applied, since = await stage.apply(steps), now()
    async with stage.looking():
        stage.background(stage.caller.call(phase=phase.id))
        await silence_until(_ends(phase, late))
        await _ten(stage, phase)
        phase.found["trial"] = stage.log.first_since(since)
        await stage.undo(applied, since=since)
        await stage.drain()


async def _tripped_behind(
    stage: BreakerStage, phase: Open, late: Duration, *, fails: bool
) -> Instant | None:
    """A call that ends ``late`` after it was made, and behind it the trip. Returns when it opened."""
    hop, plan = stage.log.hop, phase.plan
    steps = late_steps(hop, plan, f"straggler{stage.next_number()}", late, fails=fails)
    # They act on the first request alone; taken back with the rest of the phase's faults at its end.
    phase.applied += await stage.apply(steps)
    phase.found["straggler_sent"] = now().ns
    since = now()
    stage.background(stage.caller.call(phase=phase.id))
    await stage.until_arrived(since)
    phase.found["straggler"] = stage.log.first_since(since)
    trip = failing_steps(hop, plan, f"trip{stage.next_number()}")
    return await tripped_by(stage, phase, trip, at_most=most_failing(stage))


def _ends(phase: Open, late: Duration) -> Instant:
    """When the straggler has ended for certain."""
    return Instant.of_ns(phase.found["straggler_sent"]) + late + _A_MOMENT


async def _ten(stage: BreakerStage, phase: Open) -> None:
    for _ in range(_BEHIND):
        await stage.caller.call(phase=phase.id)
        await asyncio.sleep(GAP.in_s)  # noqa: TID251 - the script's own gap
    await stage.look()


_PARTS: dict[str, Callable[[BreakerStage, Open, Duration], Awaitable[None]]] = {
    "i": _ok_while_open,
    "ii": _failed_while_open,
    "iii": _ok_while_trial_hangs,
}
