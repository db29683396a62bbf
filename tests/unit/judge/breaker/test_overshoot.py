from harness.judge.breaker.known import MS
from harness.judge.breaker.overshoot import (
    instances,
    load_in_flight,
    most_in_flight,
    overshoot,
    shown,
    threshold_declared,
    undeclared_bound,
)
from harness.judge.breaker.stretches import Circuits
from tests.support.breaker_histories import Story


def outage(failing, *, then="60R", lasts=200, **declared):
    story = Story(baseline=0, **declared)
    story.phase(5, "outage", fault="status")
    story.write(f"{failing}F", every=10, lasts=lasts)
    story.write(then, every=10)
    story.silence(lasts)
    return story.known()


def trip_of(known, *, since=0):
    return overshoot(known, Circuits(known), known.outages[0], since=since, until=None)


def test_overshoot_when_calls_overlap_then_counts_those_under_way_at_the_trip():
    trip = trip_of(outage(25))
    assert len(trip.forwarded) == 25
    assert (trip.bound.failures, trip.bound.in_flight) == (5, 20)
    assert not trip.broken
    assert trip.words == "5 + 20 in flight (λ 100/s × 0.20 s)"


def test_overshoot_when_calls_go_through_after_the_certain_trip_then_they_are_the_late_ones():
    trip = trip_of(outage(30))
    assert trip.broken
    assert len(trip.late) == 5


def test_overshoot_when_the_fault_began_later_then_earlier_calls_do_not_count():
    known = outage(25)
    assert len(trip_of(known, since=100 * MS).forwarded) == 15


def test_overshoot_when_nothing_was_rejected_then_it_never_showed():
    known = outage(40, then="")
    assert shown(known.outages[0], 7) == 7
    assert len(trip_of(known).forwarded) == 40


def test_overshoot_when_it_was_rejected_then_it_showed_with_the_answer():
    known = outage(25)
    rejection = known.outages[0].first_rejection.call
    assert shown(known.outages[0], None) == rejection.ended


def test_bound_when_several_denominators_may_be_meant_then_the_tightest_that_fits_is_named():
    declared = {
        "threshold": None,
        "share": 0.5,
        "kind": "time-window",
        "window": 10_000,
        "opens": "above",
        "minimum": 5,
    }
    assert trip_of(outage(25, **declared)).fitting.name == "settled"
    assert trip_of(outage(42, **declared)).fitting.name == "admitted"
    assert trip_of(outage(50, **declared)).broken


def test_bound_when_calls_are_in_flight_then_lambda_is_rounded_up_and_one_more():
    view = outage(25).phases_of(5)[0]
    assert 19 < load_in_flight(view) <= 20
    assert most_in_flight(view) == 21
    assert undeclared_bound(5, view) == 26
    assert undeclared_bound(30, view) == 60


def test_bound_when_instances_are_declared_then_each_takes_its_failures():
    known = outage(25, instances=3)
    assert instances(known) == 3
    assert trip_of(known).bound.failures >= 15


def test_threshold_when_nothing_is_declared_then_says_so():
    assert threshold_declared(outage(25))
    assert not threshold_declared(outage(25, threshold=None))


def test_overshoot_when_it_may_try_again_before_anything_was_refused_then_trials_are_none():
    """Two that hang open it for 30, and the first call after them is its trial."""
    story = Story(baseline=0, threshold=2, open=30, call_timeout=100)
    story.phase(5, "outage", fault="blackhole")
    for at in (0, 10):
        story.call("T", at=at)
    story.call("T", at=150)
    story.call("R", at=160)
    story.silence(600)
    trip = trip_of(story.known())
    assert len(trip.forwarded) == 2
    assert not trip.broken
