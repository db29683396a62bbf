"""BRK-18 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import tripped


def story_of(isolation="key", **declared):
    story = Story(isolation=isolation, key="{account}", **declared)
    story.phase(15, "keys", fault="status")
    story.write("5FR", key="a")
    story.silence(10)
    return story


def test_keys_when_isolation_is_undeclared_then_not_applicable():
    story = Story()
    story.phase(15, "keys", fault="status")
    story.write("5FR", key="a")
    story.write("5R", key="b", every=10)
    finding = story.judge("BRK-18")
    assert finding.verdict == "not-applicable"
    assert finding.notes == (
        "isolation is not declared; 5 of 5 calls for keys that never failed were short-circuited",
    )


def test_keys_when_the_phase_was_not_run_then_not_applicable():
    story = Story(isolation="key")
    tripped(story, 9, "burst-bad")
    assert "phase 15 (keys) was not run" in story.judge("BRK-18").notes[0]


def test_keys_when_there_is_no_breaker_then_not_applicable():
    story = Story(isolation="key", key="{account}")
    story.phase(15, "keys", fault="status")
    story.write("30F", key="a")
    story.write("30S", key="b", every=10)
    assert story.judge("BRK-18").verdict == "not-applicable"


@pytest.mark.parametrize(("calls", "verdict"), [(20, "held"), (19, "inconclusive")])
def test_keys_when_the_other_is_forwarded_then_holds_after_20(calls, verdict):
    story = story_of()
    story.write(f"{calls}S", key="b", every=20)
    finding = story.judge("BRK-18")
    assert finding.verdict == verdict, finding.summary
    if verdict == "held":
        assert "20 of 20 calls for key b" in finding.summary
        assert "0 of 20" in finding.power
    else:
        assert finding.missing == ("19 of 20 calls for another key while one was open",)


def test_keys_when_the_other_failed_itself_then_accuses_nobody():
    story = story_of()
    story.write("5F 15R", key="b", every=10)
    finding = story.judge("BRK-18")
    assert finding.verdict == "inconclusive"


def test_keys_when_the_other_was_rejected_after_the_open_time_then_accuses_nobody():
    story = story_of()
    story.silence(1100)
    story.write("5R", key="b", every=10)
    assert story.judge("BRK-18").verdict == "inconclusive"


def test_keys_when_the_other_was_rejected_before_the_first_opened_then_accuses_nobody():
    story = Story(isolation="key", key="{account}")
    story.phase(15, "keys", fault="status")
    story.write("3R", key="b", every=10)
    story.write("5FR", key="a")
    story.silence(10)
    story.write("20S", key="b", every=10)
    assert story.judge("BRK-18").verdict == "held", story.judge("BRK-18").summary


def test_keys_when_by_host_then_judged_alike():
    story = story_of(isolation="host")
    story.write("25S R", key="b", every=10)
    finding = story.judge("BRK-18")
    assert finding.verdict == "violated"
    assert finding.limit.source == "declared isolation: host"
    (sample,) = finding.samples
    rejected = finding.counterexample.rows[0]
    assert [rejected["rid"]] == sample["short_circuited"]
    assert sample["open"][0] <= rejected["sent"] <= sample["open"][1]
