import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-02")


def below(**declared):
    story = Story(**declared)
    story.phase(3, "below")
    return story


def test_closed_when_the_counter_is_never_reset_then_names_the_run_that_was_too_short():
    story = below()
    story.write("FFFFS F R")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "opened after 1 consecutive failures (declared 5)" in finding.summary
    assert "the last success was" in finding.summary


def test_closed_when_an_exact_trip_comes_early_then_is_violated_without_phase_3():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("FFFF R", gap=5)
    assert judged(story).verdict == "violated"


def test_closed_when_an_exact_trip_comes_in_time_then_phase_3_is_still_missing():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("FFFFF R", gap=10)
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "phases 3 (below) and 18 (partial) were not run" in finding.notes


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("FFFFS" * 5, "5 of 6 groups of 4 failures and a success in below"),
        ("FFFS" * 6, "0 of 6 groups of 4 failures and a success in below"),
    ],
)
def test_closed_when_the_pattern_is_not_whole_then_says_how_much_of_it_was_there(text, missing):
    story = below()
    story.write(text)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == (missing,)


def test_closed_when_the_calls_overlap_then_their_order_is_missing():
    story = below()
    story.write("FFFFS" * 6, every=4)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("0 of 29 calls in below sent after the one before had ended",)


def test_closed_when_an_outcome_is_not_as_planned_then_it_is_missing():
    story = below()
    story._phase.given["pattern"] = list("FFFFS" * 6)
    story._phase.given["parts"] = ["a"]
    story.write("FFFFS" * 5 + "FFFF")
    story.write("I")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "29 of 30 calls of the pattern in below" in finding.missing
    assert "below ran the patterns a" in finding.notes


def test_closed_when_a_share_stays_below_for_two_windows_then_is_held():
    story = below(threshold=None, share=0.5, kind="count-window", window=20, minimum=10)
    story.write("SFSSF" * 8)
    assert judged(story).verdict == "held"


def test_closed_when_a_share_is_watched_for_less_than_two_windows_then_is_inconclusive():
    story = below(threshold=None, share=0.5, kind="count-window", window=20, minimum=10)
    story.write("SFSSF" * 7)
    finding = judged(story)
    assert finding.missing == ("35 of 40 calls below the share in below",)


def test_closed_when_a_time_window_is_watched_then_two_windows_of_time_are_needed():
    declared = {"threshold": None, "share": 0.5, "kind": "time-window", "minimum": 10}
    story = below(window=200, **declared)
    story.write("SFSSF" * 4, gap=20)
    assert judged(story).verdict == "held"
    story = below(window=2000, **declared)
    story.write("SFSSF" * 4, gap=20)
    assert judged(story).missing == ("0.47 of 4 seconds below the share in below",)


def test_closed_when_stale_failures_open_a_time_window_then_is_violated():
    """Four failures, silence for longer than the window, one failure: five were never in one window."""
    story = below(kind="time-window", window=1000)
    story.write("FFFF")
    story.silence(2000)
    story.write("F R")
    finding = judged(story)
    assert finding.verdict == "violated"


def test_closed_when_a_partial_fault_opens_it_below_the_threshold_then_is_violated():
    story = Story()
    story.phase(18, "partial", fault="status")
    story.write("FSFS FFSF R", gap=5)
    assert judged(story).verdict == "violated"


def test_closed_when_only_a_partial_fault_was_run_then_is_held_by_it_and_says_so():
    story = Story()
    story.phase(18, "partial", fault="status")
    story.write("FSSFS" * 20, gap=5)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "phase 3 (below) was not run" in finding.notes[0]


def undeclared(pattern, **declared):
    """T̂ = 6 in three exact trips, then the pattern."""
    story = Story(threshold=None, **declared)
    story.phase(3, "below")
    story.write(pattern)
    story.silence(1100)
    for _ in range(3):
        story.phase(4, "exact-trip", fault="status")
        story.write("FFFFFF R", gap=5)
        story.silence(1100)
        story.write("S")
    return judged(story)


def test_closed_when_nothing_is_declared_then_is_judged_with_half_of_what_was_found():
    finding = undeclared("FFFS" * 6)
    assert finding.verdict == "held"
    assert "groups of 3 failures, half of the 6 found" in finding.notes[0]


def test_closed_when_nothing_is_declared_and_it_opens_without_a_failure_then_is_violated():
    finding = undeclared("SSS R")
    assert finding.verdict == "violated"
    assert "(found 6)" in finding.summary


@pytest.mark.parametrize("pattern", ["FFFS R", "FFFSFFFS R"])
def test_closed_when_nothing_is_declared_and_a_share_would_explain_it_then_is_inconclusive(pattern):
    finding = undeclared(pattern)
    assert finding.verdict == "inconclusive"
    assert any("by a row or by a share" in one for one in finding.missing)


def test_closed_when_it_is_declared_to_open_by_a_row_and_fewer_calls_opened_it_then_is_violated():
    assert undeclared("FFFS R", kind="consecutive").verdict == "violated"


def test_closed_when_the_fault_was_not_seen_then_a_held_one_is_inconclusive():
    story = Story()
    story.phase(3, "below", fault="status")
    story.fault("status", injected=0)
    story.write("FFFFS" * 6)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "was not seen on the wire" in finding.missing[0]


def test_closed_when_one_failure_opens_it_then_nothing_but_successes_is_below():
    story = below(threshold=1)
    story.write("6S")
    assert judged(story).verdict == "held"
    story.write("R")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "with no failure just before it" in finding.summary
