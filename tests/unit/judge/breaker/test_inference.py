"""What is found where nothing is declared, and when the findings do not agree."""

import pytest

from harness.judge.breaker.known import MS, SECOND
from harness.judge.breaker.terms import open_time
from tests.support.breaker_histories import Story

NOTHING = {"threshold": None, "open": None, "permits": None, "call_timeout": None}


def story(**declared):
    return Story(**{**NOTHING, **declared})


def trips(*counts):
    written = story()
    for count in counts:
        written.phase(4, "exact-trip", fault="status")
        written.write(f"{count}F R" if count else "200F", gap=10)
    return written.known().terms


def test_threshold_when_three_trips_agree_then_is_found():
    terms = trips(5, 6, 5)
    assert (terms.threshold.value, terms.threshold.declared) == (5, False)
    assert terms.threshold.source == "inferred from 3 trips: after 5, 6, 5 failures"
    assert terms.inferred["threshold"] == {"value": 5, "from": [5, 6, 5]}


def test_threshold_when_a_fifth_apart_then_still_agrees():
    assert trips(50, 60, 55).threshold.value == 55


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((5, 7, 5), "the trips disagree: after 5, 7, 5 failures"),
        ((5, 0), "1 of 2 sequential outages were answered"),
        ((), "not declared, and no exact trip was run"),
        ((201,), "tripped after 201 failures, later than any default"),
    ],
)
def test_threshold_when_trips_tell_nothing_then_is_not_known(counts, words):
    terms = trips(*counts)
    assert (terms.threshold.value, terms.threshold.source) == (None, words)
    assert "threshold" not in terms.inferred


def test_threshold_when_the_trip_took_longer_than_30_s_then_is_not_known():
    written = story()
    written.phase(4, "exact-trip", fault="status")
    written.write("40F R", gap=1000)
    assert not written.known().terms.threshold.known


def outage(text, **declared):
    written = story(**declared)
    written.phase(5, "outage", fault="status")
    written.write(text, every=10)
    return written.known().terms


def test_open_time_when_gaps_agree_then_is_the_shortest_up_to_the_longest():
    terms = outage("5F 100R F 100R F 101R S 20S")
    # The second: from the trial's answer at 1055 plus slack to the last rejection, sent at 2050.
    assert terms.open.value == 989 * MS
    assert terms.factor.value == 1.0
    shown = terms.inferred["open"]
    assert shown["seconds"] == 0.989
    # The third: from its trial's end at 2064 to the next arrival, at 3081.
    assert shown["resolution"] == 0.028
    assert len(shown["from"]) == 3
    assert terms.open.source.startswith("inferred from 3 gaps under steady load: 0.99, 0.99")


def test_open_time_when_gaps_grow_by_a_factor_then_the_factor_is_found():
    terms = outage("5F 100R F 200R F 400R S 20S")
    assert abs(terms.factor.number - 2) < 0.02
    assert abs(terms.open.number - SECOND) < 20 * MS


def test_open_time_when_gaps_disagree_then_is_not_known():
    terms = outage("5F 100R F 30R F 100R S 20S")
    assert not terms.open.known
    assert terms.open.source == "the open times found disagree: 0.99, 0.29, 0.99 s"


def test_open_time_when_no_one_length_explains_the_gaps_then_is_not_known():
    """With jitter it is another each time: near the first one all of them, yet not near each other."""
    terms = outage("5F 100R F 98R F 103R F 100R S 20S")
    assert not terms.open.known
    assert "disagree" in terms.open.source


def test_open_time_when_it_grew_no_further_than_seen_then_is_not_known_beyond():
    terms = outage("5F 100R F 200R F 400R S 20S")
    assert terms.inferred["open"]["cycles"] == 2
    plan = story().declared
    assert open_time(terms, plan, 2) is not None
    assert open_time(terms, plan, 3) is None


def test_open_time_when_calls_paused_before_the_trial_then_shows_nothing():
    written = story()
    written.phase(5, "outage", fault="status")
    written.write("5F 50R", every=10)
    written.silence(500)
    written.write("S 20S", every=10)
    terms = written.known().terms
    assert not terms.open.known
    assert terms.open.source == "no trial was seen after a rejection under steady load"


def test_time_out_when_the_service_gives_calls_up_then_is_found():
    written = story()
    written.phase(5, "outage", fault="blackhole")
    written.write("3T", every=10, arrival_end="abandoned")
    terms = written.known().terms
    assert terms.call_timeout.value == 299 * MS
    assert terms.call_timeout.source == "inferred from 3 calls that the service gave up"


def test_time_out_when_none_is_given_up_then_is_not_known():
    terms = outage("5F")
    assert (terms.call_timeout.value, terms.call_timeout.source) == (None, "no call time-out seen")


def test_trials_when_two_close_each_time_then_two_are_found():
    """Good trials with rejections between: overlapping calls are refused while one is out."""
    once = "5F 100R S 3R S 20S"
    assert outage(once, open=1000).to_close.value == 2
    assert outage("5F 100R S 20S", open=1000).to_close.value == 1
    assert outage("5F 100R S 40R", open=1000).to_close.source == "default"


def test_trials_when_many_go_through_at_once_then_shows_how_many():
    written = story(threshold=5, open=1000)
    written.phase(8, "burst-good")
    written.write("FFFFF R")
    written.silence(1200)
    written.burst(100, spread=10, outcomes="7S 93R", lasts={"S": 400})
    assert written.known().terms.inferred["permits"] == {"value": 7, "of": 100}


def test_everything_when_declared_then_nothing_is_shown_as_found():
    written = Story(to_close=1)
    written.phase(5, "outage", fault="status")
    written.write("5F 100R S 20S", every=10)
    assert written.known().terms.inferred == {}
