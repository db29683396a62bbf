"""BRK-17 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import tripped

IGNORED = {"ignored": "status >= 400 and status < 500"}


def judged(pattern, *, gap=10, **declared):
    story = Story(**declared)
    story.phase(14, "ignored", fault="status")
    story.write(pattern, gap=gap)
    return story.judge("BRK-17")


def test_ignored_when_the_phase_was_not_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert "phase 14 (ignored) was not run" in story.judge("BRK-17").notes[0]


def test_ignored_when_there_is_no_breaker_then_holds():
    finding = judged("25I 4F I 20F")
    assert finding.verdict == "held", finding.summary


def test_ignored_when_undeclared_then_says_what_it_was_judged_by():
    assert "ignored not declared: judged by answers of 4xx" in judged("25I").notes
    assert not judged("25I", **IGNORED).notes


def test_ignored_when_they_open_it_then_violates_with_status_and_number():
    finding = judged("25I R")
    assert finding.verdict == "violated"
    assert finding.summary.endswith("was short-circuited after 25 answers of 404 and no failure")
    assert finding.counterexample.rows[0]["class"] == "short-circuited"


def test_ignored_when_one_of_them_counts_as_the_last_failure_then_violates():
    finding = judged("25I S 4F I R")
    assert finding.verdict == "violated"
    assert "after 4 failures and 1 answers of 404; 5 failures open" in finding.summary


def test_ignored_when_too_few_then_their_number_is_missing():
    finding = judged("24I")
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("24 of 25 ignored answers in a row",)


def test_ignored_when_threshold_is_unknown_then_is_inconclusive():
    finding = judged("25I", threshold=None)
    assert finding.verdict == "inconclusive"
    assert "neither declared nor inferred" in finding.summary


@pytest.mark.parametrize(
    ("ignored_as", "more", "verdict"),
    [
        ("nothing", 1, "held"),
        ("nothing", 5, "violated"),
        ("nothing", 3, "inconclusive"),
        ("success", 5, "held"),
        ("success", 1, "violated"),
        (None, 1, "held"),
        (None, 5, "held"),
    ],
)
def test_ignored_when_between_failures_then_counts_as_it_is_declared(ignored_as, more, verdict):
    finding = judged(f"25I S 4F I {more}F R", ignored_as=ignored_as, **IGNORED)
    assert finding.verdict == verdict, finding.summary
    if ignored_as is None:
        assert any(f"{more} more failures opened it" in note for note in finding.notes)


def test_ignored_when_declared_but_not_tried_between_failures_then_that_is_missing():
    finding = judged("25I", ignored_as="nothing")
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("0 of 1 ignored answers between failures",)


@pytest.mark.parametrize(("after", "verdict"), [("80R", "violated"), ("60R 20S", "held")])
def test_trial_when_answered_with_an_ignored_outcome_then_must_not_wedge(after, verdict):
    story = Story()
    story.phase(14, "ignored", fault="status", rate=50, planned=0)
    story.write("25I", gap=10)
    story.write("S", gap=10)
    story.write("5FR", gap=10)
    story.silence(1100)
    story.write("I", gap=20)
    story.write(after, every=20)
    finding = story.judge("BRK-17")
    assert finding.verdict == verdict, finding.summary
    if verdict == "violated":
        assert "was answered with an ignored outcome, no call was forwarded" in finding.summary
    else:
        assert any("none wedged it" in note for note in finding.notes)


def test_trial_when_some_wait_for_ever_but_another_is_let_through_then_is_not_wedged():
    story = Story()
    story.phase(14, "ignored", fault="status", rate=50, planned=0)
    story.write("25I", gap=10)
    story.write("S", gap=10)
    story.write("5FR", gap=10)
    story.silence(1100)
    story.write("I", gap=20)
    story.write("H", every=20, arrives=None)
    story.write("60R 20S", every=20)
    assert story.judge("BRK-17").verdict != "violated"


def test_ignored_when_order_is_not_certain_then_accuses_nobody():
    story = Story()
    story.phase(14, "ignored", fault="status")
    story.write("25I", every=2)
    story.write("R")
    finding = story.judge("BRK-17")
    assert finding.verdict == "inconclusive"
    assert any("order is not certain" in lack for lack in finding.missing)


def test_power_when_held_then_says_the_share_that_would_have_shown():
    assert "0 of 25: a chance of 11.3% or more" in judged("25I").power
