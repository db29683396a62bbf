"""How a phase comes to its start: closed, tripped, or silent; and what says that it does not."""

from harness.model.breaker import OpenTime
from harness.model.units import Duration
from harness.runner.breaker.downstream import failing_steps
from harness.runner.breaker.stage import BreakerStage, Open
from harness.runner.breaker.starts import (
    most_failing,
    reach_closed,
    silence_until,
    trip,
    tripped_by,
)
from harness.runner.clock import now
from tests.support.breaker_stage import a_plan, entered, play
from tests.support.breaker_world import World

ms = Duration.of_ms
PLAN = a_plan("burst-good")


async def fail(stage: BreakerStage) -> Open:
    """A phase in which everything fails from now on."""
    phase = stage.enter(PLAN)
    await stage.apply(failing_steps("bank", PLAN, "trip"))
    return phase


def test_reach_closed_when_all_is_well_then_twenty_good_calls_are_enough():
    world, said = World(), []

    async def scenario(stage: BreakerStage) -> None:
        said.append(await reach_closed(stage, PLAN))

    play(scenario, world)
    assert said == [""]
    assert entered(world, "before-burst-good").number == 0
    assert 20 <= len(world.sent("before-burst-good")) <= 25


def test_reach_closed_when_it_is_open_then_it_waits_and_the_open_time_is_found_on_the_way():
    world, said = World(open_for=ms(2_000)), []

    async def scenario(stage: BreakerStage) -> None:
        phase = stage.enter(PLAN)
        await tripped_by(stage, phase, failing_steps("bank", PLAN, "trip"), at_most=30)
        await stage.leave(phase)
        said.append(await reach_closed(stage, PLAN))
        assert stage.tripped is None

    stage = play(scenario, world, open=None)
    assert said == [""]
    assert stage.learnt.open is not None
    assert ms(1_980) <= stage.learnt.open <= ms(2_030)


def test_reach_closed_when_it_never_comes_then_it_says_so_within_three_open_times_and_ten_s():
    said: list[str] = []

    async def scenario(stage: BreakerStage) -> None:
        await fail(stage)
        began = now()
        said.append(await reach_closed(stage, PLAN))
        assert now() - began < Duration.of_s(14)

    play(scenario, World(), open=OpenTime(first=ms(1_000)))
    assert said == ["no 20 good calls in a row within 13s"]


def test_trip_when_failures_reach_the_threshold_then_it_opened_with_the_last_of_them():
    world = World(threshold=5)

    async def scenario(stage: BreakerStage) -> None:
        phase = await fail(stage)
        tau = await trip(stage, phase, at_most=30)
        assert tau is not None
        assert tau == stage.tripped
        assert tau == stage.watch.seen[4].ended

    play(scenario, world)
    assert len(world.sent("burst-good")) == 6


def test_trip_when_there_are_four_breakers_then_each_of_them_must_be_open():
    world = World(threshold=5, breakers=4)

    async def scenario(stage: BreakerStage) -> None:
        phase = await fail(stage)
        assert most_failing(stage) == 4 * 5 + 25
        assert await trip(stage, phase, at_most=most_failing(stage)) is not None
        assert stage.tripped == stage.watch.seen[19].ended

    play(scenario, world, instances=4)
    assert len(world.sent("burst-good")) == 24


def test_tripped_when_nothing_opens_then_the_phase_was_not_reached_and_the_fault_is_gone():
    world = World(threshold=None)

    async def scenario(stage: BreakerStage) -> None:
        phase = stage.enter(PLAN)
        steps = failing_steps("bank", PLAN, "trip")
        assert await tripped_by(stage, phase, steps, at_most=30) is None
        assert not phase.reached
        assert "30 failing calls" in phase.why

    play(scenario, world)
    assert world.in_force == []
    assert len(world.sent("burst-good")) == 30


def test_silence_when_its_end_is_past_then_nobody_waits():
    async def scenario(stage: BreakerStage) -> None:
        began = now()
        await silence_until(began + ms(250))
        assert ms(249) <= now() - began <= ms(251)
        await silence_until(began)
        assert now() - began <= ms(251)

    play(scenario, World())
