"""BRK-14 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import departed_trial, tripped


def judged(*after, story=None, **trial):
    story = story or Story()
    departed_trial(story, after, **trial)
    return story.judge("BRK-14")


def test_departed_when_the_phase_was_not_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert "phase 11 (departing-trial) was not run" in story.judge("BRK-14").notes[0]


def test_departed_when_never_seen_to_open_then_not_applicable():
    story = Story()
    tripped(story, 11, "departing-trial", trip="5F", given={"trial": "the-trial"})
    story.call("L", rid="the-trial")
    story.silence(60)
    story.write("80S", every=20)
    assert story.judge("BRK-14").verdict == "not-applicable"


def test_departed_when_the_permit_is_free_at_once_then_holds():
    finding = judged(("3R 70S", 20))
    assert finding.verdict == "held", finding.summary
    assert any("gave up its call for the-trial 0.00 s after" in note for note in finding.notes)


def test_departed_when_none_is_let_through_any_more_then_violates():
    finding = judged(("80R", 20))
    assert finding.verdict == "violated", finding.summary
    assert "after the caller of the trial the-trial left, 0 of " in finding.summary


def test_departed_when_the_service_did_not_notice_then_says_so():
    finding = judged(("66R 20S", 20), ended=290, arrival_end="open")
    assert any("did not give up its call" in note for note in finding.notes)


def test_departed_when_the_trial_had_not_arrived_then_is_inconclusive():
    finding = judged(("3R 70S", 20), arrives=60)
    assert finding.verdict == "inconclusive"
    assert any("not seen at the hop before its caller left" in lack for lack in finding.missing)
    assert "0 of 1 trials at the hop before their caller left" in finding.missing


def test_departed_when_the_caller_stayed_then_is_inconclusive():
    story = Story()
    tripped(story, 11, "departing-trial", given={"trial": "the-trial"})
    story.call("T", rid="the-trial")
    story.silence(20)
    story.write("80R", every=20)
    finding = story.judge("BRK-14")
    assert finding.verdict == "inconclusive"
    assert any("did not leave" in lack for lack in finding.missing)


def test_departed_when_few_calls_follow_then_their_number_is_missing():
    finding = judged(("3R 20S", 20))
    assert finding.verdict == "inconclusive"
    assert any("of 60 calls after the trial" in lack for lack in finding.missing)


def test_departed_when_no_call_time_out_then_lost_after_is_the_bound():
    story = Story(call_timeout="none", lost_after=2000)
    finding = judged(("140R 20S", 20), story=story, ended=9000)
    assert finding.verdict == "held", finding.summary
    assert finding.limit.value == pytest.approx(3.022)
    assert finding.limit.source.startswith("lost_after 2.00 s")
