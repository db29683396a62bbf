"""Where the reference breaker trips, as an interval."""

from hypothesis import given
from hypothesis import strategies as st

from harness.judge.breaker.replay import Trip, sooner, trip
from harness.judge.breaker.rule import Rule
from harness.judge.breaker.settlements import FAIL, GOOD, NEVER, NONE
from harness.judge.breaker.sliding import Counted
from tests.support.breaker_orders import few, settlement

NOBODY = Counted()
ROW = Rule(kind="consecutive", count=3)


def failures(*spans):
    return [
        settlement(lo, hi, FAIL, rid=f"r{index}", sent=lo - 1)
        for index, (lo, hi) in enumerate(spans)
    ]


def test_trip_when_the_outage_is_total_then_lies_between_the_kth_ends():
    found = trip(failures((0, 9), (1, 3), (2, 4), (5, 6)), ROW, NOBODY)
    assert (found.lo, found.hi, found.failures) == (2, 6, 3)
    assert [joined.call.rid for joined in found.because] == ["r1", "r2", "r3"]


def test_trip_when_nothing_fails_then_is_none():
    assert trip([settlement(0, 1, GOOD)], ROW, NOBODY) is None


def test_trip_when_only_some_order_has_it_then_has_no_upper_end():
    settled = failures((0, 1), (2, 3), (4, 5))
    settled.insert(2, settlement(3, 9, GOOD))
    found = trip(settled, ROW, NOBODY)
    assert (found.lo, found.hi) == (4, None)
    assert [joined.call.rid for joined in found.because] == ["r0", "r1", "r2"]


def test_trip_when_windowed_then_is_because_of_all_failures_by_then():
    settled = [*failures((0, 1), (2, 3)), settlement(4, 5, GOOD), *failures((6, 7), (8, 9))]
    rule = Rule(kind="time-window", share=0.75, window=100, least=(4, 4))
    found = trip(settled, rule, NOBODY)
    assert (found.lo, found.hi, found.failures) == (6, 7, 3)


def test_trip_when_a_window_may_or_may_not_reach_then_has_no_upper_end():
    settled = [*failures((0, 1)), settlement(2, 3, FAIL | NONE)]
    found = trip(settled, Rule(kind="time-window", count=2, window=100), NOBODY)
    assert (found.lo, found.hi) == (2, None)


def test_trip_when_of_several_instances_then_is_from_one_alone_to_all_in_turn():
    found = trip(
        failures(*[(at, at) for at in range(0, 200, 10)]),
        Rule(kind="consecutive", count=3, instances=4),
        NOBODY,
    )
    assert (found.lo, found.hi) == (20, 110)


def test_trip_when_of_several_and_calls_are_in_flight_then_each_takes_its_own():
    settled = [settlement(100 + at, 100 + at, FAIL, sent=at) for at in range(0, 400, 10)]
    found = trip(settled, Rule(kind="consecutive", count=3, instances=2), NOBODY)
    assert found.lo == 120
    # Sent by 120 and not settled: 30 to 120, ten of them.
    assert found.hi == 100 + 10 * (6 + 10 - 1)


def test_trip_when_several_instances_keep_a_share_then_counts_what_a_minimum_needs():
    rule = Rule(kind="count-window", share=0.5, window=10, least=(4, 4), instances=2)
    found = trip(failures(*[(at, at) for at in range(0, 200, 10)]), rule, NOBODY)
    assert (found.lo, found.hi) == (10, 70)


def test_sooner_when_of_two_rules_then_is_by_whichever_opens_first():
    one = Trip(lo=5, hi=20, failures=1, because=())
    other = Trip(lo=7, hi=10, failures=2, because=())
    never = Trip(lo=1, hi=None, failures=3, because=())
    assert sooner(one, None) is one
    assert sooner(None, other) is other
    both = sooner(one, other)
    assert (both.lo, both.hi, both.failures) == (5, 10, 2)
    assert (sooner(one, never).lo, sooner(one, never).hi) == (1, 20)


@given(
    few((FAIL, FAIL, GOOD, FAIL | NONE)),
    st.sampled_from(
        [
            ROW,
            Rule(kind="consecutive", count=2, instances=2),
            Rule(kind="time-window", share=0.5, window=5, least=(2, 2)),
            Rule(kind="count-window", count=2, window=3),
        ]
    ),
)
def test_trip_when_there_is_one_then_its_ends_are_in_order(settled, rule):
    found = trip(settled, rule, NOBODY)
    if found is not None and found.hi is not None:
        assert found.lo <= found.hi < NEVER
