"""δ, what makes it too much, and clocks that contradict themselves."""

import pytest

from harness.judge.breaker.known import MS
from harness.judge.breaker.slack import contradiction, shortest_declared, slack_of, too_late
from tests.support.breaker_histories import Story


def history(lag=0.0, **declared):
    story = Story(baseline=0, **declared)
    story.phase(5, "outage", fault="status", lag=lag)
    story.write("FFFFF R")
    return story.history()


def test_slack_when_nothing_is_late_then_is_2_ms():
    found = history()
    assert slack_of(found, found.phases[0]) == slack_of(found, None) == 2 * MS


def test_slack_when_late_apart_and_reacting_then_adds_up():
    found = history(lag=3, uncertainty=40, reaction=500)
    assert slack_of(found, found.phases[0]) == (2 + 3 + 40 + 500) * MS
    assert slack_of(found, None) == (2 + 40 + 500) * MS


def test_shortest_when_several_are_declared_then_is_the_least_of_them():
    assert shortest_declared(history().declared) == 300 * MS
    assert shortest_declared(history(slow=80).declared) == 80 * MS
    assert shortest_declared(history(call_timeout=None).declared) == 1000 * MS
    assert shortest_declared(history(call_timeout=None, open=None).declared) is None


@pytest.mark.parametrize(("lag", "late"), [(28, False), (28.1, True)])
def test_harness_when_later_than_a_tenth_of_the_shortest_then_judges_no_time(lag, late):
    found = history(lag=lag)  # a tenth of 300 is 30, 2 of them the timers'
    words = too_late(found, found.phases[0], 300 * MS)
    assert bool(words) == late
    assert not late or words.startswith("the harness itself was 30.1 ms late; at most 30.0 ms")


def test_reaction_when_declared_then_is_no_lateness_of_ours():
    found = history(reaction=10_000)
    assert too_late(found, found.phases[0], 300 * MS) == ""


def test_clock_when_in_order_then_does_not_contradict_itself():
    assert contradiction(history()) == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"at": 10, "answered": 9}, "ended 1.000 ms before it was sent"),
        (
            {"at": 10, "arrivals": [{"at": 9, "ended": 12}]},
            "arrived at the hop 1.000 ms before it was sent",
        ),
        (
            {"at": 10, "arrivals": [{"at": 13, "ended": 12}]},
            "ended at the hop 1.000 ms before it arrived there",
        ),
    ],
)
def test_clock_when_backwards_then_contradicts_itself(changed, words):
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    rid = story.call("F", **changed)
    assert contradiction(story.history()) == f"the run's clock is broken: {rid} {words}"


def test_clocks_when_no_further_apart_than_known_then_do_not_contradict():
    story = Story(baseline=0, uncertainty=1)
    story.phase(5, "outage", fault="status")
    story.call("F", at=10, arrivals=[{"at": 9, "ended": 12}])
    assert contradiction(story.history()) == ""
