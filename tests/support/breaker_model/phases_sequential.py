"""Patterns of calls one after the other, and the stragglers (§4.3)."""

from collections.abc import Awaitable, Callable
from itertools import groupby

from msgspec.structs import replace

from harness.model.breaker_script import ScriptPhase
from tests.support.breaker_model.clock import MS, SECOND
from tests.support.breaker_model.hop import Fault
from tests.support.breaker_model.phases import first_arrived
from tests.support.breaker_model.stage import GAP, Open, Stage

_UNTIL_REJECTED = ("departures", "ignored")
_BEHIND = 10
_A_MOMENT = 100 * MS


async def pattern(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    letters: list[str] = plan.given["pattern"]
    pauses: dict[str, int] = plan.given.get("pauses", {})
    written: list[str] = []
    for letter, same in groupby(letters):
        count = len(list(same))
        last = len(written) + count == len(letters)
        until_rejected = last and plan.name in _UNTIL_REJECTED
        await _run(stage, phase, letter, count, written, until_rejected=until_rejected)
    await stage.clock.sleep(pauses.get(str(len(letters)), 0))
    phase.given["pattern"] = written
    await stage.leave(phase)
    return None


async def _run(
    stage: Stage,
    phase: Open,
    letter: str,
    count: int,
    written: list[str],
    *,
    until_rejected: bool,
) -> None:
    applied = await _applied(stage, phase, letter)
    leaves = phase.plan.given.get("leaves", 0) if letter == "L" else 0
    pauses: dict[str, int] = phase.plan.given.get("pauses", {})
    for _ in range(count):
        await stage.clock.sleep(pauses.get(str(len(written)), 0))
        called = await stage.callers.one(phase.id, leave=leaves)
        written.append(letter)
        if leaves:
            phase.given.setdefault("left", []).append(called.rid)
        if until_rejected and called.rejected:
            written[-1] = "R"
            break
        await stage.clock.sleep(GAP)
    await stage.undo(applied)


async def _applied(stage: Stage, phase: Open, letter: str) -> list[Fault]:
    match letter:
        case "F":
            return await stage.failing(phase, "F")
        case "I":
            status = int(phase.plan.given["ignored_status"])
            return [await stage.apply(phase, "status", "I", status=status)]
        case "L":
            return [await stage.apply(phase, "blackhole", "L")]
        case _:
            return []


async def stragglers(stage: Stage, plan: ScriptPhase) -> None:
    parts = plan.given["parts"]
    for number, part in enumerate(parts, 1):
        own = replace(plan, repetition=number, of=len(parts))
        if why := await stage.reach_closed(own):
            await stage.skip(own, why)
            continue
        phase = stage.enter(own, part=part)
        await _PARTS[part](stage, phase, plan.given["late"][part])
        await stage.leave(phase)


async def _ok_while_open(stage: Stage, phase: Open, late: int) -> None:
    if await _tripped_behind(stage, phase, late, fails=False) is not None:
        await stage.clock.sleep_until(phase.given["straggler_sent"] + late + _A_MOMENT)
        await _ten(stage, phase)


async def _failed_while_open(stage: Stage, phase: Open, late: int) -> None:
    tau, opened = await _tripped_behind(stage, phase, late, fails=True), stage.open_time
    if tau is not None and opened is not None:
        await stage.callers.open(phase.id, rate=stage.script.rate, lasts=opened * 2)


async def _ok_while_trial_hangs(stage: Stage, phase: Open, late: int) -> None:
    due = stage.due(phase, await _tripped_behind(stage, phase, late, fails=False), 1.1)
    if due is None:
        return
    await stage.clock.sleep_until(due)
    applied = [await stage.apply(phase, "blackhole", "hang", first=1)]
    before = len(stage.callers.made)
    stage.callers.send(phase.id)
    await stage.clock.sleep_until(phase.given["straggler_sent"] + late + _A_MOMENT)
    await _ten(stage, phase)
    phase.given["trial"] = first_arrived(stage, before)
    await stage.undo(applied)
    await stage.drain()


async def _tripped_behind(stage: Stage, phase: Open, late: int, *, fails: bool) -> int | None:
    if fails:
        phase.applied.append(
            await stage.apply(phase, "status", "fails", status=phase.plan.status, first=1)
        )
    phase.applied.append(await stage.apply(phase, "latency", "late", latency=late, first=1))
    straggler = stage.callers.send(phase.id)
    phase.given["straggler_sent"], phase.given["straggler"] = straggler.sent, straggler.rid
    until = stage.clock.now + SECOND
    while not straggler.exchanges and stage.clock.now < until:
        await stage.clock.sleep(MS)
    return await stage.tripped_by(phase, await stage.failing(phase, "trip"))


async def _ten(stage: Stage, phase: Open) -> None:
    for _ in range(_BEHIND):
        await stage.callers.one(phase.id)
        await stage.clock.sleep(GAP)


_PARTS: dict[str, Callable[[Stage, Open, int], Awaitable[None]]] = {
    "i": _ok_while_open,
    "ii": _failed_while_open,
    "iii": _ok_while_trial_hangs,
}
