"""What a call was, and when nothing may be said: C-14 to C-20 and C-60 to C-65."""

import pytest

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story


def outage(**declared):
    story = Story(**declared)
    story.phase(5, "outage", fault="status")
    return story


def joined(known, rid):
    return next(one for one in known.calls if one.call.rid == rid)


@case("C-14")
def test_answer_503_when_the_downstream_gave_it_then_is_a_failure():
    story = outage()
    rid = story.call("F", status=503, answer="rejection", arrival_status=503)
    found = joined(story.known(), rid)
    assert found.cls == "forwarded-failed"
    assert not found.rejected


@case("C-15")
def test_answer_200_when_nothing_arrived_and_a_fallback_is_declared_then_is_short_circuited():
    story = outage(fallback={"status": 200})
    rid = story.call("B")
    found = joined(story.known(), rid)
    assert found.cls == "short-circuited"
    assert found.call.answer == "fallback"
    assert found.flags == frozenset()


@case("C-16")
def test_run_when_baseline_calls_never_arrive_then_nothing_is_judged():
    story = Story()
    story.baseline(176)
    story.write("24B", every=10)
    story.phase(5, "outage", fault="status")
    story.write("5F 60R", every=10)
    result = story.result()
    assert result.verdict == "inconclusive"
    assert {one.verdict for one in result.invariants} <= {"inconclusive", "not-applicable"}
    trips = next(one for one in result.invariants if one.id == "BRK-01")
    assert "12 % of baseline calls never reached the downstream" in trips.summary


@case("C-17")
def test_rejection_when_the_bulkhead_is_full_then_is_no_evidence_of_an_open_state():
    story = Story(bulkhead=20)
    story.baseline(200)
    start = story.at
    for index in range(20):
        story.call("S", at=start + index * 0.1, lasts=100)
    rid = story.call("R", at=start + 10)
    known = story.known()
    found = joined(known, rid)
    assert found.cls == "short-circuited"
    assert "maybe-bulkhead" in found.flags
    assert not found.rejected
    assert known.barred == ""
    assert known.outages == known.unexplained == []


@case("C-18")
def test_call_when_reset_before_the_service_then_is_unknown():
    story = outage()
    rid = story.call("U")
    assert joined(story.known(), rid).cls == "unknown"


@case("C-19")
def test_open_state_when_a_stray_arrives_then_is_not_held_and_not_violated():
    story = outage()
    story.write("5F 70R", every=10)
    story.stray(at=400)
    found = story.judge("BRK-04")
    assert found.verdict == "inconclusive"
    assert "stray" in found.summary


@case("C-20")
def test_repeat_when_the_first_was_cut_without_a_byte_then_is_the_clients_own():
    story = Story(attempts=1)
    story.phase(5, "outage", fault="reset")
    for at in range(0, 50, 10):
        # On a fresh connection, 3 after the cut; and cut again.
        first = {"at": at + 1, "ended": at + 2, "end": "cut", "status": None}
        again = {"at": at + 5, "ended": at + 6, "end": "cut", "status": None}
        story.call("X", at=at, answered=at + 8, arrivals=[first, again])
    story.now += 50
    story.write("60R", every=10)
    story.phase(18, "partial", fault="reset", given={"share": 0.3})
    for _ in range(60):
        at = story.at
        first = {"at": at + 1, "ended": at + 2, "end": "cut", "status": None}
        again = {"at": at + 5, "ended": at + 6, "status": 200}
        story.call("S", at=at, answered=at + 8, arrivals=[first, again])
        story.write("3S")
    known = story.known()
    assert [(one.attempts, one.transport_retries) for one in known.calls[200:205]] == [(1, 1)] * 5
    assert known.outages[0].threshold == 5
    assert [one.call.rid for one in known.outages[0].because] == [
        f"r{number:05}" for number in range(201, 206)
    ]
    found = story.judge("BRK-23")
    assert found.verdict == "held", found
    assert "2.00" in " ".join([found.summary, *found.notes])


@case("C-60")
def test_phase_when_60_of_100_planned_calls_were_sent_then_holds_nothing():
    story = Story()
    story.phase(5, "outage", fault="status", planned=165, rate=100)
    story.write("5F 60R", every=10)
    story.phase(6, "heal")
    for number in ("BRK-01", "BRK-03", "BRK-04", "BRK-05", "BRK-26"):
        found = story.judge(number)
        assert found.verdict in ("inconclusive", "not-applicable"), found
    trips = story.judge("BRK-01")
    assert trips.verdict == "inconclusive"
    assert "65 of 165 planned calls" in trips.summary


@case("C-61")
@pytest.mark.parametrize(("apart", "leaks"), [(0, True), (40, False)])
def test_leak_when_the_clocks_are_as_far_apart_then_is_none(apart, leaks):
    """Trip and leak are 30 apart, the clocks of the two machines 40."""
    story = outage(uncertainty=apart)
    story.write("FFFFF R")
    story.call("S", at=25 + 30)
    story.now += 10
    story.write("80R", every=10)
    assert (story.judge("BRK-04").verdict == "violated") == leaks


@case("C-62")
def test_run_when_an_arrival_comes_before_its_sending_then_is_an_error():
    story = outage()
    rid = story.call("F", at=10, arrivals=[{"at": 9, "ended": 14}])
    result = story.result()
    assert result.error is not None
    assert "clock" in result.error
    assert f"{rid} arrived at the hop 1.000 ms before it was sent" in result.error
    assert result.invariants == ()


@case("C-63")
@pytest.mark.parametrize(("instances", "verdict"), [(4, "held"), (1, "violated")])
def test_instances_when_declared_then_widen_what_one_may_do(instances, verdict):
    # A phase for each question: the overshoot under load, and the trials of a burst.
    story = Story(instances=instances)
    story.phase(5, "outage", fault="status", latency=200)
    story.write("20F", every=10, lasts=200)
    story.write("20F 100R", every=10, lasts=200)
    for number in range(1, 6):
        story.phase(8, "burst-good", round=number)
        story.write("20F R")
        story.silence(1200)
        story.burst(100, spread=10, outcomes="4S 96R", lasts={"S": 400})
        story.silence(500)
        story.write("25S", every=10)
    assert story.judge("BRK-08").verdict == verdict
    assert story.judge("BRK-03").verdict == verdict
    # One instance that rejects late has tripped all the same; how late is the overshoot's question.
    assert story.judge("BRK-01").verdict == "held"


@case("C-64")
def test_retries_when_around_the_breaker_then_each_attempt_is_a_call_of_it():
    story = Story(attempts=3, around="breaker")
    story.phase(5, "outage", fault="status")
    for at, tries in ((0, 3), (40, 2)):
        each = [
            {"at": at + 1 + 10 * number, "ended": at + 4 + 10 * number} for number in range(tries)
        ]
        # The second call's third attempt is refused by the breaker.
        story.call("F", at=at, answered=at + 31, status=503, arrivals=each)
    story.now += 80
    story.write("60R", every=10)
    assert story.judge("BRK-01").verdict == "held"
    trip = story.known().outages[0]
    assert trip.threshold == 5
    assert [one.call.rid for one in trip.because] == ["r00201", "r00202"]


@case("C-65")
def test_open_state_when_the_log_has_a_gap_then_is_never_held():
    story = outage()
    story.write("5F 80R", every=10)
    story.gap(300, 320)
    found = story.judge("BRK-04")
    assert found.verdict == "inconclusive", found
