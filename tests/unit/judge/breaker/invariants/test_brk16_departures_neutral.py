"""BRK-16 beyond the contract's cases."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import tripped


def judged(pattern, *, story=None, gap=10, **left):
    story = story or Story()
    story.phase(13, "departures", fault="status")
    for part in pattern.split():
        story.write(part, gap=gap, **(left if part.endswith("L") else {}))
    return story.judge("BRK-16")


def test_departure_when_the_phase_was_not_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert "phase 13 (departures) was not run" in story.judge("BRK-16").notes[0]


def test_departure_when_never_seen_to_open_then_not_applicable():
    assert judged("4F L 20F").verdict == "not-applicable"


def test_departure_when_threshold_is_unknown_then_is_inconclusive():
    story = Story(threshold=None)
    story.phase(13, "departures", fault="status")
    story.write("4F L F R", gap=10)
    finding = story.judge("BRK-16")
    assert finding.verdict == "inconclusive"
    assert "neither declared nor inferred" in finding.summary


def test_departure_when_a_share_would_explain_it_then_accuses_only_by_a_row():
    for declared, verdict in (({}, "inconclusive"), ({"kind": "consecutive"}, "violated")):
        story = Story(threshold=None, **declared)
        story.phase(4, "exact-trip", fault="status")
        story.write("5F R", gap=5)
        story.silence(1100)
        story.write("S")
        found = judged("4F L 5F R", story=story)
        assert found.verdict == verdict


def test_departure_when_it_ran_into_the_time_out_then_cancellation_was_not_passed_on():
    finding = judged("4F L R", ended=None, lasts=320)
    assert finding.verdict == "inconclusive"
    assert any("does not pass cancellation on" in lack for lack in finding.missing)


def test_departure_when_the_hop_saw_no_end_of_it_then_is_inconclusive():
    finding = judged("4F L FR", arrival_end="open")
    assert finding.verdict == "inconclusive"


def test_departure_when_no_call_asks_after_the_last_failure_then_says_what_is_missing():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("5FR")
    story.silence(2000)
    finding = judged("4F L F", story=story)
    assert finding.verdict == "inconclusive"
    assert any("no short-circuit" in lack for lack in finding.missing)
    assert "0 of 1 departures before the last failure that opens" in finding.missing


def test_departure_when_order_is_not_certain_then_is_inconclusive():
    story = Story()
    story.phase(13, "departures", fault="status")
    story.write("4F", gap=10)
    story.call("L", lasts=50, ended=story.at + 65)
    story.silence(55)
    story.write("FR", gap=10)
    finding = story.judge("BRK-16")
    assert finding.verdict == "inconclusive"
    assert any("order is not certain" in lack for lack in finding.missing)


@pytest.mark.parametrize("after", ["2", "3"])
def test_departure_when_neither_one_nor_all_are_needed_then_accuses_nobody(after):
    finding = judged(f"4F L {after}F R")
    assert finding.verdict == "inconclusive"
    assert any(f"{after} more failures were needed" in lack for lack in finding.missing)


def test_departure_when_it_opens_with_too_few_of_either_then_is_not_its_doing():
    finding = judged("2F L R")
    assert finding.verdict == "inconclusive", finding.summary


def test_departures_when_alone_they_open_then_violate_unless_they_may_fail():
    finding = judged("25L R", gap=10)
    assert finding.verdict == "violated"
    assert finding.summary == "25 departing callers opened it without any failure"
    story = Story(cancellation="failure")
    assert judged("5L R", story=story).verdict != "violated"


def test_departures_when_alone_they_open_nothing_then_are_told_beside_the_rest():
    finding = judged("25L 4F L FR")
    assert finding.verdict == "held", finding.summary
    story = Story()
    story.phase(13, "departures", fault="status")
    story.write("25L", gap=10)
    story.write("S", gap=10)
    story.write("4F L FR", gap=10)
    finding = story.judge("BRK-16")
    assert "25 departures alone opened nothing" in finding.summary


def test_departure_when_counted_as_success_though_it_may_fail_then_violates():
    assert judged("4F L 5FR", story=Story(cancellation="failure")).verdict == "violated"


def test_departure_when_cancellation_is_undeclared_then_says_so():
    assert any("cancellation not declared" in note for note in judged("4F L FR").notes)


def test_departure_when_threshold_is_one_then_cannot_be_told_apart():
    finding = judged("L FR", story=Story(threshold=1))
    assert finding.verdict == "inconclusive"
    assert any("cannot be told apart" in lack for lack in finding.missing)


def test_departure_when_held_then_power_names_the_other_two_counts():
    finding = judged("4F L FR")
    assert "5 more failures instead of 1" in finding.power
    assert "as a failure 0" in finding.power
    (sample,) = finding.samples
    assert len(sample["failures_before"]) == 4 and len(sample["failures_after"]) == 1
    assert sample["hop_saw"] == ["abandoned"]


@settings(max_examples=40, deadline=None)
@given(threshold=st.integers(2, 9), counted=st.sampled_from(["neutral", "success", "failure"]))
def test_departure_when_a_model_counts_it_so_then_is_judged_so(threshold, counted):
    more = {"neutral": 1, "success": threshold, "failure": 0}[counted]
    story = Story(threshold=threshold)
    pattern = f"{threshold - 1}F L " + (f"{more}F R" if more else "R")
    assert judged(pattern, story=story).verdict == ("held" if counted == "neutral" else "violated")
