"""How a phase comes to its start: closed for certain, tripped for certain, or silent."""

import asyncio
from collections.abc import Sequence

from harness.model.breaker_script import ScriptPhase
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.runner.breaker.stage import BreakerStage, Open
from harness.runner.clock import now
from harness.traffic.caller import To

GOOD_IN_A_ROW = 20
GAP = Duration.of_ms(10)
"""Between two calls whose order must be certain."""
# Failing calls behind the threshold; none of so many rejected says that it does not open.
_BEYOND = 25
_BESIDE = Duration.of_s(10)
# Behind twice the open time: a trial that takes its time, and 20 good calls.
_MORE = Duration.of_s(1)
# While nothing is known of the open state it may last as long as the longest that is looked for.
_LONGEST_OPEN = Duration.of_s(300)


async def reach_closed(stage: BreakerStage, plan: ScriptPhase) -> str:
    """Calls until 20 in a row are good, then waits for silence; says why if that does not come.

    Within 3·D + 10 s (contract §4.3). The calls stand in a phase of their own. A breaker whose open
    state does not end while it is called is left alone for a while, so that the phase can begin.
    """
    rate, limit = min(stage.script.rate, 50.0), _limit(stage)
    started = ScriptPhase(
        number=0,
        name="warm-up",
        title=f"to the start of {plan.id}",
        load="open",
        rate=rate,
        lasts=limit,
    )
    phase = stage.enter(started, id=f"before-{plan.id}")
    until = phase.entered + limit
    async with stage.looking():
        while not _closed(stage, phase) and now() < until:
            left = until - now()
            opened = stage.open_time
            steady = left if opened is None else min(left, opened * 2 + _MORE)
            await stage.caller.open(
                phase=phase.id, rate=rate, lasts=steady, until=lambda: _closed(stage, phase)
            )
            await stage.look()
            if not _closed(stage, phase) and opened is not None:
                await silence_until(min(now() + opened * 1.2, until))
    await stage.leave(phase)
    stage.learn_open(phase.mark)
    if _closed(stage, phase):
        stage.tripped = None
        return ""
    return f"no {GOOD_IN_A_ROW} good calls in a row within {limit.text()}"


def _closed(stage: BreakerStage, phase: Open) -> bool:
    return stage.watch.good_in_a_row(phase.mark) >= GOOD_IN_A_ROW


def _limit(stage: BreakerStage) -> Duration:
    opened = stage.open_time
    if opened is not None:
        return opened * 3 + _BESIDE
    return _BESIDE if stage.tripped is None else _LONGEST_OPEN


def most_failing(stage: BreakerStage) -> int:
    """How many failing calls in a row show that it does not open, where each of n breakers gets its share."""
    return stage.instances * stage.script.threshold + _BEYOND


async def trip(
    stage: BreakerStage, phase: Open, *, at_most: int, to: To | None = None
) -> Instant | None:
    """Calls one after the other until it is open; returns when it opened, None if it does not.

    Of several breakers each must be: as many calls in a row are rejected as there are of them.
    """
    whom, rejected, began = to or To(), 0, now()
    for _ in range(at_most):
        returned = await stage.caller.call(phase=phase.id, circuit=whom.circuit, values=whom.values)
        rejected = rejected + 1 if await stage.was_rejected(returned) else 0
        if rejected == stage.instances:
            stage.tripped = stage.watch.last_forwarded(phase.mark) or began
            return stage.tripped
        await asyncio.sleep(GAP.in_s)  # noqa: TID251 - the script's own gap
    return None


async def tripped_by(
    stage: BreakerStage, phase: Open, steps: Sequence[FaultStep], *, at_most: int
) -> Instant | None:
    """Trips it by a fault that is gone again when this returns; marks the phase if it does not open."""
    since = now()
    applied = await stage.apply(steps)
    tau = await trip(stage, phase, at_most=at_most)
    await stage.undo(applied, since=since)
    if tau is None:
        phase.not_reached(f"it did not open in {at_most} failing calls, one after the other")
    return tau


async def silence_until(at: Instant) -> None:
    """Nobody calls until then."""
    left = at - now()
    if left > Duration.ZERO:
        await asyncio.sleep(left.in_s)  # noqa: TID251 - the script's own silence
