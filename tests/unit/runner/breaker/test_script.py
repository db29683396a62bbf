"""The whole script, played in virtual time: in order, derived anew from what was learnt, or cut short."""

import pytest

from harness.experiment.breaker_script import derive
from harness.model.breaker import BreakerPlan
from harness.model.events import PhaseLeft
from harness.model.units import Duration
from harness.runner.breaker.script import play_script
from harness.runner.breaker.stage import BreakerStage
from tests.support.breaker_stage import play
from tests.support.breaker_world import World


def run(world: World, **declared: object) -> tuple[list[str], BreakerStage]:
    said: list[str] = []

    async def scenario(stage: BreakerStage) -> None:
        said.extend([during async for during in play_script(stage)])

    return said, play(scenario, world, **declared)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["quick", "full"])
def test_script_when_a_breaker_is_sound_then_every_phase_is_reached_and_nothing_is_left(
    script: str,
):
    world = World()
    _, stage = run(world, script=script)
    planned = [phase.id for phase in stage.script.phases if phase.name != "stragglers"]
    played = [name for name, *_ in world.phases() if not name.startswith("stragglers")]
    assert played == planned
    assert [(name, why) for name, reached, why in world.phases() if not reached] == []
    assert world.in_force == []
    assert world.observing[-1] is None


@pytest.mark.slow
def test_script_when_nothing_is_declared_then_it_is_found_and_the_phases_behind_go_by_it():
    world = World(threshold=7, open_for=Duration.of_ms(2_000))
    _, stage = run(world, threshold=None, open=None)
    assert stage.learnt.threshold == 7
    assert stage.learnt.open is not None
    assert abs(stage.learnt.open.in_ms - 2_000) < 60
    assert [(name, why) for name, reached, why in world.phases() if not reached] == []
    assert len({left.phase for left in world.of(PhaseLeft)}) == len(world.of(PhaseLeft))


@pytest.mark.slow
def test_script_when_there_is_no_breaker_then_what_needs_a_trip_says_so():
    world = World(threshold=None)
    run(world)
    whys = {name: why for name, reached, why in world.phases() if not reached}
    assert set(whys) == {"burst-good", "burst-bad", "hung-trial"}
    assert all("did not open in 30 failing calls" in why for why in whys.values())
    assert world.in_force == []


def test_script_when_the_baseline_cannot_be_joined_then_it_is_over_at_once():
    world = World(joined=False)
    said, stage = run(world)
    assert said == ["phase baseline"]
    names = [phase.id for phase in stage.script.phases]
    assert [name for name, *_ in world.phases()] == names
    assert {why for name, _, why in world.phases() if name != "baseline"} == {stage.barred}
    assert {call.phase for call in world.sent("baseline")} == {"baseline"}
    assert sum(len(world.sent(name)) for name in names) == len(world.sent("baseline"))


def test_script_when_an_outage_comes_then_its_healing_is_played_with_it():
    said, _ = run(World(), phases=("outage",))
    assert "phase outage-status" in said
    assert not any("heal" in each for each in said)
    script = derive(BreakerPlan(calls="a", behind="b", threshold=5))
    assert any(phase.name == "heal" for phase in script.phases)
