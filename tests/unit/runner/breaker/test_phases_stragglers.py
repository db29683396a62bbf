"""Stragglers: each part a phase of its own, with a call from before the trip that ends when it is to."""

from harness.model.units import Duration
from harness.runner.breaker.phases_stragglers import stragglers
from tests.support.breaker_stage import a_plan, entered, play
from tests.support.breaker_world import World

ms = Duration.of_ms
LATE = {"i": ms(500).ns, "ii": ms(800).ns, "iii": ms(1_600).ns}


def play_parts(world: World, *parts: str) -> None:
    plan = a_plan("stragglers", 16, given={"parts": list(parts), "late": LATE})
    play(lambda stage: stragglers(stage, plan), world)


def test_stragglers_when_there_are_three_parts_then_each_is_a_phase_of_its_name():
    world = World(timeout=Duration.of_s(60))
    play_parts(world, "i", "ii", "iii")
    assert [name for name, reached, _ in world.phases() if reached] == [
        "stragglers#1",
        "stragglers#2",
        "stragglers#3",
    ]
    assert [entered(world, f"stragglers#{n}").given["part"] for n in (1, 2, 3)] == [
        "i",
        "ii",
        "iii",
    ]
    assert world.in_force == []


def test_straggler_when_it_is_to_succeed_while_open_then_it_ends_so_late_and_ten_calls_follow():
    world = World(timeout=Duration.of_s(60))
    play_parts(world, "i")
    rid = world.given("stragglers")["straggler"]
    (came,) = [request for request in world.ended if request.rid == rid]
    assert came.ended is not None
    assert (came.status, came.end) == (200, "answered")
    assert ms(500) <= came.ended - came.arrived <= ms(510)
    behind = [call for call in world.sent("stragglers") if call.sent > came.ended]
    assert len(behind) == 10


def test_straggler_when_it_is_to_fail_then_the_load_goes_on_for_two_open_times():
    world = World(timeout=Duration.of_s(60))
    play_parts(world, "ii")
    rid = world.given("stragglers")["straggler"]
    (came,) = [request for request in world.ended if request.rid == rid]
    assert came.status == 500
    assert came.ended is not None
    calls = world.sent("stragglers")
    assert ms(1_900) <= calls[-1].sent - calls[6].sent <= ms(2_100)


def test_straggler_when_the_trial_hangs_then_both_are_named_and_it_ends_before_the_ten():
    world = World(timeout=Duration.of_s(60))
    play_parts(world, "iii")
    found = world.given("stragglers")
    assert found["trial"] not in (None, found["straggler"])
    (came,) = [request for request in world.ended if request.rid == found["straggler"]]
    assert came.ended is not None
    assert len([call for call in world.sent("stragglers") if call.sent > came.ended]) == 10


def test_stragglers_when_it_never_opens_then_no_part_was_reached():
    world = World(threshold=None, timeout=Duration.of_s(60))
    play_parts(world, "i", "iii")
    assert [reached for _, reached, _ in world.phases()] == [False, False]
    assert world.in_force == []
