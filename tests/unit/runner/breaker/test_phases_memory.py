"""Memory: good calls until it is level, then windows of rejections, each with a sample behind it."""

import pytest

from harness.model.units import Duration
from harness.runner.breaker.phases_memory import memory
from harness.runner.breaker.sampling import ProcessWatch
from harness.runner.breaker.stage import BreakerStage
from tests.support.breaker_stage import a_plan, play
from tests.support.breaker_world import World

pytestmark = pytest.mark.slow

MIB = 1 << 20
PLAN = a_plan("memory", 19)


class AProcess(ProcessWatch):
    """Gives these sizes, and the last of them for ever."""

    def __init__(self, *sizes: int | None) -> None:
        self._sizes = list(sizes)
        self.asked: list[int | str | None] = []

    async def sample(self, *, rejections: int | None = None, warming: bool = False) -> int | None:
        self.asked.append("warming" if warming else rejections)
        return self._sizes.pop(0) if len(self._sizes) > 1 else self._sizes[0]


def look(world: World, process: AProcess | None) -> None:
    async def scenario(stage: BreakerStage) -> None:
        stage.process = process
        await memory(stage, PLAN)

    play(scenario, world, call_timeout=Duration.of_ms(300))


def test_memory_when_it_levels_then_five_windows_of_rejections_are_sampled():
    world, process = World(), AProcess(40 * MIB, 60 * MIB, 61 * MIB, 61 * MIB)
    look(world, process)
    assert process.asked == ["warming"] * 4 + [0] + [2_000] * 5
    assert world.phases() == [("memory", True, "")]
    assert len(world.sent("memory")) == 4 * 2_000 + 6 + 5 * 2_000
    assert world.in_force == []


def test_memory_when_it_never_levels_then_no_rejections_are_made():
    world = World()
    look(world, AProcess(*(n * 10 * MIB for n in range(1, 40))))
    assert world.phases() == [("memory", False, "memory never levelled under good calls")]


def test_memory_when_it_does_not_open_then_that_is_told():
    world = World(threshold=None)
    look(world, AProcess(MIB))
    assert world.phases() == [("memory", False, "it did not open")]


def test_memory_when_no_process_is_named_then_it_is_left_out():
    world = World()
    look(world, None)
    assert world.phases() == [("memory", False, "no process was named: breaker.process")]
