"""The phase that looks at memory: good calls until it is level, then thousands of rejections (§5.4)."""

import asyncio

from harness.model.breaker_script import ScriptPhase
from harness.model.units import Duration
from harness.runner.breaker.downstream import failing_steps
from harness.runner.breaker.sampling import ProcessWatch
from harness.runner.breaker.stage import BreakerStage, Open
from harness.runner.breaker.starts import most_failing, reach_closed, trip
from harness.runner.clock import now

_WINDOW = 2_000
_WINDOWS_OF_REJECTIONS = 5
_MOST_GOOD = 30_000
_AT_ONCE = 20
_QUIET = Duration.of_ms(500)
# A window of good calls that grew by no more than this share is level; two in a row are enough.
_LEVEL = 1.02


async def memory(stage: BreakerStage, plan: ScriptPhase) -> None:
    """A closed loop, 20 at once: what is counted here is calls, and not when they are sent."""
    if stage.process is None:
        return stage.skip(plan, "no process was named: breaker.process")
    if why := await reach_closed(stage, plan):
        return stage.skip(plan, why)
    phase = stage.enter(plan)
    if not await _until_level(stage, phase, stage.process):
        phase.not_reached("memory never levelled under good calls")
    else:
        await _rejections(stage, phase, stage.process)
    await stage.leave(phase)
    return None


async def _until_level(stage: BreakerStage, phase: Open, process: ProcessWatch) -> bool:
    sizes: list[int] = []
    for _ in range(_MOST_GOOD // _WINDOW):
        await _calls(stage, phase, _WINDOW)
        await asyncio.sleep(_QUIET.in_s)  # noqa: TID251 - memory is read in silence
        size = await process.sample(warming=True)
        sizes.append(size or 0)
        if len(sizes) > 2 and all(sizes[-i] <= _LEVEL * sizes[-i - 1] for i in (1, 2)):
            return True
    return False


async def _rejections(stage: BreakerStage, phase: Open, process: ProcessWatch) -> None:
    """The downstream fails throughout, so that each trial opens it again."""
    applied = await stage.apply(failing_steps(stage.log.hop, phase.plan, "trip"))
    since = now()
    if await trip(stage, phase, at_most=most_failing(stage)) is None:
        phase.not_reached("it did not open")
    else:
        await process.sample(rejections=0)
        for _ in range(_WINDOWS_OF_REJECTIONS):
            await _calls(stage, phase, _WINDOW)
            await asyncio.sleep(_QUIET.in_s)  # noqa: TID251 - memory is read in silence
            await process.sample(rejections=_WINDOW)
    await stage.undo(applied, since=since)


async def _calls(stage: BreakerStage, phase: Open, count: int) -> None:
    await stage.caller.closed(phase=phase.id, callers=_AT_ONCE, calls=count)
    await stage.look()
