"""The phases that the full script has beside the quick one's (§4.3), but for the sequential patterns."""

from harness.model.breaker_history import Sample
from harness.model.breaker_script import ScriptPhase
from tests.support.breaker_model.clock import MS, SECOND
from tests.support.breaker_model.stage import GAP, Open, Stage

_GOOD_AFTER = 20
_AFTER_BURSTS = 5
_RECOVERY = 10 * SECOND
_WINDOW = 2_000
_MOST_GOOD = 30_000
_AT_ONCE = 20
_QUIET = 500 * MS
_LEVEL = 1.02


async def transparent(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    applied = await stage.phase_faults(phase)
    spreads = [await stage.callers.burst(phase.id, size) for size in plan.given["bursts"]]
    await stage.undo(applied)
    phase.given["spread"] = max(spreads)
    for _ in range(_AFTER_BURSTS):
        await stage.callers.one(phase.id)
    await stage.leave(phase)
    return None


async def silent_trial(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    tau = await stage.tripped_by(phase, await stage.failing(phase, "trip"))
    due = stage.due(phase, tau, 1.1)
    if due is not None:
        await stage.clock.sleep_until(due)
        for _ in range(1 + _GOOD_AFTER):
            await stage.callers.one(phase.id)
            await stage.clock.sleep(GAP)
    await stage.leave(phase)
    return None


async def keys(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    one, other = stage.keys
    applied = await stage.failing(phase, "trip")
    tau = await stage.trip(phase, at_most=stage.most_failing, key=one)
    await stage.undo(applied)
    if tau is None:
        phase.not_reached("the circuit of the first key did not open")
    else:
        rate = 2 * (plan.rate or stage.script.rate)
        await stage.callers.open(phase.id, rate=rate, lasts=plan.hold.ns, keys=(one, other))
    phase.given["keys"] = [one, other]
    await stage.leave(phase)
    return None


async def second_outage(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    rate = plan.rate or 300.0
    applied = await stage.phase_faults(phase)
    await stage.callers.open(phase.id, rate=rate, lasts=plan.hold.ns)
    began = stage.clock.now
    phase.given["healed"] = [began, await stage.undo(applied)]
    await _until_good(stage, phase)
    again = await stage.phase_faults(phase)
    phase.given["second"] = stage.clock.now
    await stage.callers.open(phase.id, rate=rate, calls=plan.calls)
    await stage.drain()
    await stage.undo(again)
    await stage.leave(phase, drain=False)
    return None


async def _until_good(stage: Stage, phase: Open) -> None:
    good, mark = int(phase.plan.given.get("good", 50)), len(stage.callers.seen)
    limit = int(phase.plan.given.get("recovery", _RECOVERY)) + _RECOVERY
    await stage.callers.open(
        phase.id,
        rate=stage.script.rate,
        lasts=limit,
        until=lambda: stage.good_in_a_row(mark) >= good,
    )
    await stage.drain()


async def partial(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    applied = await stage.failing(phase, "share")
    applied[0].share = float(plan.given["share"])
    rate = plan.rate or stage.script.rate
    await stage.callers.open(phase.id, rate=rate, lasts=plan.hold.ns)
    await stage.undo(applied)
    await stage.leave(phase)
    return None


async def memory(stage: Stage, plan: ScriptPhase) -> None:
    if why := await stage.reach_closed(plan):
        return await stage.skip(plan, why)
    phase = stage.enter(plan)
    if await _until_level(stage, phase):
        await _rejections(stage, phase)
    else:
        phase.not_reached("memory never levelled under good calls")
    await stage.leave(phase)
    return None


async def _until_level(stage: Stage, phase: Open) -> bool:
    sizes: list[int] = []
    for _ in range(_MOST_GOOD // _WINDOW):
        await stage.callers.closed(phase.id, callers=_AT_ONCE, calls=_WINDOW)
        await stage.clock.sleep(_QUIET)
        sizes.append(_sample(stage, phase, warming=True))
        if len(sizes) > 2 and all(sizes[-i] <= _LEVEL * sizes[-i - 1] for i in (1, 2)):
            return True
    return False


async def _rejections(stage: Stage, phase: Open) -> None:
    applied = await stage.failing(phase, "trip")
    if await stage.trip(phase, at_most=stage.script.threshold + 30) is None:
        phase.not_reached("it did not open")
    else:
        _sample(stage, phase, rejections=0)
        for _ in range(max(1, phase.plan.given["rejections"] // _WINDOW)):
            await stage.callers.closed(phase.id, callers=_AT_ONCE, calls=_WINDOW)
            await stage.clock.sleep(_QUIET)
            _sample(stage, phase, rejections=_WINDOW)
    await stage.undo(applied)


def _sample(
    stage: Stage, phase: Open, *, rejections: int | None = None, warming: bool = False
) -> int:
    size = stage.callers.service.memory
    stage.samples.append(
        Sample(
            at=stage.clock.now,
            phase=phase.id,
            pid=1,
            rss=size,
            rejections=rejections,
            warming=warming,
        )
    )
    return size
