"""What phases share: a phase's events, looking at the hop meanwhile, what was learnt, who died."""

import asyncio

import pytest

from harness.model.breaker import OpenTime
from harness.model.errors import TargetError
from harness.model.events import HopRead, LoopLagged, PhaseEntered, PhaseLeft
from harness.model.units import Duration, Instant
from harness.runner.breaker.downstream import hanging_steps, phase_steps
from harness.runner.breaker.stage import BreakerStage
from harness.runner.clock import now
from tests.support import virtual_time
from tests.support.breaker_stage import a_plan, a_stage, entered, play
from tests.support.breaker_world import World

ms = Duration.of_ms


def test_leave_when_a_phase_ends_then_its_log_is_read_under_its_name_before_it_is_left():
    world = World()

    async def scenario(stage: BreakerStage) -> None:
        phase = stage.enter(a_plan("baseline", rate=50.0, calls=3, given={"a": 1}), b=2)
        assert stage.current == "baseline"
        await stage.caller.open(phase=phase.id, rate=50.0, calls=3)
        phase.found["c"] = 3
        await stage.leave(phase)
        assert stage.current == ""

    play(scenario, world)
    kinds = (PhaseEntered, HopRead, PhaseLeft)
    assert [type(e) for e in world.events if isinstance(e, kinds)] == list(kinds)
    assert entered(world, "baseline").given == {"a": 1, "b": 2}
    assert entered(world, "baseline").rate == 50.0
    assert world.given("baseline") == {"c": 3}
    assert [event.requests for event in world.of(HopRead)] == [3]
    assert {event.where for event in world.of(LoopLagged)} == {"hop", "callers"}


def test_leave_when_calls_are_in_flight_then_they_are_given_up_in_the_end():
    world = World(timeout=Duration.of_s(3600))

    async def scenario(stage: BreakerStage) -> None:
        phase = stage.enter(a_plan("slow", fault="blackhole"))
        phase.applied += await stage.apply(hanging_steps("bank", phase.plan, "hang"))
        stage.background(stage.caller.call(phase=phase.id))
        began = now()
        await stage.leave(phase)
        assert now() - began < Duration.of_s(10)

    play(scenario, world)
    assert world.in_force == []


def test_looking_when_the_service_dies_then_the_block_is_cut_short():
    world = World()

    async def scenario(stage: BreakerStage) -> Instant:
        try:
            async with stage.on(), stage.looking():
                await stage.caller.open(phase="p", rate=50.0, calls=10)
                world.gone = TargetError("service app", "ended by itself")
                await stage.caller.open(phase="p", rate=50.0, lasts=Duration.of_s(300))
        finally:
            ended.append(now())
        return now()

    ended: list[Instant] = []

    async def whole() -> Instant:
        return await scenario(a_stage(world))

    with pytest.raises(ExceptionGroup) as raised:
        virtual_time.run(whole())
    assert raised.value.subgroup(TargetError) is not None
    assert ended[0] < Instant.of_ns(1_000_000_000)


def test_looking_when_it_is_cancelled_then_nothing_goes_on():
    world = World()

    async def whole() -> None:
        stage = a_stage(world)

        async def phase() -> None:
            async with stage.looking():
                await asyncio.Event().wait()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(phase())
            await stage.caller.open(phase="p", rate=50.0, calls=5)
            task.cancel()
        assert task.cancelled()
        assert [each for each in asyncio.all_tasks() if each.get_name() == "look at the hop"] == []

    virtual_time.run(whole())


def test_enter_when_the_service_is_dead_then_no_phase_begins():
    world = World(gone=TargetError("service app", "ended by itself"))

    async def scenario(stage: BreakerStage) -> None:
        stage.enter(a_plan("baseline"))

    with pytest.raises(TargetError):
        play(scenario, world)
    assert world.of(PhaseEntered) == []


def test_skip_when_a_phase_cannot_begin_then_it_is_told_with_the_reason():
    world = World()

    async def scenario(stage: BreakerStage) -> None:
        stage.skip(a_plan("slow"), "no reason")

    play(scenario, world)
    assert world.phases() == [("slow", False, "no reason")]


def test_due_when_the_open_time_is_unknown_then_the_phase_is_not_reached():
    world = World()

    async def scenario(stage: BreakerStage) -> None:
        phase = stage.enter(a_plan("burst-good"))
        assert stage.due(phase, None, wait=1.2) is None
        assert phase.reached
        assert stage.due(phase, now(), wait=1.2) is None
        assert not phase.reached

    play(scenario, world, open=None)


@pytest.mark.parametrize(("opened", "silence"), [(1_000, 1_300), (4_000, 4_800)])
def test_due_when_the_open_time_is_short_then_there_is_still_a_silence_behind_it(
    opened: int, silence: int
):
    async def scenario(stage: BreakerStage) -> None:
        phase = stage.enter(a_plan("burst-good"))
        tau = now()
        due = stage.due(phase, tau, wait=1.2)
        assert due is not None
        assert due - tau == ms(silence)

    play(scenario, World(), open=OpenTime(first=ms(opened)))


def test_learn_open_when_it_let_a_call_through_again_then_that_is_how_long_it_was_open():
    world = World(open_for=ms(700))

    async def scenario(stage: BreakerStage) -> None:
        phase = stage.enter(a_plan("outage"))
        applied = await stage.apply(phase_steps("bank", a_plan("outage", fault="status")))
        async with stage.looking():
            await stage.caller.open(phase=phase.id, rate=100.0, lasts=ms(500))
            stage.tripped = stage.watch.trip(phase.mark)
            await stage.undo(applied, since=phase.entered)
            before = stage.watch.mark
            await stage.caller.open(phase=phase.id, rate=100.0, lasts=ms(1_000))
            await stage.drain()
        # Asked from a place where the trip itself is not seen any more.
        stage.learn_open(before)

    stage = play(scenario, world, open=None)
    assert stage.learnt.open is not None
    assert ms(690) <= stage.learnt.open <= ms(720)


def test_learn_open_when_it_is_declared_then_nothing_is_learnt():
    async def scenario(stage: BreakerStage) -> None:
        stage.learn_open(0)

    stage = play(scenario, World())
    assert stage.learnt.open is None
    assert stage.open_time == ms(1_000)


def test_drawn_when_a_share_is_asked_for_then_it_is_drawn_for_each_request_from_the_seed():
    async def scenario(stage: BreakerStage) -> None:
        (step,) = phase_steps("bank", a_plan("partial", fault="status"))
        drawn = stage.drawn(step, 0.3)
        assert (drawn.toxicity, drawn.per, drawn.seed) == (0.3, "request", 7)

    play(scenario, World())


def test_until_arrived_when_nothing_comes_then_it_is_given_up():
    async def scenario(stage: BreakerStage) -> None:
        began = now()
        await stage.until_arrived(began)
        assert ms(1_000) <= now() - began < ms(1_100)

    play(scenario, World())
