"""The phases up to the healed downstream, by the numbers that the invariants need of them."""

import pytest
from msgspec.structs import replace

from harness.experiment.breaker_phases import (
    Scope,
    baseline,
    exact_trip,
    feeds,
    outages,
    seconds,
    transparent,
    warm_up,
)
from harness.experiment.breaker_quantities import Quantities
from harness.model.breaker import Slow
from harness.model.breaker_script import Learnt
from harness.model.units import Duration
from tests.unit.experiment.breakers import declared

PLAN = declared(open=2, call_timeout=1, threshold=5)


def scope(plan=PLAN, *, full=True, learnt=None):
    return Scope(q=Quantities(declared=plan, learnt=learnt or Learnt()), full=full)


def test_seconds_when_they_are_not_whole_then_no_part_is_lost():
    assert seconds(0) == Duration.ZERO
    assert seconds(0.0001) == Duration.of_ms(1)
    assert seconds(1.2) == Duration.of_ms(1200)
    assert feeds(1, 23) == ("BRK-01", "BRK-23")


def test_baseline_when_full_then_has_twice_the_calls_and_a_warm_up():
    (quick,) = baseline(scope(full=False))
    (full,) = baseline(scope())
    assert (quick.calls, full.calls) == (100, 200)
    (fast,) = baseline(scope(declared(open=0.3, threshold=5)))
    assert fast.calls == 5 * fast.rate > 200
    (warm,) = warm_up(scope())
    assert (warm.rate, warm.lasts, warm.feeds) == (20, Duration.of_s(30), ())


def test_transparent_when_there_is_a_bulkhead_then_a_burst_goes_beyond_it():
    (plain,) = transparent(scope())
    (beyond,) = transparent(scope(replace(PLAN, bulkhead=10)))
    assert plain.given["bursts"] == [20, 20, 20] and beyond.given["bursts"] == [20, 20, 20, 40]
    assert beyond.lasts > plain.lasts


def test_transparent_when_slow_calls_count_then_is_not_slow_itself():
    over = Slow(over=Duration.of_ms(100))
    (phase,) = transparent(scope(replace(PLAN, slow=over)))
    assert phase.latency == Duration.of_ms(80)


def test_exact_trip_when_the_threshold_is_known_then_ends_some_calls_behind_it():
    assert [phase.calls for phase in exact_trip(scope())] == [30, 30, 30]
    assert [phase.calls for phase in exact_trip(scope(full=False))] == [30]
    assert [phase.calls for phase in exact_trip(scope(declared(open=2), full=False))] == [200]
    four = replace(PLAN, instances=4)
    assert next(exact_trip(scope(four))).calls == 4 * 5 + 25


def of_fault(kind, plan=PLAN):
    (phase,) = [each for each in outages(scope(plan)) if each.fault == kind]
    return phase


def test_outage_when_failing_calls_take_their_time_then_five_are_in_flight():
    phase = of_fault("status")
    assert phase.rate * phase.latency.in_s >= 5
    assert phase.latency < PLAN.call_timeout
    # Half of the planned failing calls, at the most, are in flight.
    assert phase.rate * phase.latency.in_s + 1 <= 0.5 * phase.rate * phase.hold.in_s


@pytest.mark.parametrize("kind", ["latency", "trickle"])
def test_outage_when_late_then_is_twice_beyond_the_limit(kind):
    assert of_fault(kind).latency == Duration.of_s(2)
    slow = declared(open=2, threshold=5, slow=Slow(over=Duration.of_ms(300)))
    assert of_fault(kind, slow).latency == Duration.of_ms(600)
    assert of_fault(kind, declared(open=2, threshold=5)).latency == Duration.of_s(10)


def test_outage_when_nothing_answers_and_no_timeout_is_known_then_is_held_half_a_minute():
    assert of_fault("blackhole").hold == Duration.of_s(9)
    none = declared(open=2, threshold=5, no_call_timeout=True)
    assert of_fault("blackhole", none).hold == Duration.of_s(30)
    longer = declared(open=20, threshold=5)
    assert of_fault("blackhole", longer).hold >= Duration.of_s(60)


@pytest.mark.parametrize("kind", ["reset", "blackhole", "refuse"])
def test_outage_when_no_answer_comes_then_nothing_is_told_of_its_latency(kind):
    assert of_fault(kind).latency == Duration.ZERO


def test_outage_when_it_lasts_then_has_the_trip_and_the_hold():
    for phase in outages(scope()):
        if phase.name == "outage":
            assert phase.lasts >= phase.hold + Duration.of_s(5 / phase.rate)


def test_heal_when_it_follows_the_first_outage_then_flapping_is_looked_for_once():
    heals = [phase for phase in outages(scope()) if phase.name == "heal"]
    first, *others = heals
    assert first.lasts >= others[0].lasts + Duration.of_s(10) and "BRK-26" in first.feeds
    assert all("BRK-26" not in heal.feeds for heal in others)
    quick = [phase for phase in outages(scope(full=False)) if phase.name == "heal"]
    assert all("BRK-26" not in heal.feeds for heal in quick)


def test_heal_when_it_begins_then_has_calls_for_its_bound_and_fifty_more():
    for full in (True, False):
        for heal in outages(scope(full=full)):
            if heal.name == "heal":
                bound = Duration.of_ns(heal.given["recovery"])
                assert heal.calls >= heal.rate * bound.in_s + 49
                assert heal.rate * bound.in_s >= 20


def test_outage_when_only_the_open_time_is_looked_for_then_is_one():
    assert [phase.id for phase in outages(scope(), only="status")] == ["outage-status", "heal"]
