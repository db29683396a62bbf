"""What is decided before a call is looked at: by the order of phase, baseline, and a state that was seen."""

from harness.judge.breaker.finding import Draft, Subject
from harness.judge.breaker.judgeable import not_judgeable, not_run
from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import tripped

SUBJECT = Subject(id="BRK-99", name="a name", severity="minor", condition="so", phases=(8,))


def decided(story, *numbers, **more):
    return not_judgeable(Draft(subject=SUBJECT), story.known(), *numbers, **more)


def test_phases_when_not_run_then_are_named_with_their_words():
    assert not_run(10) == "phase 10 (hung-trial) was not run"
    assert not_run(8, 9) == "phases 8 (burst-good) and 9 (burst-bad) were not run"
    assert not_run(2, 8, 9) == (
        "phases 2 (transparent), 8 (burst-good) and 9 (burst-bad) were not run"
    )


def test_phase_when_one_of_several_was_run_then_it_has_to_be_looked_at():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert decided(story, 8, 9) is None
    assert decided(story, 8).verdict == "not-applicable"


def test_baseline_when_it_bars_then_is_inconclusive_but_not_run_stays_so():
    story = Story()
    story.baseline(200, letter="B")
    tripped(story, 9, "burst-bad")
    assert decided(story, 9).verdict == "inconclusive"
    assert decided(story, 10).verdict == "not-applicable"


def test_state_when_never_seen_after_the_threshold_then_not_applicable():
    story = Story()
    story.phase(9, "burst-bad", fault="status")
    story.write("30F")
    finding = decided(story, 9)
    assert finding.verdict == "not-applicable"
    assert "30 calls failed and none was short-circuited" in finding.notes[0]
    assert decided(story, 9, opens=False) is None


def test_state_when_never_seen_and_the_threshold_was_not_reached_then_is_inconclusive():
    story = Story()
    story.phase(9, "burst-bad", fault="status")
    story.write("3F")
    finding = decided(story, 9)
    assert finding.verdict == "inconclusive"
    assert "never made to open: 3 failing calls" in finding.missing[0]


def test_state_when_nothing_is_declared_then_200_failures_are_no_breaker():
    for failures, verdict in ((199, "inconclusive"), (200, "not-applicable")):
        story = Story(threshold=None, open=None, permits=None, call_timeout=None)
        story.phase(9, "burst-bad", fault="status")
        story.write(f"{failures}F")
        assert decided(story, 9).verdict == verdict
