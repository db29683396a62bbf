"""What of a declaration can be replayed, and what of it is not known."""

import pytest

from harness.judge.breaker.known import SECOND
from harness.judge.breaker.rule import Rule, rule_of, slow_rule_of
from tests.support.breaker_declared import declared_plan


def rule(make=rule_of, instances=1, **declared):
    given = {"threshold": None, "open_for": 1000, "permits": 1, "call_timeout": 300} | declared
    plan = declared_plan(**given)
    return make(plan, instances)


def test_rule_when_a_count_alone_is_declared_then_is_of_a_row():
    found = rule(threshold=5, kind=None)
    assert (found.kind, found.failures) == ("consecutive", 5)


def test_rule_when_it_opens_above_then_needs_one_more():
    assert rule(threshold=5, opens="above").failures == 6


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"kind": "consecutive", "share": 0.5}, id="a-share-of-no-window"),
        pytest.param({"kind": "time-window", "share": 0.5}, id="no-window"),
        pytest.param({"kind": "time-window", "window": 1000}, id="no-threshold"),
        pytest.param({"kind": "in-flight", "threshold": 5}, id="no-state"),
        pytest.param({"kind": None, "share": 0.5}, id="no-kind"),
    ],
)
def test_rule_when_too_little_is_declared_then_is_none(declared):
    assert rule(**declared) is None


def test_rule_when_windowed_then_has_its_length_and_minimum():
    found = rule(kind="time-window", share=0.5, window=10_000, minimum=20, denominator="offered")
    assert (found.window, found.least, found.denominators) == (10 * SECOND, (20, 20), ("offered",))
    found = rule(kind="count-window", threshold=3, window=100)
    assert (found.window, found.least, found.failures) == (100, (1, 1), 3)


@pytest.mark.parametrize(
    ("kind", "window", "least"), [("count-window", 40, (1, 40)), ("time-window", 1000, (1, 100))]
)
def test_minimum_when_undeclared_then_is_from_one_to_the_largest_default(kind, window, least):
    found = rule(kind=kind, share=0.5, window=window)
    assert found.least == least
    assert found.denominators == ("settled", "admitted", "offered")


def test_rule_when_hosts_are_ejected_then_is_of_a_row():
    assert rule(kind="eject", threshold=5).kind == "consecutive"


def test_slow_rule_when_slow_calls_have_no_share_then_is_none():
    declared = {"kind": "count-window", "window": 10, "share": 0.5, "slow": 500}
    assert rule(slow_rule_of, **declared) is None
    assert rule(slow_rule_of, slow_share=0.4, **declared).share == 0.4
    assert rule(slow_rule_of) is None


@pytest.mark.parametrize(
    ("share", "above", "calls", "fewest"),
    [(0.5, False, 10, 5), (0.5, True, 10, 6), (0.3, False, 10, 3), (0.3, True, 10, 4), (0.01, False, 5, 1)],
)  # fmt: skip
def test_share_when_reached_then_by_no_fewer(share, above, calls, fewest):
    found = Rule(kind="count-window", share=share, above=above, window=10)
    assert found.fewest(calls) == fewest
    assert found.reached(fewest, calls)
    assert not found.reached(fewest - 1, calls)
    assert not found.reached(0, 0)


def test_fewest_when_a_count_is_declared_then_is_the_count():
    found = Rule(kind="time-window", count=3, window=10)
    assert found.fewest(100) == 3
    assert (found.reached(3, 3), found.reached(2, 100)) == (True, False)
