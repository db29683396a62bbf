"""Calls one after the other, a letter for each: under the fault that it stands for, with the script's pauses."""

from harness.model.breaker_script import PhaseName
from harness.model.events import OperationReturned
from harness.model.units import Duration
from harness.runner.breaker.phases_patterns import pattern
from tests.support.breaker_stage import a_plan, play, seen
from tests.support.breaker_world import World

ms = Duration.of_ms


def written(name: PhaseName, letters: str, world: World, **given: object) -> str:
    """What was really written of the pattern."""
    plan = a_plan(name, 3, given={"pattern": list(letters), **given})
    play(lambda stage: pattern(stage, plan), world)
    return "".join(world.given(name)["pattern"])


def statuses(world: World, name: str) -> list[int | None]:
    rids = {call.rid: None for call in world.sent(name)}
    by_rid = {request.rid: request.status for request in world.ended if request.rid in rids}
    return list(by_rid.values())


def test_below_when_failures_stay_under_the_threshold_then_all_of_it_is_written():
    world = World()
    assert written("below", "FFFFS" * 2, world) == "FFFFS" * 2
    assert statuses(world, "below") == [500, 500, 500, 500, 200] * 2
    assert sorted(told.hit for told in seen(world).values()) == [4, 4]
    assert world.in_force == []


def test_below_when_the_script_pauses_then_nobody_calls_meanwhile():
    world = World()
    written("below", "FFS", world, pauses={"0": ms(700).ns, "2": ms(400).ns})
    calls = world.sent("below")
    assert calls[1].sent - calls[0].sent < ms(50)
    assert ms(400) <= calls[2].sent - calls[1].sent < ms(450)


def test_below_when_it_opens_all_the_same_then_the_rest_is_written_too():
    world = World(threshold=2)
    assert written("below", "FFFF", world) == "FFFF"
    assert statuses(world, "below") == [500, 500]


def test_departures_when_a_caller_leaves_then_it_is_named_and_the_first_rejection_ends_it():
    world = World()
    plan_given = {"leaves": ms(100).ns}
    assert written("departures", "FFFF" + "L" + "F" * 12, world, **plan_given) == "FFFFLR"
    (left,) = [each for each in world.of(OperationReturned) if each.how == "left"]
    (rid,) = world.given("departures")["left"]
    assert [call.op for call in world.sent("departures") if call.rid == rid] == [left.op]


def test_ignored_when_answers_are_of_that_status_then_they_are_made_so():
    world = World(threshold=20)
    assert written("ignored", "IIS", world, ignored_status=404) == "IIS"
    assert statuses(world, "ignored") == [404, 404, 200]
