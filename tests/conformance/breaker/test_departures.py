"""Calls that end in neither success nor failure: hung and departed trials, departures, ignored answers."""

import pytest

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import departed_trial, hung_trial


@case("C-41")
def test_hung_trial_when_all_are_rejected_past_the_bound_then_violates():
    story = Story()
    hung_trial(story, [("60R", 22.5)])
    finding = story.judge("BRK-13")
    assert finding.verdict == "violated", finding.summary
    assert "the trial the-trial got no answer" in finding.summary
    assert "0 of 60 calls" in finding.summary
    assert "all were answered 503" in finding.summary
    assert finding.counterexample.rows[0]["rid"] == "the-trial"


@case("C-41")
@pytest.mark.parametrize(("seconds", "verdict"), [(5.9, "inconclusive"), (6.1, "violated")])
def test_hung_trial_when_it_is_lost_after_5_s_then_is_undecided_until_6(seconds, verdict):
    story = Story(call_timeout="none", lost_after=5000)
    hung_trial(story, [(f"{round(seconds * 50)}R", 20)])
    finding = story.judge("BRK-13")
    assert finding.verdict == verdict, finding.summary
    if verdict == "inconclusive":
        assert any("seconds of calls after the trial" in lack for lack in finding.missing)


@case("C-42")
def test_hung_trial_when_callers_are_neither_answered_nor_arrive_then_violates():
    story = Story()
    hung_trial(story, [], every=22.5)
    story.silence(22.5)
    story.write("60H", every=22.5, arrives=None)
    story.silence(100)
    finding = story.judge("BRK-13")
    assert finding.verdict == "violated", finding.summary
    assert "60 of them were never answered" in finding.summary
    assert any("BRK-05" in note for note in finding.notes)


@case("C-43")
def test_departed_trial_when_one_is_forwarded_after_both_times_then_holds():
    story = Story()
    departed_trial(story, [("64R", 20), ("20S", 20)], ended=301)
    finding = story.judge("BRK-14")
    assert finding.verdict == "held", finding.summary
    assert any("gave up its call for the-trial" in note for note in finding.notes)


def departures(pattern, **declared):
    story = Story(**declared)
    story.phase(13, "departures", fault="status")
    story.write(pattern, gap=10)
    return story


@case("C-46")
def test_departure_when_one_more_failure_opens_then_holds():
    finding = departures("4F L FR").judge("BRK-16")
    assert finding.verdict == "held", finding.summary


@case("C-47")
def test_departure_when_five_more_are_needed_then_counted_as_success():
    finding = departures("4F L 5F R").judge("BRK-16")
    assert finding.verdict == "violated", finding.summary
    assert (
        finding.summary == "after 4 failures a departing caller reset the count: "
        "5 more failures were needed instead of 1"
    )


@case("C-48")
def test_departure_when_the_downstream_answered_it_then_is_inconclusive():
    story = Story()
    story.phase(13, "departures", fault="status")
    story.write("4F", gap=10)
    story.call("L", arrival_end="answered", arrival_status=200)
    story.silence(70)
    story.write("5FR", gap=10)
    finding = story.judge("BRK-16")
    assert finding.verdict == "inconclusive", finding.summary
    assert any("that answer counted, rightly" in lack for lack in finding.missing)


@case("C-49")
@pytest.mark.parametrize(("cancellation", "verdict"), [(None, "violated"), ("failure", "held")])
def test_departure_when_it_opens_at_once_then_violates_unless_it_may_fail(cancellation, verdict):
    finding = departures("4F L R", cancellation=cancellation).judge("BRK-16")
    assert finding.verdict == verdict, finding.summary


@case("C-49")
def test_departure_when_it_opens_at_once_and_nothing_is_declared_then_says_what_it_may_mean():
    story = Story(threshold=None)
    for _ in range(3):
        story.phase(4, "exact-trip", fault="status")
        story.write("5F 20R", gap=10)
        story.silence(1100)
        story.write("20S", gap=10)
    story.phase(13, "departures", fault="status")
    story.write("4F L R", gap=10)
    finding = story.judge("BRK-16")
    assert finding.verdict == "inconclusive", finding.summary
    assert "opened with the departure itself, after 4 of 5 failures" in finding.summary
    assert "declare cancellation: failure if that is meant" in finding.summary
    assert "neither 1" not in finding.summary


@case("C-50")
def test_ignored_when_25_open_nothing_then_holds():
    story = Story()
    story.phase(14, "ignored", fault="status")
    story.write("25I", gap=10)
    finding = story.judge("BRK-17")
    assert finding.verdict == "held", finding.summary
