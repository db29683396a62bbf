"""BRK-20 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import MS, Story
from tests.support.breaker_scenes import tripped

TRIPPED = 33


def straggling(letter, *, story=None, part=None, ended=None, parts=None, **call):
    """A straggler, at the hop before the trip, that ends after it; the cursor is at the trip."""
    story = story or Story()
    given = {} if parts is None else {"parts": parts, "part": part}
    story.phase(16, "stragglers", fault="status", given=given, rate=100, planned=0)
    story.call(letter, at=0, **call)
    story.silence(5)
    story.write("5FR", gap=1)
    return story


def ok_while_open(after="10R", **more):
    story = straggling("S", lasts=TRIPPED + 600, **more)
    story.silence(TRIPPED + 700 - story.at)
    story.write(after, every=10)
    story.silence(1000)
    return story


def failed_while_open(after="99R 20S", **more):
    story = straggling("F", lasts=TRIPPED + 900, **more)
    story.silence(TRIPPED + 10 - story.at)
    story.write(after, every=10)
    story.silence(1000)
    return story


def ok_while_trial_hangs(after="10R", **more):
    story = straggling("S", lasts=TRIPPED + 1250, **more)
    story.silence(TRIPPED + 1100 - story.at)
    story.call("T", rid="the-trial")
    story.silence(TRIPPED + 1260 - story.at)
    story.write(after, every=10)
    story.silence(2000)
    return story


def sound(*, story=None, parts=("i", "ii", "iii")):
    story = story or Story()
    scenes = {"i": ok_while_open, "ii": failed_while_open, "iii": ok_while_trial_hangs}
    for part in parts:
        scenes[part](story=story, part=part, parts=list(parts))
    return story


def test_stragglers_when_the_phase_was_not_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert "phase 16 (stragglers) was not run" in story.judge("BRK-20").notes[0]


def test_stragglers_when_there_is_no_breaker_then_not_applicable():
    story = Story()
    story.phase(16, "stragglers", fault="status")
    story.call("S", at=0, lasts=600)
    story.silence(5)
    story.write("30F", gap=10)
    assert story.judge("BRK-20").verdict == "not-applicable"


def test_stragglers_when_all_three_parts_decide_nothing_then_holds():
    finding = sound().judge("BRK-20")
    assert finding.verdict == "held", finding.summary
    assert "3 stragglers decided nothing" in finding.summary


def test_stragglers_when_only_one_part_was_run_then_the_others_are_missing():
    finding = ok_while_open().judge("BRK-20")
    assert finding.verdict == "inconclusive"
    assert "0 of 1 stragglers failed while open" in finding.missing
    assert "0 of 1 stragglers ok while a trial hangs" in finding.missing


def test_stragglers_when_the_script_has_one_part_then_that_is_enough():
    finding = sound(parts=("i",)).judge("BRK-20")
    assert finding.verdict == "held", finding.summary


def test_stragglers_when_nine_calls_follow_then_a_tenth_is_missing():
    story = ok_while_open("9R", parts=["i"])
    finding = story.judge("BRK-20")
    assert finding.missing == ("9 of 10 calls after one ok while open",)


@pytest.mark.parametrize(
    ("after", "lack"),
    [
        ("98R 20S", ""),
        ("101R 20S", "was rejected just after a trial was due"),
        ("60R", "no call asked for a trial when one was due"),
    ],
)
def test_straggler_when_it_failed_and_no_trial_is_shown_in_time_then_is_undecided(after, lack):
    finding = failed_while_open(after, parts=["ii"]).judge("BRK-20")
    assert finding.verdict == ("inconclusive" if lack else "held"), finding.summary
    assert any(lack in one for one in finding.missing) or not lack


@pytest.mark.parametrize(
    ("refused", "back", "lack"),
    [
        (5, 9, ""),  # after it was due, and the next in time
        (-5, 13, ""),  # before it was due, and the first to ask half a gap late
        (5, 13, "was rejected just after a trial was due"),
        (-5, 20, "no call asked for a trial when one was due"),
    ],
)
def test_straggler_when_it_failed_then_a_trial_in_time_is_as_fine_as_the_calls(refused, back, lack):
    story = failed_while_open("90R", parts=["ii"])
    opened = story.known().outages[0].tau.hi / MS - story._present().at
    due = opened + 1000 + 2
    for letter, at in (("R", refused), ("S", back), *(("S", 30 + 10 * n) for n in range(10))):
        story.call(letter, at=due + at)
    story.silence(1000)
    finding = story.judge("BRK-20")
    assert finding.verdict == ("inconclusive" if lack else "held"), finding.summary
    assert any(lack in one for one in finding.missing) or not lack


def test_stragglers_when_what_became_of_the_calls_after_is_unknown_then_they_do_not_count():
    finding = ok_while_open("5R 5U", parts=["i"]).judge("BRK-20")
    assert finding.missing == ("5 of 10 calls after one ok while open",)


def test_straggler_when_counted_by_declaration_then_may_prolong():
    story = Story(stragglers="counted")
    failed_while_open("189R 20S", story=story, parts=["ii"])
    assert story.judge("BRK-20").verdict != "violated"
    story = Story(stragglers="counted")
    ok_while_open("10S", story=story, parts=["i"])
    assert story.judge("BRK-20").verdict == "violated"


def test_straggler_when_permits_are_undeclared_then_forwarded_calls_are_undecided():
    story = Story(permits=None)
    ok_while_trial_hangs("10S", story=story, parts=["iii"])
    finding = story.judge("BRK-20")
    assert finding.verdict == "inconclusive"
    assert any("takes trials.permits" in lack for lack in finding.missing)


def test_straggler_when_the_trial_was_over_before_it_then_is_none():
    story = straggling("S", lasts=TRIPPED + 1250, parts=["iii"])
    story.silence(TRIPPED + 1100 - story.at)
    story.write("S")
    story.silence(TRIPPED + 1260 - story.at)
    story.write("10S", every=10)
    finding = story.judge("BRK-20")
    assert "0 of 1 stragglers ok while a trial hangs" in finding.missing


def test_straggler_when_its_failure_comes_before_the_closing_then_is_not_counted_after_it():
    story = straggling("F", story=Story(stragglers="ignored"), lasts=TRIPPED + 1050, parts=["i"])
    story.silence(TRIPPED + 1100 - story.at)
    story.write("S", gap=20)
    story.write("4FR", gap=20)
    assert story.judge("BRK-20").verdict != "violated"


def test_straggler_when_it_ended_before_the_trip_then_is_none():
    story = straggling("S", lasts=6, parts=["i"])
    story.silence(600)
    story.write("10S", every=10)
    finding = story.judge("BRK-20")
    assert finding.verdict == "inconclusive"
    assert "0 of 1 stragglers ok while open" in finding.missing


def test_straggler_when_its_failure_after_closing_is_counted_then_violates_if_ignored():
    for stragglers, verdict in (("ignored", "violated"), (None, "inconclusive")):
        story = straggling("F", story=Story(stragglers=stragglers), lasts=TRIPPED + 1400)
        story.silence(TRIPPED + 1100 - story.at)
        story.write("S", gap=20)
        story.write("4F", gap=20)
        story.silence(TRIPPED + 1420 - story.at)
        story.write("R", gap=10)
        finding = story.judge("BRK-20")
        assert finding.verdict == verdict, finding.summary
    assert finding.summary  # the second only lacks what it needs


def test_sample_when_a_person_counts_again_then_finds_the_verdict():
    finding = ok_while_open("10S").judge("BRK-20")
    (sample,) = finding.samples
    straggler, first = finding.counterexample.rows[:2]
    assert sample["straggler"] == straggler["rid"]
    assert straggler["sent"] < sample["trip"][0] < sample["settled"][0] < first["sent"]
    assert first["rid"] in sample["forwarded"]


@pytest.mark.parametrize("part", ["i", "ii", "iii"])
def test_stragglers_when_the_harness_was_late_then_time_is_not_judged(part):
    scene = {"i": ok_while_open, "ii": failed_while_open, "iii": ok_while_trial_hangs}[part]
    story = scene({"i": "10S", "ii": "189R 20S", "iii": "10S"}[part])
    assert story.judge("BRK-20").verdict == "violated"
    story._present().other["lag"] = 100
    finding = story.judge("BRK-20")
    assert finding.verdict == "inconclusive"
    assert any("the harness itself was" in lack for lack in finding.missing)
