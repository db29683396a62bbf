"""Half-open: how many trials there are, what a failed and what a good one does, and who waits for it."""

import pytest

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import (
    LATENCY,
    bursts,
    failed_trials,
    good_trials,
    parked,
    tripped,
)


@case("C-28")
@pytest.mark.parametrize("invariant", ["BRK-08", "BRK-11"])
def test_burst_when_one_is_let_through_then_holds(invariant):
    story = Story()
    bursts(story, "S99R")
    finding = story.judge(invariant)
    assert finding.verdict == "held", finding.summary
    assert finding.rounds == 5
    assert "45.1%" in finding.power


@case("C-29")
def test_burst_when_all_are_let_through_then_violates_with_the_excess():
    story = Story()
    bursts(story, "100S", windows=1)
    finding = story.judge("BRK-08")
    assert finding.verdict == "violated"
    assert "100 of 100 callers were forwarded within 11 ms" in finding.summary
    assert "permits 1" in finding.summary
    assert finding.observed.value == 100
    assert finding.limit.value == 1
    assert len(finding.counterexample.rows) == 50
    assert finding.counterexample.rows_left_out == 50


@case("C-30")
def test_burst_when_a_second_comes_after_the_first_settled_then_holds():
    story = Story()
    for _ in range(5):
        tripped(story, 8, "burst-good", latency=LATENCY)
        start = story.at
        story.burst(99, outcomes="S98R", lasts={"S": LATENCY})
        comes = start + LATENCY + 5
        story.call("S", at=start + 10, arrives=comes - start - 10, lasts=LATENCY + 10)
        story.silence(4 * LATENCY)
    finding = story.judge("BRK-08")
    assert finding.verdict == "held", finding.summary
    assert finding.observed.value == 1


@case("C-31")
def test_burst_when_too_wide_for_the_trial_then_is_inconclusive_with_the_ratio():
    story = Story()
    bursts(story, "S99R", spread=300)
    finding = story.judge("BRK-08")
    assert finding.verdict == "inconclusive"
    assert any("spread / trial latency is 0.75" in lack for lack in finding.missing)
    assert any("0 of 5 windows" in lack for lack in finding.missing)


@case("C-31")
def test_burst_when_too_wide_but_three_certainly_came_before_then_is_violated():
    story = Story()
    bursts(story, "3S97R", spread=300)
    finding = story.judge("BRK-08")
    assert finding.verdict == "violated"
    assert finding.observed.value == 3


@case("C-32")
def test_parked_callers_when_released_at_once_then_violate_11_and_not_08():
    story = Story()
    parked(story)
    assert story.judge("BRK-08").verdict == "held", story.judge("BRK-08").summary
    finding = story.judge("BRK-11")
    assert finding.verdict == "violated"
    assert "99 calls parked" in finding.summary
    assert "21 would be tolerated (1 permit + a fifth of 100)" in finding.summary


@case("C-32")
def test_parked_callers_when_they_waited_for_the_trial_then_were_not_rejected_fast():
    story = Story()
    parked(story, released=0)
    assert story.judge("BRK-08").verdict == "held"


@case("C-33")
def test_burst_when_ten_are_permitted_and_ten_come_then_holds():
    story = Story(permits=10, to_close=10)
    bursts(story, "10S90R")
    finding = story.judge("BRK-08")
    assert finding.verdict == "held", finding.summary
    assert finding.observed.value == 10


@case("C-34")
def test_burst_when_permits_are_undeclared_then_is_judged_against_ten_and_says_so():
    story = Story(permits=None)
    bursts(story, "4S96R")
    finding = story.judge("BRK-08")
    assert finding.verdict == "held", finding.summary
    assert "judged against 10" in finding.summary
    assert any("permits not declared: judged against 10" in note for note in finding.notes)


@case("C-35")
@pytest.mark.parametrize(("windows", "verdict"), [(2, "held"), (1, "inconclusive")])
def test_failed_trial_when_all_are_rejected_for_the_open_time_then_holds_after_two(
    windows, verdict
):
    story = Story()
    failed_trials(story, "80R", windows=windows)
    finding = story.judge("BRK-09")
    assert finding.verdict == verdict, finding.summary
    if verdict == "inconclusive":
        assert any("1 of 2 windows" in lack for lack in finding.missing)


@case("C-36")
def test_failed_trial_when_the_next_call_is_forwarded_5_later_then_violates():
    story = Story()
    tripped(story, 9, "burst-bad")
    story.write("F")
    story.silence(5)
    story.write("F 40R", every=10)
    finding = story.judge("BRK-09")
    assert finding.verdict == "violated", finding.summary
    trial, next_call = finding.counterexample.rows[:2]
    assert next_call["sent"] - trial["answered"] == pytest.approx(0.005)


@case("C-37")
@pytest.mark.parametrize(("closings", "verdict"), [(2, "held"), (1, "inconclusive")])
def test_good_trial_when_all_are_forwarded_then_holds_after_two_closings(closings, verdict):
    story = Story()
    good_trials(story, "20S", closings=closings)
    finding = story.judge("BRK-10")
    assert finding.verdict == verdict, finding.summary
    if verdict == "inconclusive":
        assert any("1 of 2 closings" in lack for lack in finding.missing)


@case("C-38")
def test_good_trial_when_all_are_rejected_after_it_then_violates():
    story = Story()
    good_trials(story, "40R", closings=1)
    finding = story.judge("BRK-10")
    assert finding.verdict == "violated", finding.summary
    assert "40 of the next 40 calls were short-circuited" in finding.summary
