"""Windows of calls and of time, against every order there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.breaker.rule import Rule
from harness.judge.breaker.settlements import FAIL, GOOD, NEVER, NONE
from harness.judge.breaker.sliding import Certain, Counted, Possible, earliest, latest
from tests.support.breaker_orders import few, first_and_last, settlement

MASKS = (FAIL, FAIL, GOOD, FAIL | NONE, GOOD | NONE)
NOBODY = Counted()

shares = st.builds(
    lambda share, above, window, least: {
        "share": share,
        "above": above,
        "window": window,
        "least": (least, least),
    },
    st.sampled_from([0.3, 0.5, 0.75, 1.0]),
    st.booleans(),
    st.integers(1, 6),
    st.integers(1, 3),
)
counts = st.builds(
    lambda count, window: {"count": count, "window": window}, st.integers(1, 3), st.integers(1, 6)
)


def windowed(rule, *, at_failures):
    """A window kept by the letter; ``at_failures``: looked at only when one fails."""

    def trip(course):
        for index, (instant, kind) in enumerate(course):
            if kind == NONE or (at_failures and kind != FAIL):
                continue
            past = [one for one in course[: index + 1] if one[1] != NONE]
            if rule.kind == "count-window":
                past = past[-rule.window :]
            else:
                past = [one for one in past if one[0] > instant - rule.window]
            failures = sum(one[1] == FAIL for one in past)
            if len(past) >= rule.least[0] and rule.reached(failures, len(past)):
                return instant
        return None

    return trip


def check(settled, rule):
    first = first_and_last(settled, windowed(rule, at_failures=False))[0]
    found = earliest(settled, rule, NOBODY)
    if first is not None:
        assert found is not None
        assert found <= first
    sure = latest(settled, rule, NOBODY)
    if sure is not None:
        last = first_and_last(settled, windowed(rule, at_failures=True))[1]
        assert last is not None
        assert last <= sure


@pytest.mark.slow
@given(few(MASKS, most=4), shares | counts)
def test_time_window_when_all_orders_are_tried_then_no_bound_is_broken(settled, declared):
    check(settled, Rule(kind="time-window", **declared))


@pytest.mark.slow
@given(few(MASKS, most=4), shares | counts)
def test_count_window_when_all_orders_are_tried_then_no_bound_is_broken(settled, declared):
    check(settled, Rule(kind="count-window", **declared))


@given(
    few((FAIL, FAIL, GOOD)),
    shares | counts,
    st.sampled_from(["count-window", "time-window"]),
)
def test_bounds_when_both_are_there_then_are_in_order(settled, declared, kind):
    rule = Rule(kind=kind, **declared)
    sure = latest(settled, rule, NOBODY)
    if sure is not None:
        first = earliest(settled, rule, NOBODY)
        assert first is not None
        assert first <= sure


@given(few(MASKS), shares | counts, st.integers(0, 3), st.integers(0, 3))
def test_intervals_when_widened_then_no_certain_trip_comes_earlier(
    settled, declared, before, after
):
    rule = Rule(kind="time-window", **declared)
    wide = sorted(
        (settlement(one.lo - before, one.hi + after, one.mask) for one in settled),
        key=lambda one: one.lo,
    )
    first, widened = earliest(settled, rule, NOBODY), earliest(wide, rule, NOBODY)
    assert first is None or (widened is not None and widened <= first)
    last, late = latest(settled, rule, NOBODY), latest(wide, rule, NOBODY)
    assert late is None or (last is not None and last <= late)


def exact(text):
    """A letter each 10, settled exactly then."""
    kinds = {"F": FAIL, "S": GOOD}
    return [settlement(10 * at, 10 * at, kinds[letter]) for at, letter in enumerate(text)]


def bounds(text, **declared):
    rule = Rule(**declared)
    return earliest(exact(text), rule, NOBODY), latest(exact(text), rule, NOBODY)


def test_share_when_order_is_certain_then_both_bounds_are_the_trip():
    declared = {"kind": "count-window", "share": 0.5, "window": 6, "least": (4, 4)}
    assert bounds("SSFF", **declared) == (30, 30)
    assert bounds("SSSFF", **declared) == (None, None)
    assert bounds("SSSSFFF", **declared) == (60, 60)  # the first is out of the window by then


def test_share_when_above_then_needs_one_more():
    declared = {"kind": "time-window", "share": 0.5, "window": 1000, "least": (1, 1)}
    assert bounds("SSFFF", **declared) == (30, 30)
    assert bounds("SSFFF", above=True, **declared) == (40, 40)


def test_failures_when_out_of_the_time_window_then_do_not_count():
    declared = {"kind": "time-window", "count": 3, "window": 25}
    assert bounds("FFF", **declared) == (20, 20)
    assert bounds("FFSF", **declared) == (None, None)


def test_minimum_when_undeclared_then_lies_between_one_and_the_largest():
    declared = {"kind": "time-window", "share": 0.5, "window": 1000}
    assert bounds("FFFF", least=(1, 3), **declared) == (0, 20)


def test_denominator_when_admitted_then_calls_in_flight_dilute():
    """A call each 10, failing after 200: above half of the admitted only when 21 of 41 have failed."""
    settled = [settlement(10 * at + 200, 10 * at + 200, FAIL) for at in range(60)]
    sent = [(10 * at, 10 * at) for at in range(60)]
    counted = Counted(admitted=sent, perhaps_admitted=sent)
    declared = {"kind": "time-window", "share": 0.5, "above": True, "window": 10_000}
    admitted = Rule(denominators=("admitted",), least=(5, 5), **declared)
    # The k-th failure settles at 10·(k − 1) + 200, when k + 20 calls have been let in: k > (k + 20) / 2.
    assert latest(settled, admitted, counted) == 400
    # One sent at that very instant may not have been let in yet.
    assert earliest(settled, admitted, counted) == 390
    by_settled = Rule(denominators=("settled",), least=(5, 5), **declared)
    assert latest(settled, by_settled, counted) == 240
    undeclared = Rule(denominators=("settled", "admitted", "offered"), least=(5, 5), **declared)
    assert (earliest(settled, undeclared, counted), latest(settled, undeclared, counted)) == (
        240,
        400,
    )


def test_denominator_when_offered_then_rejections_dilute():
    settled = exact("FFFFF")
    sent, refused = [(10 * at, 10 * at) for at in range(5)], [(0, 0)] * 20
    counted = Counted(
        admitted=sent, refused=refused, perhaps_admitted=sent, perhaps_refused=refused
    )
    rule = Rule(kind="time-window", share=0.5, window=1000, denominators=("offered",))
    assert earliest(settled, rule, counted) == 0
    assert latest(settled, rule, counted) is None


def test_count_window_when_not_taken_of_settled_calls_then_nothing_is_certain():
    rule = Rule(kind="count-window", share=0.5, window=4, denominators=("offered",))
    assert latest(exact("FFFF"), rule, NOBODY) is None


def test_stretches_when_counted_then_both_ends_belong_to_what_is_possible():
    spans = [(0, 5), (3, 9), (10, 12), (11, NEVER)]
    possible, certain = Possible(spans), Certain(spans)
    assert [possible(since, until) for since, until in [(0, 2), (5, 10), (13, 20)]] == [1, 3, 1]
    assert (possible.begun(10), possible.over(9)) == (3, 2)
    assert [certain(since, until) for since, until in [(-1, 4), (-1, 5), (0, 9), (2, 12)]] == [
        0,
        1,
        1,
        2,
    ]
