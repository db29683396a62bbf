"""BRK-10 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import good_trials, tripped


def judged(after="25S", *, story=None, **scene):
    story = story or Story()
    good_trials(story, after, **scene)
    return story.judge("BRK-10")


def test_good_trial_when_no_phase_was_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert story.judge("BRK-10").verdict == "not-applicable"


def test_good_trial_when_never_seen_to_open_then_not_applicable():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("20F", every=10)
    story.phase(6, "heal")
    story.write("60S", every=10)
    assert story.judge("BRK-10").verdict == "not-applicable"


def test_good_trial_when_few_calls_follow_then_their_number_is_missing():
    finding = judged("19S")
    assert finding.verdict == "inconclusive"
    assert "19 of 20 calls after each closing" in finding.missing


def test_good_trial_when_held_then_says_how_late_it_was():
    finding = judged()
    assert finding.verdict == "held", finding.summary
    assert "closed 2 times (1 to close, inferred from 2 closings)" in finding.summary
    assert finding.observed.value == pytest.approx(0.011)
    assert "0 of 50" in finding.power


def test_good_trial_when_it_heals_under_load_then_counts():
    story = Story()
    for _ in range(2):
        story.phase(5, "outage", fault="status")
        story.write("5F 60R", every=10)
        story.phase(6, "heal")
        story.write("45R S 40S", every=10)
    finding = story.judge("BRK-10")
    assert finding.verdict == "held", finding.summary


def test_good_trial_when_three_are_declared_and_one_closed_for_fewer_then_violates():
    finding = judged("10R 5S 30R", story=Story(to_close=3), trials="3S", closings=1)
    assert finding.verdict == "violated", finding.summary
    assert "3 of 3 trials succeeded" in finding.summary
    assert "(declared 3 to close)" in finding.summary


@pytest.mark.parametrize(
    ("to_close", "verdict"), [(1, "violated"), (3, "held"), (None, "held")], ids=str
)
def test_good_trial_when_two_more_are_taken_one_by_one_then_depends_on_what_is_declared(
    to_close, verdict
):
    finding = judged("3R S 3R 26S", story=Story(to_close=to_close))
    assert finding.verdict == verdict, finding.summary


def test_good_trial_when_one_call_in_the_first_gap_is_rejected_then_is_allowed():
    finding = judged("R 30S", story=Story(to_close=1))
    assert finding.verdict == "held", finding.summary


def test_good_trial_when_it_takes_more_than_ten_undeclared_then_violates():
    finding = judged("R S " * 12 + "30S", story=Story(permits=None))
    assert finding.verdict == "violated", finding.summary


def test_good_trial_when_a_failure_follows_then_what_comes_after_is_no_breach():
    finding = judged("10S 5F 30R")
    assert finding.verdict == "inconclusive"
    assert "10 of 20 calls after each closing" in finding.missing


def test_good_trial_when_more_than_permitted_fly_before_enough_succeeded_then_violates():
    story = Story(to_close=10, permits=1)
    tripped(story, 8, "burst-good")
    story.write("S", gap=10)
    story.write("10S", every=2, lasts=50)
    story.silence(100)
    finding = story.judge("BRK-10")
    assert finding.verdict == "violated", finding.summary
    assert (
        "in flight at once after the first good trial, before 10 had succeeded" in finding.summary
    )


def test_good_trials_when_all_came_at_once_then_the_crowd_is_of_08_alone():
    story = Story(to_close=3)
    for _ in range(2):
        tripped(story, 8, "burst-good", latency=400)
        story.burst(100, outcomes="100S", lasts={"S": 400})
        story.silence(450)
        story.write("25S", every=10)
        story.silence(1500)
    assert story.judge("BRK-10").verdict == "held", story.judge("BRK-10").summary


def test_closing_when_it_was_never_seen_open_there_then_does_not_count():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("5F 3R")
    story.silence(2000)
    for _ in range(2):
        tripped(story, 8, "burst-good", trip="5F", wait=20)
        story.write("26S", gap=10)
    finding = story.judge("BRK-10")
    assert finding.verdict == "inconclusive"
    assert "0 of 2 closings with 20 calls after" in finding.missing


def test_good_trials_when_only_some_instances_have_closed_then_accuse_nobody():
    story = Story(instances=4, to_close=1)
    tripped(story, 8, "burst-good", trip="20FR")
    story.write("S 3R S 3R S 5R", gap=10)
    assert story.judge("BRK-10").verdict == "inconclusive", story.judge("BRK-10").summary


def test_good_trial_when_the_harness_was_late_then_time_is_not_judged():
    story = Story()
    for _ in range(2):
        tripped(story, 8, "burst-good", lag=200)
        story.write("S", gap=250)
        story.write("40R", every=10)
        story.silence(1500)
    finding = story.judge("BRK-10")
    assert finding.verdict == "inconclusive"
    assert any("the harness itself was" in lack for lack in finding.missing)


def test_good_trial_when_four_instances_close_one_by_one_then_holds():
    story = Story(instances=4)
    for _ in range(2):
        tripped(story, 8, "burst-good", trip="20FR")
        story.write("S R S R S R 46S", gap=10)
        story.silence(1500)
    assert story.judge("BRK-10").verdict == "held", story.judge("BRK-10").summary


def test_sample_when_a_person_counts_again_then_finds_the_verdict():
    finding = judged("40R", closings=1)
    (closing,) = finding.samples
    assert closing["short_circuited"] == [row["rid"] for row in finding.counterexample.rows[1:]]
    assert closing["closed"][1] < closing["deadline"] < finding.counterexample.rows[3]["sent"]


def test_good_trial_when_calls_before_the_next_phase_are_still_refused_then_is_violated():
    story = Story()
    tripped(story, 8, "burst-good")
    story.write("S")
    story.phase(0, "before-burst-bad")
    story.write("60R", every=10)
    assert story.judge("BRK-10").verdict == "violated"
