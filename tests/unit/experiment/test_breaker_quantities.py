"""The quantities of the script: the contract's formulas, and what the invariants need beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.experiment.breaker_quantities import MOST_RATE, Quantities
from harness.model.breaker import OpenTime, Slow, Trials, Window
from harness.model.breaker_script import Learnt
from harness.model.units import Duration
from tests.unit.experiment.breakers import declared


def quantities(learnt=None, **keys):
    return Quantities(declared=declared(**keys), learnt=learnt or Learnt())


SPANS = st.integers(10, 120_000).map(lambda ms: ms / 1000)


@given(SPANS, st.none() | SPANS, st.integers(1, 10_000))
def test_rate_when_anything_is_declared_then_is_within_its_bounds(open_for, timeout, threshold):
    q = quantities(open=open_for, call_timeout=timeout, threshold=threshold)
    assert 20 <= q.rate <= MOST_RATE
    # 1/λ resolves D to 2.5 %, and ten calls fall into its last fifth.
    if q.wanted_rate <= MOST_RATE:
        assert q.rate * open_for >= 40
        assert q.rate * open_for * 0.2 >= 10
    assert 20 <= q.pile_rate <= MOST_RATE


@given(SPANS, st.none() | SPANS, SPANS, st.integers(1, 500))
def test_latency_when_a_limit_is_near_then_stays_below_it(open_for, timeout, slow, threshold):
    over = Slow(over=Duration.of_s(slow))
    q = quantities(open=open_for, call_timeout=timeout, slow=over, threshold=threshold)
    assert 0 < q.good_latency < slow
    assert q.late >= 1.999 * (timeout or slow)
    if timeout is not None:
        assert q.good_latency < timeout and q.failing_latency < timeout
        # A latency beyond every limit, and so many calls that the bound would be passed fourfold.
        assert q.pile > 4 * timeout
        if q.wanted_pile_rate <= MOST_RATE:
            bound = q.failures + q.pile_rate * timeout + 1
            assert q.pile_rate * q.pile >= 4 * bound


@given(SPANS, SPANS, st.floats(1, 10), st.floats(0, 1))
def test_hold_when_the_open_time_grows_then_holds_two_trials(open_for, timeout, factor, jitter):
    grows = OpenTime(first=Duration.of_s(open_for), factor=factor, jitter=jitter)
    plan = replace(declared(call_timeout=timeout, threshold=5), open=grows)
    q = Quantities(declared=plan, learnt=Learnt())
    first, second = q.open_after(0), q.open_after(1)
    assert q.hold(0) >= first + second + 2 * q.timeout
    assert q.recovery(0) >= q.open_after(2) + q.timeout
    assert q.lost >= first + q.timeout


def test_pile_rate_when_many_failures_are_needed_then_is_higher_than_the_rate():
    q = quantities(open=2, call_timeout=1, threshold=100)
    assert q.pile_rate > q.rate
    assert q.pile_rate * q.pile >= 4 * (100 + q.pile_rate * 1 + 1)
    bulkhead = quantities(open=2, call_timeout=1, threshold=100, bulkhead=10)
    assert bulkhead.pile_rate == bulkhead.rate


def test_hold_when_it_does_not_grow_then_is_the_contracts():
    q = quantities(open=2, call_timeout=1, threshold=5)
    assert q.hold(0.2) == pytest.approx(2.5 * 2 + 2 * 1 + 2)


def test_open_when_it_has_a_most_then_grows_no_further():
    grows = OpenTime(first=Duration.of_s(2), factor=4.0, at_most=Duration.of_s(10))
    q = Quantities(declared=replace(declared(), open=grows), learnt=Learnt())
    assert [q.open_after(n) for n in range(3)] == [2, 8, 10]


def test_learnt_when_something_is_declared_then_is_not_asked():
    learnt = Learnt(
        open=Duration.of_s(9), threshold=7, call_timeout=Duration.of_s(4), spread=Duration.of_s(1)
    )
    told = quantities(learnt, open=2, call_timeout=1, threshold=5)
    assert (told.open, told.threshold, told.timeout) == (2, 5, 1)
    found = quantities(learnt)
    assert (found.open, found.threshold, found.timeout) == (9, 7, 4)
    assert found.overlapping == 4
    none = quantities(learnt, no_call_timeout=True)
    assert none.timeout is None


def test_nothing_when_declared_or_found_then_is_assumed():
    q = quantities()
    assert (q.open, q.threshold, q.timeout, q.late) == (30, 200, None, 10)
    assert q.lost == 90
    assert quantities(open=1).lost == 10


@pytest.mark.parametrize(
    ("keys", "threshold"),
    [
        ({"threshold": 5}, 5),
        ({"threshold": 5, "opens": "above"}, 6),
        ({"share": 0.5, "kind": "count-window", "window": Window(calls=100), "minimum": 10}, 50),
        ({"share": 0.1, "kind": "count-window", "window": Window(calls=100), "minimum": 100}, 100),
        ({"share": 0.5, "kind": "time-window", "minimum": 5}, 20),
        ({"share": 0.5, "kind": "time-window", "minimum": 50}, 50),
        ({"share": 1.0, "kind": "time-window", "minimum": 5}, 5),
        ({"share": 0.9999, "kind": "time-window"}, 10_000),
    ],
    ids=str,
)
def test_threshold_when_it_is_a_share_then_is_what_outweighs_the_good_calls(keys, threshold):
    assert quantities(**keys).threshold == threshold


def test_callers_when_permits_or_instances_are_many_then_are_ten_times_as_many():
    assert quantities().callers == 100
    assert quantities(trials=Trials(permits=5), instances=4).callers == 200


def test_rate_when_a_window_of_time_needs_calls_then_fills_it_thrice():
    keys = {"share": 0.5, "kind": "time-window", "minimum": 100}
    assert quantities(open=30, window=Window(time=Duration.of_s(5)), **keys).rate == 60


def test_recovery_when_it_is_declared_then_is_no_shorter():
    assert quantities(open=1, recovers_within=Duration.of_s(9)).recovery(0) == 9
