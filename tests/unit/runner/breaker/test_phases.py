"""The quick script's phases on a service that keeps its breaker, and on some that have none."""

from itertools import pairwise

from harness.model.breaker_script import ScriptPhase
from harness.model.events import OperationReturned
from harness.model.units import Duration
from harness.runner.breaker import phases
from tests.support.breaker_stage import a_plan, entered, play, seen
from tests.support.breaker_world import World

ms = Duration.of_ms
RATE = 50.0


def test_baseline_when_all_arrive_once_then_what_a_call_takes_is_learnt():
    world = World()
    stage = play(
        lambda stage: phases.baseline(stage, a_plan("baseline", calls=50, rate=RATE)), world
    )
    assert len(world.sent("baseline")) == 50
    assert stage.learnt.latency == ms(3)
    assert stage.barred == ""


def test_baseline_when_ids_are_not_passed_on_then_nothing_more_can_be_learnt():
    plan = a_plan("baseline", calls=50, rate=RATE)
    stage = play(lambda stage: phases.baseline(stage, plan), World(joined=False))
    assert stage.barred == "50 of 50 calls of the baseline had not one arrival each"


def test_baseline_when_nobody_answers_then_nothing_more_can_be_learnt():
    plan = a_plan("baseline", calls=5, rate=RATE)
    world = World(answers=False)
    stage = play(lambda stage: phases.baseline(stage, plan), world)
    assert stage.barred == "no call of the baseline was answered"


def test_warm_up_when_calls_are_alike_then_it_is_over_after_five_seconds():
    world = World()
    play(lambda stage: phases.warm_up(stage, a_plan("warm-up", rate=20.0)), world)
    assert 95 <= len(world.sent("warm-up")) <= 105


def trip_plan(**fields: object) -> ScriptPhase:
    return a_plan("exact-trip", fault="status", calls=30, load="sequential", **fields)


def test_exact_trip_when_it_opens_then_the_first_rejection_ends_it_and_the_count_is_learnt():
    world = World(threshold=7)
    stage = play(lambda stage: phases.exact_trip(stage, trip_plan()), world, threshold=None)
    assert len(world.sent("exact-trip")) == 8
    assert stage.learnt.threshold == 7
    assert seen(world)["exact-trip.status"].hit == 7
    assert world.in_force == []


def test_exact_trip_when_there_are_four_then_what_is_learnt_is_each_one_s_share():
    world = World(threshold=7, breakers=4)
    plan = trip_plan()
    stage = play(lambda s: phases.exact_trip(s, plan), world, threshold=None, instances=4)
    assert stage.learnt.threshold is None  # 30 calls do not open four of seven
    plan = a_plan("exact-trip", fault="status", calls=60)
    world = World(threshold=7, breakers=4)
    stage = play(lambda s: phases.exact_trip(s, plan), world, threshold=None, instances=4)
    assert stage.learnt.threshold == 7


def test_exact_trip_when_nothing_opens_then_the_plan_s_calls_are_its_end():
    world = World(threshold=None)
    stage = play(lambda stage: phases.exact_trip(stage, trip_plan()), world, threshold=None)
    assert len(world.sent("exact-trip")) == 30
    assert stage.learnt.threshold is None
    assert world.phases() == [("exact-trip", True, "")]


OUTAGE = a_plan("outage", fault="status", rate=RATE, hold=ms(2_500))
HEAL = a_plan("heal", 6, rate=RATE, calls=100)


def test_outage_when_it_opens_then_the_fault_holds_from_then_and_the_load_goes_on_while_it_heals():
    world = World(open_for=ms(800))
    stage = play(lambda stage: phases.outage(stage, OUTAGE, HEAL), world, open=None)
    assert [name for name, *_ in world.phases()] == ["outage-status", "heal"]
    times = [call.sent.ns / 1e6 for call in (*world.sent("outage-status"), *world.sent("heal"))]
    assert max(b - a for a, b in pairwise(times)) < 50
    assert stage.tripped is not None
    assert 2_470 <= times[-101] - stage.tripped.ns / 1e6 <= 2_500
    assert stage.learnt.open is not None
    assert ms(790) <= stage.learnt.open <= ms(830)
    healed = world.given("heal")["healed"]
    assert healed[0] < healed[1]
    assert stage.watch.good_in_a_row(0) > 20


def test_outage_when_it_never_opens_then_the_plan_s_time_is_its_end():
    world = World(threshold=None)
    play(lambda stage: phases.outage(stage, OUTAGE, None), world)
    sent = world.sent("outage-status")
    assert len(sent) == round(20 * RATE)
    assert seen(world)["outage-status.status"].hit == len(sent)


def test_outage_when_it_cannot_begin_then_its_healing_does_not_either():
    world = World(joined=False)
    play(lambda stage: phases.outage(stage, OUTAGE, HEAL), world)
    why = "no 20 good calls in a row within 13s"
    assert world.phases() == [("outage-status", False, why), ("heal", False, why)]


def a_burst(name: str) -> ScriptPhase:
    more = {"fault": "latency"} if name == "burst-good" else {"fault": "status", "hold": ms(1_000)}
    return a_plan(name, 8, callers=100, latency=ms(200), rate=RATE, **more)  # type: ignore[arg-type]  # one of the names


def test_burst_when_a_trial_is_due_then_all_call_at_once_and_one_gets_through():
    world = World()
    stage = play(lambda stage: phases.trial_burst(stage, a_burst("burst-good")), world)
    assert world.phases() == [("burst-good", True, "")]
    calls = world.sent("burst-good")
    burst = calls[6:]
    assert len(burst) == 100
    assert burst[0].sent - calls[4].sent >= ms(1_200)
    assert world.given("burst-good") == {"spread": ms(7).ns}
    assert stage.learnt.spread == ms(7)
    assert seen(world)["burst-good.latency"].hit == 1


def test_burst_when_the_trial_fails_then_calls_go_on_for_an_open_time():
    world = World()
    play(lambda stage: phases.trial_burst(stage, a_burst("burst-bad")), world)
    assert len(world.sent("burst-bad")) == 6 + 100 + 50
    assert {fault: told.hit for fault, told in seen(world).items()} == {
        "burst-bad.trip": 5,
        "burst-bad.status": 1,
        "burst-bad.latency": 1,
    }


def test_burst_when_it_never_opens_then_there_is_none_and_the_reason_is_told():
    world = World(threshold=None)
    play(lambda stage: phases.trial_burst(stage, a_burst("burst-good")), world)
    ((name, reached, why),) = world.phases()
    assert (name, reached) == ("burst-good", False)
    assert "did not open in 30 failing calls" in why
    assert len(world.sent("burst-good")) == 30


def hang(name: str, **given: object) -> ScriptPhase:
    return a_plan(name, 10, fault="blackhole", rate=20.0, hold=ms(3_000), given=given)  # type: ignore[arg-type]  # one of the names


def test_hung_trial_when_one_gets_no_answer_then_it_is_named_and_the_others_would():
    world = World()
    play(lambda stage: phases.hung_trial(stage, hang("hung-trial")), world)
    assert world.phases() == [("hung-trial", True, "")]
    calls = world.sent("hung-trial")
    assert world.given("hung-trial")["trial"] == calls[6].rid
    assert len(calls) == 6 + 1 + 60
    assert seen(world)["hung-trial.blackhole"].hit == 1


def test_departing_trial_when_its_caller_leaves_then_it_does_so_before_the_time_out():
    world = World(timeout=Duration.of_s(60))
    play(lambda stage: phases.hung_trial(stage, hang("departing-trial", leaves=ms(150).ns)), world)
    (left,) = [event for event in returned(world) if event.how == "left"]
    trial = world.given("departing-trial")["trial"]
    (sent,) = [call for call in world.sent("departing-trial") if call.rid == trial]
    assert left.op == sent.op
    assert ms(150) <= left.last - sent.sent <= ms(160)


def test_slow_when_it_holds_then_all_of_it_is_late_and_what_is_pending_is_waited_for():
    world = World(threshold=None, timeout=Duration.of_s(60))
    plan = a_plan("slow", 12, fault="latency", latency=ms(900), rate=RATE, hold=ms(2_000))
    play(lambda stage: phases.slow(stage, plan), world)
    assert len(world.sent("slow")) == 100
    assert seen(world)["slow.latency"].hit == 100
    assert len([event for event in returned(world) if event.phase == "slow"]) == 100
    assert entered(world, "slow").latency == ms(900)


def returned(world: World) -> list[OperationReturned]:
    return world.of(OperationReturned)
