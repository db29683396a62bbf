"""BRK-13 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import hung_trial, tripped


def judged(*after, story=None, **trial):
    story = story or Story()
    hung_trial(story, after, **trial)
    return story.judge("BRK-13")


def test_hung_when_the_phase_was_not_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert "phase 10 (hung-trial) was not run" in story.judge("BRK-13").notes[0]


def test_hung_when_never_seen_to_open_then_not_applicable():
    story = Story()
    tripped(story, 10, "hung-trial", trip="5F", given={"trial": "the-trial"})
    story.call("H", rid="the-trial")
    story.silence(20)
    story.write("80S", every=20)
    assert story.judge("BRK-13").verdict == "not-applicable"


def test_hung_when_one_is_forwarded_within_the_bound_then_holds():
    finding = judged(("64R 20S", 20), letter="T")
    assert finding.verdict == "held", finding.summary
    assert "bound 1.32 s" in finding.summary
    assert finding.limit.value == pytest.approx(1.322)


def test_hung_when_one_is_forwarded_too_late_then_violates_and_says_when():
    finding = judged(("100R 20S", 20), letter="T")
    assert finding.verdict == "violated", finding.summary
    assert "was let through after 2.0" in finding.summary


def test_hung_when_the_first_to_ask_gets_it_but_arrives_late_then_holds():
    """The bound is as fine as the calls: one sent in time is in time."""
    story = Story()
    hung_trial(story, [("65R", 20)], letter="T")
    story.write("S", every=20, arrives=15)
    story.write("20S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "held", finding.summary
    assert finding.observed.value > finding.limit.value


def test_hung_when_some_wait_for_ever_but_another_is_let_through_then_holds():
    story = Story()
    hung_trial(story, [], letter="T", every=20)
    story.silence(20)
    story.write("5H", every=20, arrives=None)
    story.write("58R 20S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "held", finding.summary


def test_hung_when_one_was_refused_and_the_next_got_it_by_the_bound_then_holds():
    story = Story()
    hung_trial(story, [("64R", 20)], letter="T")
    story.silence(6)
    story.write("R", every=5)
    story.write("20S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "held", finding.summary


@pytest.mark.parametrize(("before", "verdict"), [(1300, "held"), (1310, "inconclusive")])
def test_hung_when_the_first_to_ask_came_half_a_gap_late_then_holds(before, verdict):
    """Free from 1,303 on after the trial, bound at 1,323; calls every 20 come up to 10 late."""
    story = Story()
    hung_trial(story, [("60R", 20)], letter="T")
    begun = story.at - 61 * 20
    for letter, at in (("R", before), ("S", 1328), ("R", 1340)):
        story.call(letter, at=begun + at)
    story.silence(200)
    story.write("20S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == verdict, finding.summary


def test_hung_when_one_was_refused_within_the_last_gap_then_is_undecided():
    finding = judged(("66R 20S", 20), letter="T")
    assert finding.verdict == "inconclusive", finding.summary
    assert any(lack.endswith("was not") for lack in finding.missing)


def test_hung_when_nobody_asked_around_the_bound_then_is_undecided():
    story = Story()
    hung_trial(story, [("60R", 20)], letter="T")
    story.silence(1000)
    story.write("20S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "inconclusive", finding.summary
    assert any("none asked in between" in lack for lack in finding.missing)


def test_hung_when_few_calls_follow_then_their_number_is_missing():
    finding = judged(("13R 10S", 100), letter="T")
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("23 of 60 calls after the trial",)


def test_hung_when_it_ends_before_the_bound_then_the_seconds_are_missing():
    finding = judged(("60R", 20))
    assert finding.verdict == "inconclusive"
    assert "1.199 of 1.322 seconds of calls after the trial" in finding.missing


def test_hung_when_the_trial_was_answered_then_nothing_hung():
    finding = judged(("80R", 20), letter="S")
    assert finding.verdict == "inconclusive"
    assert "0 of 1 trials hung" in finding.missing
    assert any("was answered, so it did not hang" in lack for lack in finding.missing)


def test_hung_when_no_trial_is_on_record_then_is_inconclusive():
    story = Story()
    tripped(story, 10, "hung-trial")
    story.write("80R", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "inconclusive"
    assert any("no trial was let through" in lack for lack in finding.missing)


def test_hung_when_the_trial_never_reached_the_hop_then_is_inconclusive():
    finding = judged(("80R", 20), letter="R")
    assert finding.verdict == "inconclusive"
    assert any("no trial was let through" in lack for lack in finding.missing)


def test_hung_when_a_bulkhead_may_have_refused_the_others_then_accuses_nobody():
    story = Story(bulkhead=1)
    story.phase(10, "hung-trial", fault="status", rate=50, given={"trial": "the-trial"}, planned=0)
    story.write("5FR", gap=20)
    story.silence(1100)
    story.call("H", rid="the-trial")
    story.silence(20)
    story.write("80R", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "inconclusive", finding.summary


def test_hung_when_others_were_hit_as_well_then_says_how_many():
    story = Story()
    hung_trial(story, [("64R", 20)], letter="T")
    story.write("2S", every=20, injected=("blackhole",))
    story.write("20S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "inconclusive"
    assert any("calls hit beside the trial is" in lack for lack in finding.missing)


@pytest.mark.parametrize("trip", ["4F", "5F"])
def test_hung_when_it_was_not_seen_open_in_this_phase_then_accuses_nobody(trip):
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("5F 3R")
    story.silence(2000)
    tripped(story, 10, "hung-trial", trip=trip, given={"trial": "the-trial"}, wait=100)
    story.call("H", rid="the-trial")
    story.silence(20)
    story.write("80S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "inconclusive"
    assert any("not certainly open before the trial" in lack for lack in finding.missing)


def test_hung_when_nothing_is_declared_then_judged_by_10_s_or_three_open_times():
    undeclared = {"call_timeout": None, "open": None, "permits": None, "threshold": None}

    def story():
        one = Story(**undeclared)
        for _ in range(3):
            one.phase(5, "outage", fault="status")
            one.write("5F 98R F 99R F 5R", every=10)
            one.phase(6, "heal")
            one.write("95R 40S", every=10)
            one.silence(1500)
        return one

    finding = judged(("450R", 20), story=story())
    assert finding.verdict == "inconclusive", finding.summary
    assert any("seconds of calls after the trial" in lack for lack in finding.missing)
    finding = judged(("510R", 20), story=story())
    assert finding.verdict == "violated", finding.summary
    assert "neither call_timeout nor lost_after declared: 10.00 s" in finding.summary


def test_hung_when_the_open_time_grows_then_the_longer_one_is_allowed():
    finding = judged(("100R 20S", 20), story=Story(factor=2), letter="T")
    assert finding.verdict == "held", finding.summary
    assert finding.limit.value == pytest.approx(2.322)


def test_hung_when_others_wait_with_a_time_out_then_holds_and_says_that_they_waited():
    """Callers wait for the trial instead of being rejected: BRK-05's finding."""
    story = Story(others="wait")
    hung_trial(story, [], letter="T", every=20)
    for index in range(10):
        story.call("R", at=story.at + 20 * (index + 1), lasts=290 - 20 * index)
    story.silence(300)
    story.write("50R 20S", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "held", finding.summary
    assert any("were not rejected within 0.05 s" in note for note in finding.notes)


def test_hung_when_all_wait_and_nobody_is_let_through_then_violates():
    """A trial without a time-out, awaited by all others."""
    story = Story(call_timeout="none", lost_after=2000)
    hung_trial(story, [], every=50)
    story.silence(50)
    story.write("120H", every=50, arrives=None)
    finding = story.judge("BRK-13")
    assert finding.verdict == "violated", finding.summary
    assert "never answered" in finding.summary


@pytest.mark.parametrize("letter", "HT")
def test_hung_when_there_are_no_permits_then_holds_with_a_word_of_08(letter):
    finding = judged(("80S", 20), letter=letter)
    assert finding.verdict == "held", finding.summary
    assert any("permits are not limited, see BRK-08" in note for note in finding.notes)


def test_hung_when_the_log_was_lost_then_accuses_nobody():
    story = Story()
    hung_trial(story, [("20R", 20)])
    story.gap(story.at, story.at + 100)
    story.write("60R", every=20)
    assert story.judge("BRK-13").verdict == "inconclusive"


def test_hung_when_the_harness_was_late_then_time_is_not_judged():
    story = Story()
    tripped(story, 10, "hung-trial", lag=40, given={"trial": "the-trial"})
    story.call("H", rid="the-trial")
    story.silence(20)
    story.write("80R", every=20)
    finding = story.judge("BRK-13")
    assert finding.verdict == "inconclusive"
    assert any("the harness itself was" in lack for lack in finding.missing)


def test_sample_when_a_person_counts_again_then_finds_the_verdict():
    finding = judged(("80R", 20))
    (wait,) = finding.samples
    assert wait["deadline"] - wait["since"] == pytest.approx(finding.limit.value)
    assert wait["forwarded"] is None
    refused = finding.counterexample.rows[1]
    assert refused["rid"] == wait["refused_after_deadline"]
    assert refused["sent"] >= wait["deadline"]
