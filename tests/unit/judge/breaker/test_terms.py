"""Each value with its source: declared, found, or a default."""

import pytest
from msgspec.structs import replace

from harness.judge.breaker.known import MS, SECOND, Value
from harness.judge.breaker.terms import open_time, terms_of
from tests.support.breaker_histories import Story

NOTHING = {"threshold": None, "open": None, "permits": None, "call_timeout": None}


def history(seen=1, **declared):
    return replace(Story(**declared).history(), instances_seen=seen)


def terms(own=None, found=None, seen=1, **declared):
    return terms_of(history(seen, **declared), own, found or {}, {})


def test_value_when_declared_then_says_so():
    made = terms(to_close=3, slow=500, slow_share=0.4, attempts=2, bulkhead=50, minimum=10)
    assert (made.threshold.number, made.threshold.source, made.threshold.declared) == (
        5,
        "declared threshold=5",
        True,
    )
    assert (made.open.number, made.open.source) == (SECOND, "declared open=1 s")
    assert (made.call_timeout.number, made.slow.number) == (300 * MS, 500 * MS)
    assert [
        value.value
        for value in (made.to_close, made.slow_share, made.attempts, made.bulkhead, made.minimum)
    ] == [3, 0.4, 2, 50, 10]


def test_value_when_undeclared_and_not_found_then_is_not_known():
    made = terms(**NOTHING)
    for value in (made.threshold, made.share, made.open, made.call_timeout, made.permits):
        assert (value.value, value.known, value.source) == (None, False, "not declared")
    assert (made.factor.value, made.jitter.value, made.to_close.value) == (1.0, 0.0, 1)


def test_value_when_found_then_stands_in_for_what_is_not_declared():
    found = {name: Value(value=7, source="found") for name in ("threshold", "open", "to_close")}
    made = terms(found=found, **NOTHING)
    assert [made.threshold.value, made.open.value, made.to_close.value] == [7, 7, 7]
    declared = terms(found=found, to_close=2)
    assert [declared.threshold.value, declared.to_close.value] == [5, 2]
    shared = terms(found=found, kind="time-window", share=0.5)
    assert (shared.threshold.value, shared.share.value) == (None, 0.5)


def test_time_out_when_declared_as_none_then_is_known_to_be_none():
    made = terms(call_timeout="none", found={"call_timeout": Value(value=9, source="found")})
    assert (made.call_timeout.value, made.call_timeout.declared) == (None, True)


@pytest.mark.parametrize(
    ("declared", "lost_after"),
    [
        pytest.param({"lost_after": 700}, 0.7, id="declared"),
        pytest.param({}, 0.3, id="the-call-time-out"),
        pytest.param({"call_timeout": None}, 10, id="10-s-at-least"),
        pytest.param({"call_timeout": "none", "open": 4000}, 12, id="three-open-times"),
        pytest.param(NOTHING, 10, id="nothing-known"),
    ],
)
def test_trial_when_lost_then_after_this_long(declared, lost_after):
    assert terms(**declared).lost_after.number == lost_after * SECOND


@pytest.mark.parametrize(
    ("declared", "own", "within"),
    [({}, None, 50), ({}, 30 * MS, 150), ({}, MS, 50), ({"within": 20}, 30 * MS, 20)],
)
def test_rejection_when_slow_then_beyond_this(declared, own, within):
    assert terms(own, **declared).within.number == within * MS


@pytest.mark.parametrize(
    ("declared", "most"),
    [({}, 1), ({"permits": 10}, 10), ({"permits": None}, 10), ({"to_reopen": 3}, 3)],
)
def test_trials_when_failing_then_reopen_with_as_many_at_most(declared, most):
    assert terms(**declared).to_reopen.value == most


def test_instances_when_undeclared_then_are_as_many_as_were_seen():
    assert terms().instances.value == 1
    assert terms(seen=3).instances.source == "3 processes seen behind the hop's connections"
    assert terms(seen=3, instances=2).instances.value == 2


@pytest.mark.parametrize(("kind", "value"), [("count-window", 100), ("time-window", 100 * MS)])
def test_window_when_declared_then_is_in_calls_or_nanoseconds(kind, value):
    assert terms(kind=kind, share=0.5, window=100).window.value == value


def test_open_time_when_it_backs_off_then_grows_to_its_bound():
    declared = history(factor=2, at_most=5000)
    made = terms_of(declared, None, {}, {})
    assert [open_time(made, declared.declared, cycle) for cycle in range(4)] == [
        SECOND,
        2 * SECOND,
        4 * SECOND,
        5 * SECOND,
    ]


def test_open_time_when_not_known_then_is_none():
    declared = history(open=None)
    assert open_time(terms_of(declared, None, {}, {}), declared.declared, 0) is None
