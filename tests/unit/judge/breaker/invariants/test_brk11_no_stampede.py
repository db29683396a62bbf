"""BRK-11 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import bursts, parked, tripped


def test_parked_when_the_phase_was_not_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert "phase 8 (burst-good) was not run" in story.judge("BRK-11").notes[0]


def test_parked_when_all_were_let_through_at_once_then_nobody_was():
    story = Story()
    bursts(story, "100S")
    finding = story.judge("BRK-11")
    assert finding.verdict == "not-applicable"
    assert "nobody was parked" in finding.notes[0]


def test_parked_when_never_seen_to_open_then_not_applicable():
    story = Story()
    bursts(story, "100S", trip="5F")
    assert story.judge("BRK-11").verdict == "not-applicable"


def test_parked_when_released_one_by_one_then_holds():
    """A lock around the call: BRK-22's finding, and no stampede."""
    story = Story()
    parked(story, at_once=False, windows=5)
    finding = story.judge("BRK-11")
    assert finding.verdict == "held", finding.summary
    assert finding.observed.value <= 12


@pytest.mark.parametrize(
    ("declared", "bound"), [({}, 21), ({"bulkhead": 50}, 51), ({"permits": 10}, 30)]
)
def test_parked_when_the_bound_is_reached_then_holds_and_one_more_violates(declared, bound):
    for released, verdict in ((bound, "held"), (bound + 1, "violated")):
        story = Story(**declared)
        parked(story, released=released)
        finding = story.judge("BRK-11")
        assert finding.verdict == verdict, (released, finding.summary)
        assert finding.limit.value == bound


def test_parked_when_permits_are_undeclared_then_judged_against_ten():
    story = Story(permits=None)
    parked(story, released=30)
    finding = story.judge("BRK-11")
    assert finding.verdict == "held", finding.summary
    assert any("judged against 10" in note for note in finding.notes)


def test_parked_when_the_trial_failed_then_windows_are_missing():
    story = Story()
    bursts(story, "F99R")
    finding = story.judge("BRK-11")
    assert finding.verdict == "inconclusive"
    assert any("the trial did not succeed" in lack for lack in finding.missing)
    assert any("0 of 5 windows" in lack for lack in finding.missing)


def test_parked_when_four_windows_then_a_fifth_is_missing():
    story = Story()
    bursts(story, "S99R", windows=4)
    assert story.judge("BRK-11").missing == ("4 of 5 windows",)


def test_parked_when_few_callers_then_their_number_is_missing():
    story = Story()
    bursts(story, "S39R", callers=40)
    finding = story.judge("BRK-11")
    assert finding.verdict == "inconclusive"
    assert "40 of 50 callers per window" in finding.missing


def test_closing_when_new_calls_come_then_they_are_ordinary_traffic():
    story = Story()
    for _ in range(5):
        tripped(story, 8, "burst-good", latency=400)
        story.burst(100, outcomes="S99R", lasts={"S": 400})
        story.silence(400)
        story.write("80S", every=1)
        story.silence(1000)
    assert story.judge("BRK-11").verdict == "held", story.judge("BRK-11").summary


def test_closing_when_held_then_the_peak_in_flight_stands_beside_it():
    story = Story()
    parked(story, released=15)
    finding = story.judge("BRK-11")
    assert finding.verdict == "held"
    assert "at most 15 requests in flight then" in finding.notes


def test_parked_when_the_worse_release_is_uncertain_then_the_certain_one_accuses():
    story = Story()
    parked(story, windows=1, released=50)
    parked(story, windows=1, trip="4F")
    finding = story.judge("BRK-11")
    assert finding.verdict == "violated"
    assert finding.observed.value == 50


def test_parked_when_the_breaker_was_not_certainly_open_then_accuses_nobody():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("5F 3R")
    story.silence(2000)
    parked(story, trip="4F")
    finding = story.judge("BRK-11")
    assert finding.verdict == "inconclusive", finding.summary
    assert any("not certainly open before the burst" in lack for lack in finding.missing)


def test_counterexample_when_a_stampede_then_holds_the_trial_first_and_the_parked_after():
    story = Story()
    parked(story, windows=1)
    finding = story.judge("BRK-11")
    assert finding.verdict == "violated"
    trial, *others = finding.counterexample.rows
    settled = trial["arrivals"][0]["ended"]
    assert all(row["sent"] < settled <= row["arrivals"][0]["arrived"] for row in others)
    assert len(others) + finding.counterexample.rows_left_out == 99
