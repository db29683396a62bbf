"""How a closed circuit opens: expected by the replay, or shown by a rejection."""

import pytest

from harness.judge.breaker.circuit import circuits_of
from harness.judge.breaker.known import MS, Interval
from harness.judge.breaker.opening import Rules, Settled, next_opening
from harness.judge.breaker.rule import rule_of, slow_rule_of
from tests.support.breaker_histories import Story


def story(**declared):
    made = Story(baseline=0, **declared)
    made.phase(5, "outage", fault="status")
    return made


def opening(written, *, reach=1000):
    (circuit,) = circuits_of(written.known().phases, written.declared, 2 * MS, {})
    rules = Rules(failures=rule_of(written.declared, 1), slow=None)
    start = Interval(circuit.entered, circuit.entered)
    opened, early = next_opening(circuit, start, Settled(all=circuit.settled), rules, reach * MS)
    return opened, [joined.call.rid for joined in early]


def in_ms(interval):
    return interval.lo / MS, None if interval.hi is None else interval.hi / MS


def test_opening_when_the_threshold_is_reached_then_is_the_replays():
    written = story()
    written.write("FFFFF R", every=10)
    opened, early = opening(written)
    assert in_ms(opened.tau) == (44, 47)
    assert (opened.threshold, opened.rejection.call.rid, opened.explained) == (5, "r00006", True)
    assert early == []


def test_opening_when_nothing_is_rejected_then_is_expected_all_the_same():
    written = story()
    written.write("20F", every=10)
    opened, _ = opening(written)
    assert in_ms(opened.tau) == (44, 47)
    assert opened.rejection is None
    assert opened.closed is None


def test_opening_when_good_calls_go_on_then_was_closed_again_by_the_first():
    written = story()
    written.write("5F 3S 40S R", every=10)
    opened, early = opening(written)
    assert opened.rejection is None
    assert in_ms(opened.closed) == (54, 57)
    assert early == []


def test_opening_when_below_the_threshold_then_is_unexplained():
    written = story()
    written.write("FFFFR")
    opened, early = opening(written)
    assert not opened.explained
    # From the sending of the last one let through to the rejection's answer.
    assert in_ms(opened.tau) == (15, 21)
    assert (opened.threshold, early) == (4, [])


def test_rejections_when_nothing_failed_then_open_nothing():
    written = story()
    written.write("SSRRS")
    assert opening(written) == (None, ["r00003", "r00004"])


def test_rejections_when_nothing_failed_yet_then_do_not_hide_the_trip_after_them():
    written = story()
    written.write("SRS FFFFF R", every=10)
    opened, early = opening(written)
    assert early == ["r00002"]
    assert (opened.explained, opened.rejection.call.rid) == (True, "r00009")


def test_opening_when_only_some_order_reaches_it_then_ends_with_the_rejection():
    written = story()
    written.write("FFFF", every=10)
    written.call("S", at=12, lasts=30)
    written.call("F", at=40)
    written.now += 10
    written.call("R", at=55)
    opened, _ = opening(written)
    assert in_ms(opened.tau) == (44, 56)
    assert opened.explained


def test_opening_when_an_early_order_was_refuted_then_begins_where_calls_still_went_through():
    """4 failures and one whose order with a success is not known; the outage comes 2 s later."""
    written = story()
    written.write("FFFF", every=10)
    written.call("S", at=12, lasts=30)
    written.call("F", at=40)
    written.now += 2000
    written.write("20S FFFFF 20R", every=10)
    opened, _ = opening(written)
    assert opened.tau.lo / MS > 2000
    assert opened.tau.hi > opened.tau.lo


def test_threshold_when_undeclared_then_a_rejection_shows_the_trip():
    written = story(threshold=None)
    written.write("8F R", every=10)
    opened, _ = opening(written)
    assert in_ms(opened.tau) == (74, 77)
    assert (opened.threshold, opened.explained) == (8, True)


def test_rejection_when_nothing_is_declared_and_nothing_failed_then_opens_nothing():
    written = story(threshold=None)
    written.write("SSR")
    assert opening(written) == (None, ["r00003"])


@pytest.mark.parametrize(("failures", "opens"), [(2990, False), (3005, True)])
def test_threshold_when_undeclared_and_nothing_is_rejected_then_opens_by_the_largest_default(
    failures, opens
):
    """200 failures, and 30 s: a window may dilute them for that long."""
    written = story(threshold=None)
    written.write(f"{failures}F", every=10)
    opened, _ = opening(written)
    assert (opened is not None) == opens
    if opened is not None:
        assert opened.tau.lo == opened.tau.hi
        assert opened.threshold == 200


def test_threshold_when_undeclared_and_a_success_comes_between_then_opens_nothing():
    written = story(threshold=None)
    written.write("250F S 3000F", every=10)
    assert opening(written)[0] is None


def test_slow_share_when_reached_first_then_opens():
    written = story(
        kind="count-window",
        window=10,
        minimum=4,
        share=0.5,
        denominator="settled",
        slow=100,
        slow_share=0.5,
    )
    written.write("4S", every=10, lasts=200)
    written.silence(200)
    written.write("10R", every=10)
    (circuit,) = circuits_of(written.known().phases, written.declared, 2 * MS, {})
    rules = Rules(failures=rule_of(written.declared, 1), slow=slow_rule_of(written.declared, 1))
    start = Interval(circuit.entered, circuit.entered)
    opened, _ = next_opening(
        circuit, start, Settled(all=circuit.settled, slow=circuit.slow), rules, 1000 * MS
    )
    assert opened is not None
    assert in_ms(opened.tau) == (229, 232)


def test_rejection_when_a_bulkhead_may_have_made_it_and_nothing_passes_then_it_is_the_one_due():
    written = story(bulkhead=1)
    written.call("F", at=0, lasts=500)
    written.write("FFFFF R", every=10)
    opened, _ = opening(written)
    assert opened.rejection.call.rid == "r00007"
    assert not opened.rejection.rejected


def test_rejection_when_a_bulkhead_may_have_made_it_and_calls_pass_then_shows_nothing():
    written = story(bulkhead=1)
    written.call("F", at=0, lasts=500)
    written.write("FFFFF RFRF", every=10)
    assert opening(written)[0].rejection is None


def test_trip_when_undeclared_and_a_bulkhead_may_have_rejected_first_then_may_be_that_early():
    written = story(threshold=None, bulkhead=1)
    written.call("F", at=0, lasts=100)
    written.write("FFFFF 20R", every=10)
    opened, _ = opening(written)
    assert opened.tau.lo / MS == 44
    assert opened.rejection.rejected
    assert opened.rejection.call.sent / MS > 100
