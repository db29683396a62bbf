"""So many failures in a row, against every order there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.breaker.consecutive import earliest, latest
from harness.judge.breaker.settlements import FAIL, GOOD, NEVER, NONE
from tests.support.breaker_orders import few, first_and_last, settlement

CERTAIN = (FAIL, FAIL, GOOD, NONE)
ANY = (*CERTAIN, FAIL | NONE, GOOD | NONE)


def in_a_row(needed):
    """A counter that successes set back to nothing."""

    def trip(course):
        row = 0
        for instant, kind in course:
            if kind == GOOD:
                row = 0
            elif kind == FAIL:
                row += 1
                if row >= needed:
                    return instant
        return None

    return trip


@pytest.mark.slow
@given(few(ANY, most=4), st.integers(1, 3))
def test_earliest_when_all_orders_are_tried_then_is_the_first_trip_of_any(settled, needed):
    assert earliest(settled, needed) == first_and_last(settled, in_a_row(needed))[0]


@pytest.mark.slow
@given(few(ANY, most=4), st.integers(1, 3))
def test_latest_when_all_orders_are_tried_then_is_none_too_soon(settled, needed):
    found = latest(settled, needed)
    if found is not None:
        last = first_and_last(settled, in_a_row(needed))[1]
        assert last is not None
        assert last <= found[0]


@pytest.mark.slow
@given(few((FAIL,), most=4), st.integers(1, 3))
def test_latest_when_the_outage_is_total_then_is_exact(settled, needed):
    found = latest(settled, needed)
    last = first_and_last(settled, in_a_row(needed))[1]
    assert (None if found is None else found[0]) == last


@given(few(ANY), st.integers(1, 3))
def test_bounds_when_both_are_there_then_are_in_order(settled, needed):
    found = latest(settled, needed)
    if found is not None:
        first = earliest(settled, needed)
        assert first is not None
        assert first <= found[0]


@given(few(ANY), st.integers(1, 3), st.integers(0, 3), st.integers(0, 3))
def test_intervals_when_widened_then_no_certain_trip_comes_earlier(settled, needed, before, after):
    wide = sorted(
        (settlement(one.lo - before, one.hi + after, one.mask) for one in settled),
        key=lambda one: one.lo,
    )
    first, widened = earliest(settled, needed), earliest(wide, needed)
    if first is not None:
        assert widened is not None
        assert widened <= first
    last, late = latest(settled, needed), latest(wide, needed)
    if late is not None:
        assert last is not None
        assert last[0] <= late[0]


@given(few(ANY), st.integers(1, 3), st.randoms(use_true_random=False))
def test_order_when_lower_ends_are_the_same_then_does_not_matter(settled, needed, random):
    shuffled = list(settled)
    random.shuffle(shuffled)
    again = sorted(shuffled, key=lambda one: one.lo)
    assert earliest(again, needed) == earliest(settled, needed)
    found, expected = latest(again, needed), latest(settled, needed)
    assert (found and found[0]) == (expected and expected[0])


def test_latest_when_a_success_may_have_come_between_then_counts_from_after_it():
    settled = [settlement(at, at + 2, FAIL) for at in (0, 10, 20, 30, 40)]
    settled.insert(2, settlement(11, 15, GOOD))
    assert latest(settled, 4) is None
    found = latest(settled, 3)
    assert found is not None
    assert found[0] == 42


def test_failure_when_without_an_upper_end_then_is_never_certain():
    settled = [settlement(0, 2, FAIL), settlement(3, NEVER, FAIL)]
    assert earliest(settled, 2) == 3
    assert latest(settled, 2) is None


def test_success_when_of_another_instance_then_interrupts_nothing():
    settled = [settlement(0, 1, FAIL), settlement(5, 6, GOOD), settlement(9, 10, FAIL)]
    assert earliest(settled, 2) is None
    assert earliest(settled, 2, broken=False) == 9
