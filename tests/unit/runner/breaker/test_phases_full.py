"""What the full script has beside: bursts on a healthy downstream, silence, keys, a second outage, a share."""

from harness.model.units import Duration
from harness.runner.breaker import phases_full
from tests.support.breaker_stage import a_plan, play, seen
from tests.support.breaker_world import World

ms = Duration.of_ms
RATE = 50.0


def test_transparent_when_bursts_come_then_the_widest_is_told_and_all_of_them_are_late():
    world = World()
    plan = a_plan("transparent", 2, fault="latency", latency=ms(200), given={"bursts": [20, 20, 8]})
    play(lambda stage: phases_full.transparent(stage, plan), world)
    assert len(world.sent("transparent")) == 48 + 5
    assert world.given("transparent") == {"spread": ms(7).ns}
    assert seen(world)["transparent.latency"].hit == 48


def test_silent_trial_when_it_tripped_then_nobody_calls_until_it_is_due():
    world = World()
    play(lambda stage: phases_full.silent_trial(stage, a_plan("silent-trial", 7)), world)
    calls = world.sent("silent-trial")
    assert len(calls) == 6 + 21
    assert calls[6].sent - calls[5].sent >= ms(1_100)
    assert [each.status for each in world.ended[-21:]] == [200] * 21


def test_keys_when_the_first_has_tripped_then_both_are_called_in_turn():
    world = World()
    plan = a_plan("keys", 15, rate=RATE, hold=ms(500))
    play(lambda stage: phases_full.keys(stage, plan), world)
    circuits = [call.circuit for call in world.sent("keys")]
    assert circuits[:6] == ["a"] * 6
    assert circuits[6:] == ["a", "b"] * 25
    assert world.given("keys") == {"keys": ["a", "b"]}


def test_keys_when_the_first_does_not_open_then_that_is_told():
    world = World(threshold=None)
    plan = a_plan("keys", 15, rate=RATE, hold=ms(500))
    play(lambda stage: phases_full.keys(stage, plan), world)
    assert world.phases() == [("keys", False, "the circuit of the first key did not open")]


def test_second_outage_when_it_healed_between_then_both_outages_have_faults_of_their_own():
    world = World()
    plan = a_plan(
        "second-outage",
        17,
        fault="status",
        rate=300.0,
        calls=90,
        hold=ms(3_000),
        given={"good": 50, "recovery": ms(2_000).ns},
    )
    stage = play(lambda stage: phases_full.second_outage(stage, plan), world)
    found = world.given("second-outage")
    assert found["healed"][0] <= found["healed"][1] < found["second"]
    hits = {fault: told.hit for fault, told in seen(world).items()}
    assert hits["second-outage.second-status"] == 5
    assert hits["second-outage.status"] >= 5
    between = [
        call
        for call in stage.watch.seen
        if found["healed"][1] < call.sent.ns < found["second"] and call.good
    ]
    assert len(between) >= 50


def test_partial_when_a_share_fails_then_it_is_drawn_by_request():
    world = World()
    plan = a_plan("partial", 18, rate=RATE, hold=ms(2_000), given={"share": 0.3})
    play(lambda stage: phases_full.partial(stage, plan), world)
    ((step, _),) = world.applied
    assert (step.toxicity, step.per, step.seed) == (0.3, "request", 7)
    assert len(world.sent("partial")) == 100
