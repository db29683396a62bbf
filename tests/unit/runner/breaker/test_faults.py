"""The faults of a phase: on our hop or on the foreign proxy behind it, and what the hop saw of each."""

from collections.abc import Sequence

import pytest

from harness.model.plan import FaultStep
from harness.model.units import Duration
from harness.runner.breaker.downstream import hanging_steps, phase_steps
from harness.runner.breaker.stage import BreakerStage
from harness.runner.clock import now
from tests.support.breaker_stage import a_plan, play, seen
from tests.support.breaker_world import BEHIND, HERE, World

ms = Duration.of_ms


def under(
    world: World, steps: Sequence[FaultStep], calls: int, *, healthy: int = 0
) -> BreakerStage:
    """So many healthy calls, and then others under the faults; all forwarded."""

    async def scenario(stage: BreakerStage) -> None:
        for _ in range(healthy):
            await stage.caller.call(phase="p")
        applied, since = await stage.apply(steps), now()
        for _ in range(calls):
            await stage.caller.call(phase="p")
        await stage.undo(applied, since=since)

    return play(scenario, world)


def test_undo_when_requests_came_then_those_that_bear_its_name_are_counted():
    world = World(threshold=None)
    under(world, phase_steps("bank", a_plan("outage", fault="status")), 3, healthy=2)
    told = seen(world)["outage-status.status"]
    assert (told.hit, told.messages, told.unseen) == (3, 3, "")
    assert told.summary == "acted on 3 requests"
    assert world.in_force == []


def test_undo_when_it_was_for_the_first_request_then_the_others_are_none_of_its():
    world = World(threshold=None)
    under(world, hanging_steps("bank", a_plan("hung-trial"), "hang", first=1), 3)
    told = seen(world)["hung-trial.hang"]
    assert (told.hit, told.messages, told.summary) == (1, 3, "acted on 1 request")


def test_undo_when_the_service_sent_nothing_then_that_is_said():
    world = World(threshold=None)
    under(world, phase_steps("bank", a_plan("outage", fault="status")), 0, healthy=2)
    told = seen(world)["outage-status.status"]
    assert told.hit == 0
    assert "did not ask the downstream" in told.unseen
    assert told.summary == told.unseen


def test_undo_when_requests_passed_and_none_was_hit_then_there_is_no_excuse():
    world = World(threshold=None, ignores_faults=True)
    under(world, phase_steps("bank", a_plan("outage", fault="status")), 3)
    told = seen(world)["outage-status.status"]
    assert (told.hit, told.messages, told.unseen) == (0, 3, "")


def test_undo_when_a_port_was_closed_then_nobody_could_see_who_met_it():
    world = World(threshold=None)
    under(world, phase_steps("bank", a_plan("outage", fault="refuse")), 0)
    assert "closed port" in seen(world)["outage-refuse.refuse"].unseen


@pytest.mark.parametrize("kind", ["latency", "reset", "blackhole"])
def test_apply_when_a_foreign_proxy_is_behind_then_what_all_suffer_is_its_and_seen_by_its_trace(
    kind: str,
):
    world = World(threshold=None, foreign=True)
    plan = a_plan("outage", fault=kind, latency=ms(200 if kind == "latency" else 0))
    under(world, phase_steps("bank", plan), 3, healthy=2)
    ((step, hop),) = world.applied
    assert (hop, step.per) == (BEHIND, None)
    told = seen(world)[f"outage-{kind}.{kind}"]
    assert (told.hit, told.messages) == (3, 3)


def test_apply_when_a_foreign_proxy_is_behind_then_what_tells_requests_apart_stays_on_ours():
    world = World(threshold=None, foreign=True)
    status = phase_steps("bank", a_plan("outage", fault="status", latency=ms(200)))
    under(world, status, 1)
    under(world, hanging_steps("bank", a_plan("hung-trial"), "hang", first=1), 1)
    assert [hop for _, hop in world.applied] == [HERE] * 3
    assert [told.hit for told in seen(world).values()] == [1, 1, 1]
