import pytest

from harness.judge.breaker.pending_bound import (
    UNDECLARED_THRESHOLD,
    failures_needed,
    longest_stay,
    pending_bound,
    service_time,
)
from tests.support.breaker_histories import Story

MS = 1_000_000


def slow(lasts=2000, text="60S", fault="latency", latency=2000, **declared):
    """The contract's slow phase: 20 calls a second."""
    story = Story(rate=20, **declared)
    story.phase(12, "slow", fault=fault, latency=latency)
    story.write(text, every=50, lasts=lasts)
    known = story.known()
    return known, known.by_id["slow"]


def test_bound_when_threshold_and_timeout_are_declared_then_is_the_contracts_18():
    known, view = slow(call_timeout=600)
    bound = pending_bound(known, view)
    assert bound.value == 5 + 12 + 1
    assert bound.source == "5 + 20·0.6 + 1"
    assert bound.clumps == 0


def test_bound_when_the_downstream_is_faster_than_the_timeout_then_goes_by_its_latency():
    known, view = slow(call_timeout=5000)
    assert longest_stay(known, view) == 2000 * MS
    assert pending_bound(known, view).value == 5 + 40 + 1


def test_bound_when_several_instances_are_declared_then_each_may_fail_as_often():
    known, view = slow(call_timeout=600, instances=4)
    assert pending_bound(known, view).value == 20 + 12 + 1


def test_bound_when_a_bulkhead_admits_fewer_then_is_that():
    known, view = slow(call_timeout=600, bulkhead=10)
    assert pending_bound(known, view).value == 10
    known, view = slow(call_timeout=600, bulkhead=100)
    assert pending_bound(known, view).value == 18


def test_bound_when_a_share_is_diluted_by_what_is_in_flight_then_is_the_contracts_54():
    """opossum: 50 % of admitted calls, λL = 40: f* = ⌊0.5·41/0.5⌋ + 1 = 42, and 12 in flight."""
    known, view = slow(
        call_timeout=600, threshold=None, share=0.5, minimum=5, kind="count-window",
        denominator="admitted",
    )  # fmt: skip
    assert failures_needed(known, view) == 42
    assert pending_bound(known, view).value == 42 + 12 + 1


def test_failures_when_only_settled_calls_count_then_good_ones_in_the_window_dilute():
    known, view = slow(
        call_timeout=600, share=0.5, minimum=5, window=100, kind="count-window",
        denominator="settled",
    )  # fmt: skip
    assert failures_needed(known, view) == 50
    known, view = slow(
        call_timeout=600, share=0.5, minimum=30, window=1000, kind="time-window",
        denominator="settled",
    )  # fmt: skip
    assert 15 <= failures_needed(known, view) <= 21


def test_failures_when_all_calls_must_fail_then_the_good_ones_must_leave_the_window():
    known, view = slow(
        call_timeout=600, share=1.0, window=100, kind="count-window", denominator="settled"
    )
    assert failures_needed(known, view) == 100


def test_failures_when_nothing_is_declared_then_are_the_most_that_may_be_needed():
    known, view = slow(threshold=None, open=None, permits=None, call_timeout=None)
    assert failures_needed(known, view) == UNDECLARED_THRESHOLD


def test_bound_when_nothing_gives_up_and_nothing_answers_then_there_is_none():
    known, view = slow(text="60H", lasts=None, fault="blackhole", latency=0, call_timeout="none")
    assert service_time(view) is None
    assert pending_bound(known, view) is None


def test_bound_when_calls_come_in_clumps_then_those_are_counted():
    story = Story(rate=20, call_timeout=600)
    story.phase(12, "slow", fault="latency", latency=2000, rate=20, planned=60)
    for at in range(0, 3000, 500):
        for index in range(10):
            story.call("S", at=at + index, lasts=2000)
    known = story.known()
    bound = pending_bound(known, known.by_id["slow"])
    assert bound.clumps == 4
    assert bound.certain == bound.value + bound.clumps


@pytest.mark.parametrize("limited", [{"threshold": 8}, {"threshold": None, "bulkhead": 8}])
def test_bound_when_only_concurrency_is_limited_then_is_the_limit(limited):
    known, view = slow(kind="in-flight", call_timeout=600, **limited)
    assert pending_bound(known, view).value == 8


def test_bound_when_each_call_may_be_tried_thrice_then_it_may_stay_three_timeouts():
    known, view = slow(call_timeout=300, attempts=3)
    assert longest_stay(known, view) == 900 * MS
