"""BRK-08 beyond the contract's cases: what it needs, what is undeclared, and when it accuses nobody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import bursts, tripped


def judged(outcomes="S99R", *, story=None, **burst):
    story = story or Story()
    bursts(story, outcomes, **burst)
    return story.judge("BRK-08")


def test_burst_when_its_phases_were_not_run_then_not_applicable():
    story = Story()
    tripped(story, 10, "hung-trial")
    finding = story.judge("BRK-08")
    assert finding.verdict == "not-applicable"
    assert "phases 8 (burst-good) and 9 (burst-bad) were not run" in finding.notes[0]


def test_burst_when_it_was_never_seen_to_open_then_not_applicable():
    finding = judged("100S", trip="5F")
    assert finding.verdict == "not-applicable"
    assert "never seen to open" in finding.notes[0]


def test_burst_when_it_opened_elsewhere_but_not_here_then_accuses_nobody():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("5F 3R")
    story.silence(2000)
    finding = judged("100S", story=story, trip="5F")
    assert finding.verdict == "inconclusive"
    assert any("not certainly open before the burst" in lack for lack in finding.missing)


def test_burst_when_a_call_closed_it_before_then_accuses_nobody():
    story = Story()
    for _ in range(5):
        tripped(story, 8, "burst-good", latency=400)
        story.write("S")
        story.silence(50)
        story.burst(100, outcomes="100S", lasts={"S": 400})
        story.silence(1600)
    assert story.judge("BRK-08").verdict == "inconclusive"


def test_burst_when_a_straggler_may_have_closed_it_before_then_accuses_nobody():
    story = Story()
    for _ in range(5):
        story.phase(8, "burst-good", fault="status", latency=400)
        story.call("S", at=0, lasts=600)
        story.silence(5)
        story.write("5FR")
        story.silence(1200)
        story.burst(100, outcomes="100S", lasts={"S": 400})
        story.silence(1600)
    finding = story.judge("BRK-08")
    assert finding.verdict == "inconclusive", finding.summary


@pytest.mark.parametrize("name", ["burst-good", "burst-bad"])
def test_burst_when_four_windows_then_a_fifth_is_missing(name):
    finding = judged("S99R" if name == "burst-good" else "F99R", windows=4, name=name)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("4 of 5 windows",)


def test_burst_when_too_few_callers_then_their_number_is_missing():
    finding = judged("S39R", callers=40)
    assert finding.verdict == "inconclusive"
    assert "40 of 50 callers per window" in finding.missing


def test_burst_when_ten_permits_then_ten_times_as_many_callers_are_needed():
    finding = judged("10S80R", story=Story(permits=10), callers=90)
    assert finding.verdict == "inconclusive"
    assert "90 of 100 callers per window" in finding.missing


def test_burst_when_somebody_called_shortly_before_then_was_not_quiet():
    story = Story()
    for _ in range(5):
        tripped(story, 8, "burst-good", wait=700, latency=400)
        story.write("R")
        story.silence(500)
        story.burst(100, outcomes="S99R", lasts={"S": 400})
        story.silence(1600)
    finding = story.judge("BRK-08")
    assert finding.verdict == "inconclusive"
    assert any("0 of 5 windows" in lack for lack in finding.missing)


def test_burst_when_it_came_before_a_trial_was_due_then_says_by_how_much():
    finding = judged("S99R", wait=900)
    assert finding.verdict == "inconclusive"
    assert any("before a trial was due for certain" in lack for lack in finding.missing)


def test_burst_when_one_called_just_before_it_then_overlap_is_not_proven():
    story = Story()
    for _ in range(5):
        tripped(story, 8, "burst-good", latency=400)
        story.write("S")
        story.silence(150)
        story.burst(99, outcomes="99R")
        story.silence(1600)
    finding = story.judge("BRK-08")
    assert finding.verdict == "inconclusive", finding.summary
    assert any("spread / trial latency" in lack for lack in finding.missing)


def test_burst_when_one_of_six_is_not_certainly_open_then_the_others_hold():
    story = Story()
    bursts(story, "S99R")
    bursts(story, "100S", windows=1, trip="4F")
    finding = story.judge("BRK-08")
    assert finding.verdict == "held", finding.summary
    assert finding.observed.value == 1
    assert any("does not count" in note for note in finding.notes)


def test_burst_when_good_calls_came_before_the_trip_then_counts():
    finding = judged("S99R", trip="3S 5FR")
    assert finding.verdict == "held", finding.summary


def test_stragglers_when_each_trial_came_after_the_one_before_then_accuse_nobody():
    story = Story(to_close=3)
    tripped(story, 16, "stragglers")
    story.write("3S", gap=10)
    finding = story.judge("BRK-08")
    assert finding.verdict == "not-applicable"
    assert "no trial was one too many" in finding.notes[-1]


def test_burst_when_a_window_is_spoilt_but_five_are_left_then_holds_with_a_note():
    story = Story()
    bursts(story, "S99R", windows=5)
    bursts(story, "S39R", windows=1, callers=40)
    finding = story.judge("BRK-08")
    assert finding.verdict == "held", finding.summary
    assert finding.rounds == 5
    assert any("does not count: 40 of 50 callers" in note for note in finding.notes)


def test_burst_when_its_phase_lacks_what_it_needs_then_is_inconclusive_with_that():
    story = Story()
    for _ in range(5):
        tripped(story, 8, "burst-good", latency=400, reached=False, why="no 20 good calls")
        story.burst(100, outcomes="S99R", lasts={"S": 400})
        story.silence(1600)
    finding = story.judge("BRK-08")
    assert finding.verdict == "inconclusive"
    assert any("no 20 good calls" in lack for lack in finding.missing)


def test_burst_when_the_log_has_a_gap_then_does_not_count():
    story = Story()
    bursts(story, "S99R", windows=4)
    tripped(story, 8, "burst-good", latency=400)
    story.gap(story.at, story.at + 100)
    story.burst(100, outcomes="S99R", lasts={"S": 400})
    story.silence(1600)
    finding = story.judge("BRK-08")
    assert finding.verdict == "inconclusive"
    assert any("log" in lack for lack in finding.missing)


def test_burst_when_baseline_bars_everything_then_is_inconclusive():
    story = Story()
    story.baseline(200, letter="B")
    bursts(story, "100S")
    assert story.judge("BRK-08").verdict == "inconclusive"


def test_permits_when_undeclared_and_the_burst_is_larger_then_between_the_bounds_is_undecided():
    finding = judged("15S185R", story=Story(permits=None), callers=200)
    assert finding.verdict == "inconclusive"
    assert any("declare trials.permits" in lack for lack in finding.missing)
    assert judged("21S179R", story=Story(permits=None), callers=200).verdict == "violated"


def test_permits_when_four_instances_then_four_are_let_through():
    assert judged("4S96R", story=Story(instances=4)).verdict == "held"
    assert judged("4S96R").verdict == "violated"


def test_trial_when_lost_after_is_over_then_another_may_be_let_through():
    story = Story(call_timeout="none", lost_after=2000)
    for _ in range(5):
        tripped(story, 8, "burst-good", latency=400)
        story.burst(100, outcomes="H99R")
        story.silence(2100)
        story.call("H")
        story.silence(100)
    finding = story.judge("BRK-08")
    assert finding.verdict == "held", finding.summary


def test_sample_when_a_person_counts_again_then_finds_the_verdict():
    finding = judged("3S97R", windows=1)
    assert finding.verdict == "violated"
    (window,) = finding.samples
    rows = {row["rid"]: row for row in finding.counterexample.rows}
    early = [
        rid
        for rid in window["arrivals"]
        if rows[rid]["arrivals"][0]["arrived"] < window["first_settled"]
    ]
    assert len(early) == 3 > finding.limit.value
    assert window["t_open"][1] < window["first_sent"] <= window["last_sent"]


def test_power_when_20_windows_then_says_14_percent():
    finding = judged("S99R", windows=20)
    assert finding.verdict == "held"
    assert "0 of 20" in finding.power and "13.9%" in finding.power


@settings(max_examples=25, deadline=None)
@given(permits=st.integers(1, 5), through=st.integers(1, 60))
def test_burst_when_so_many_come_through_then_violates_exactly_above_the_permits(permits, through):
    story = Story(permits=permits, baseline=200)
    bursts(story, f"{through}S{100 - through}R", windows=5)
    expected = "violated" if through > permits else "held"
    assert story.judge("BRK-08").verdict == expected
