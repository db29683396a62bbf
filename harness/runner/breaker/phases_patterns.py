"""The phases of calls one after the other in an order that the script gives, a letter for each (§4.3).

F fails, S succeeds, I is answered with an ignored status, L is left by its caller while it hangs.
"""

import asyncio
from itertools import groupby

from harness.faults.fault import Fault
from harness.model.breaker_script import ScriptPhase
from harness.model.units import Duration
from harness.runner.breaker.downstream import answered_steps, failing_steps, hanging_steps
from harness.runner.breaker.stage import BreakerStage, Open
from harness.runner.breaker.starts import GAP, reach_closed
from harness.runner.clock import now

REJECTED = "R"
# How long a call that was left may go on, where the service does not pass that on.
_ENDS_WITHIN = Duration.of_s(2)
# In these the last failures are as many as it takes to see the first rejection.
_UNTIL_REJECTED = ("departures", "ignored")


async def pattern(stage: BreakerStage, plan: ScriptPhase) -> None:
    """Writes the pattern; ``given["pattern"]`` of the phase's end is what was really written."""
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    letters: list[str] = plan.given["pattern"]
    pauses = {int(at): Duration.of_ns(ns) for at, ns in plan.given.get("pauses", {}).items()}
    written: list[str] = []
    for letter, same in groupby(letters):
        count = len(list(same))
        last = len(written) + count == len(letters)
        until_rejected = last and plan.name in _UNTIL_REJECTED
        await _run(stage, phase, letter, count, written, pauses, until_rejected=until_rejected)
    await _pause(pauses.get(len(letters)))
    phase.found["pattern"] = written
    await stage.leave(phase)
    return None


async def _run(
    stage: BreakerStage,
    phase: Open,
    letter: str,
    count: int,
    written: list[str],
    pauses: dict[int, Duration],
    *,
    until_rejected: bool,
) -> None:
    """So many calls of one letter, under the fault that it stands for."""
    since = now()
    applied = await _applied(stage, phase, letter)
    leaves = phase.plan.given.get("leaves")
    leave = Duration.of_ns(leaves) if letter == "L" and leaves is not None else None
    for _ in range(count):
        await _pause(pauses.get(len(written)))
        returned = await stage.caller.call(phase=phase.id, leave_after=leave)
        written.append(letter)
        if leave is not None:
            phase.found.setdefault("left", []).append(returned.rid)
            await stage.until_ended(returned.rid, _ENDS_WITHIN)
        if until_rejected and await stage.was_rejected(returned):
            written[-1] = REJECTED
            break
        await asyncio.sleep(GAP.in_s)  # noqa: TID251 - the script's own gap
    await stage.undo(applied, since=since)


async def _applied(stage: BreakerStage, phase: Open, letter: str) -> list[Fault]:
    hop, plan, name = stage.log.hop, phase.plan, f"{letter}{stage.next_number()}"
    match letter:
        case "F":
            return await stage.apply(failing_steps(hop, plan, name))
        case "I":
            return await stage.apply(
                answered_steps(hop, plan, name, int(plan.given["ignored_status"]))
            )
        case "L":
            return await stage.apply(hanging_steps(hop, plan, name))
        case _:
            return []


async def _pause(pause: Duration | None) -> None:
    if pause is not None:
        await asyncio.sleep(pause.in_s)  # noqa: TID251 - the script's own silence
