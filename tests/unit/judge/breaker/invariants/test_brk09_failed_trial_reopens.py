"""BRK-09 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import bursts, failed_trials, tripped


def judged(after="80R", *, story=None, **scene):
    story = story or Story()
    failed_trials(story, after, **scene)
    return story.judge("BRK-09")


def test_failed_trial_when_no_phase_was_run_then_not_applicable():
    story = Story()
    tripped(story, 8, "burst-good")
    finding = story.judge("BRK-09")
    assert finding.verdict == "not-applicable"
    assert "phases 5 (outage) and 9 (burst-bad) were not run" in finding.notes[0]


def test_failed_trial_when_never_seen_to_open_then_not_applicable():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("300F", every=10)
    finding = story.judge("BRK-09")
    assert finding.verdict == "not-applicable"
    assert "never seen to open" in finding.notes[0]


def test_failed_trial_when_few_calls_follow_then_their_number_is_missing():
    finding = judged("19R", every=50)
    assert finding.verdict == "inconclusive"
    assert "19 of 20 calls offered in each" in finding.missing


def test_failed_trial_when_none_failed_then_windows_are_missing():
    story = Story()
    tripped(story, 9, "burst-bad")
    finding = story.judge("BRK-09")
    assert finding.verdict == "inconclusive"
    assert any("0 of 2 windows after a failed trial" in lack for lack in finding.missing)


def test_failed_trial_when_held_then_says_how_long_nothing_arrived():
    finding = judged("80R 5S", every=12.5)
    assert finding.verdict == "held", finding.summary
    assert "2 failed trials, each followed by at least 1.0" in finding.summary
    assert "0 of " in finding.power


@pytest.mark.parametrize(
    ("declared", "verdict"),
    [
        ({"permits": 1}, "violated"),
        ({"permits": 3, "to_reopen": 1}, "violated"),
        ({"permits": 3, "to_reopen": 2}, "inconclusive"),
        ({"permits": None}, "inconclusive"),
    ],
    ids=["one-permit", "to-reopen-1", "to-reopen-2", "undeclared"],
)
def test_failed_trial_when_a_second_follows_then_violates_only_if_one_reopens(declared, verdict):
    story = Story(**declared)
    tripped(story, 9, "burst-bad")
    story.write("F", gap=10)
    story.write("F 80R", every=10)
    finding = story.judge("BRK-09")
    assert finding.verdict == verdict, finding.summary
    # The second trial failed as well: the open time counts from there, and that is one window.
    if verdict == "inconclusive":
        assert "1 of 2 windows after a failed trial" in finding.missing


def test_failed_trials_when_undeclared_and_eleven_follow_each_other_then_violates():
    story = Story(permits=None)
    tripped(story, 9, "burst-bad")
    story.write("11F 60R", gap=10)
    finding = story.judge("BRK-09")
    assert finding.verdict == "violated", finding.summary
    assert "10 trials failed, yet r00217 was forwarded" in finding.summary


def test_failed_trial_when_it_takes_the_whole_threshold_again_then_violates():
    """Half-open that counts from zero: five failures more until it opens."""
    finding = judged("4F 60R", every=10, windows=1)
    assert finding.verdict == "violated"
    assert "4 of " in finding.summary
    assert "r00" in finding.counterexample.rows[0]["rid"]


def test_stampede_when_all_trials_fail_together_then_holds():
    """Without permits the crowd was admitted before the first of them failed: BRK-08's finding."""
    story = Story()
    for _ in range(2):
        tripped(story, 9, "burst-bad", latency=400)
        story.burst(100, outcomes="100F", lasts={"F": 400})
        story.silence(450)
        story.write("50R", every=10)
        story.silence(2000)
    assert story.judge("BRK-09").verdict == "held", story.judge("BRK-09").summary
    assert story.judge("BRK-08").verdict == "violated"


def test_failed_trial_when_the_open_time_backs_off_then_counts_the_longer_one():
    story = Story(factor=2)
    failed_trials(story, "90R F 40R", every=12.5, windows=1)
    finding = story.judge("BRK-09")
    assert finding.verdict == "violated", finding.summary
    assert "open for 2.00 s" in finding.summary


def test_failed_trial_when_the_harness_was_late_then_time_is_not_judged():
    story = Story()
    tripped(story, 9, "burst-bad", lag=400)
    story.write("F", gap=500)
    story.write("F 40R", every=10)
    finding = story.judge("BRK-09")
    assert finding.verdict == "inconclusive"
    assert any("the harness itself was" in lack for lack in finding.missing)


def test_failed_trial_when_the_log_has_a_gap_then_is_no_window():
    story = Story()
    for _ in range(2):
        tripped(story, 9, "burst-bad")
        story.write("F", gap=10)
        story.gap(story.at + 100, story.at + 200)
        story.write("80R", every=12.5)
        story.silence(1500)
    assert story.judge("BRK-09").verdict == "inconclusive"


def test_failed_trial_when_instances_are_four_then_four_may_fail():
    story = Story(instances=4)
    tripped(story, 9, "burst-bad", trip="20FR")
    story.write("4F 60R", gap=10)
    assert story.judge("BRK-09").verdict != "violated"


def test_bursts_when_one_of_each_fails_then_hold_without_further_load_is_inconclusive():
    story = Story()
    bursts(story, "F99R", name="burst-bad")
    finding = story.judge("BRK-09")
    assert finding.verdict == "inconclusive"
    assert any("of 20 calls offered in each" in lack for lack in finding.missing)
