import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-12")


def healed(text="125R 40S", *, every=10, **declared):
    """Open when the fault is undone at 0 of phase 6."""
    story = Story(**declared)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(15)
    story.write("20R", every=10)
    story.phase(6, "heal")
    story.write(text, every=every)
    return story


def silent(text, *, silence=1105, first=None):
    story = healed()
    story.silence(20)
    story.phase(7, "silent-trial", fault="status")
    story.fault("status", applied=(0, 0), undone=(30, 30))
    story.write("FFFFF")
    story.silence(silence)
    if first is not None:
        story.write("S", every=10, lasts=first)
    story.write(text, every=10)
    return story


def test_recovery_when_it_is_in_time_then_shows_the_parts_of_the_bound():
    finding = judged(healed())
    assert finding.verdict == "held"
    assert [part["name"] for part in finding.tolerance.parts] == [
        "open", "call time-out", "closing", "1 / rate", "slack"
    ]  # fmt: skip
    assert [part["value"] for part in finding.tolerance.parts] == [1.0, 0.3, 0.01, 0.01, 0.002]
    assert finding.tolerance.parts[0]["why"] == "declared open=1 s"


def test_recovery_when_it_comes_one_call_too_late_then_is_violated():
    assert judged(healed("132R 40S")).verdict == "held"
    finding = judged(healed("134R 40S"))
    assert finding.verdict == "violated"
    assert finding.summary.startswith("1.34 s from healing to 20 good calls in a row; bound 1.32 s")


def test_recovery_when_a_bound_is_declared_then_it_alone_counts():
    finding = judged(healed("125R 40S", recovers_within=1200))
    assert finding.verdict == "violated"
    assert "bound 1.20 s (recovers_within 1.20)" in finding.summary
    assert judged(healed("190R 40S", recovers_within=2000)).verdict == "held"


def test_recovery_when_it_had_backed_off_then_the_open_time_in_force_counts():
    def backed_off(factor):
        story = Story(factor=factor)
        story.phase(5, "outage", fault="status")
        story.write("FFFFF")
        story.silence(10)
        story.write("99R", every=10)
        story.write("F 5R", every=10)
        story.phase(6, "heal")
        story.write("190R 40S", every=10)
        return judged(story)

    finding = backed_off(2)
    assert finding.verdict == "held"
    assert finding.tolerance.parts[0]["value"] == 2.0
    assert "in its reopening 1" in finding.tolerance.parts[0]["why"]
    assert backed_off(1).verdict == "violated"


def test_recovery_when_one_call_of_the_twenty_fails_then_the_run_begins_again():
    finding = judged(healed("120R 19S F 30S"))
    assert finding.verdict == "violated"
    assert finding.observed.value == 1.4


def test_recovery_when_the_load_ends_before_twenty_good_calls_then_is_inconclusive():
    finding = judged(healed("110R 19S"))
    assert finding.verdict == "inconclusive"
    assert "19 of 20 good calls in a row after heal" in finding.missing
    assert "0 of 1 recoveries under load" in finding.missing


def test_recovery_when_few_calls_came_within_the_bound_then_is_inconclusive():
    finding = judged(healed("12R 40S", every=100))
    assert finding.verdict == "inconclusive"
    assert "16 of 20 calls in the bound after healing, in heal" in finding.missing


def test_recovery_when_the_load_was_interrupted_then_is_inconclusive():
    story = healed("60R")
    story.silence(600)
    story.write("40S", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "nobody called for 0.61 s while it should recover" in finding.missing[-1]


def test_recovery_when_it_was_silent_then_closing_begins_with_the_first_call():
    finding = judged(silent("40S"))
    assert finding.verdict == "held"
    assert "in a row under load" in finding.summary
    assert "in a row after silence" in finding.summary


def test_recovery_when_calls_after_silence_are_rejected_then_is_violated():
    finding = judged(silent("100R"))
    assert finding.verdict == "violated"
    assert finding.summary.endswith("after silence")


def test_recovery_when_silence_outlasts_the_bound_then_one_rejected_beside_the_trial_is_in_time():
    """The first call is the trial, and takes 15: the second comes while it is under way."""
    assert judged(silent("R 40S", silence=2000, first=15)).verdict == "held"
    assert judged(silent("5R 40S", silence=2000, first=15)).verdict == "violated"


def test_recovery_when_no_silent_phase_was_run_then_it_is_noted():
    finding = judged(healed())
    assert "after silence: not exercised, phase 7 was not run" in finding.notes


def test_recovery_when_no_call_time_out_is_known_then_a_trial_takes_as_long_as_failing_calls():
    finding = judged(healed("95R 40S", call_timeout=None))
    assert finding.verdict == "held"
    assert finding.tolerance.parts[1]["name"] == "failing call"
    assert finding.limit.value == 1.025
    assert judged(healed("110R 40S", call_timeout=None)).verdict == "violated"


def test_recovery_when_a_trial_may_hang_then_it_counts_as_lost_after_10_s():
    story = Story(call_timeout=None)
    story.phase(5, "outage", fault="blackhole")
    story.write("FFFFFHH", every=10)
    story.write("20R", every=10)
    story.phase(6, "heal")
    story.write("600R 40S", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.tolerance.parts[1]["name"] == "lost trial"
    assert finding.tolerance.parts[1]["value"] == 10.0


def test_recovery_when_there_is_no_breaker_then_is_held():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("60F", every=10)
    story.phase(6, "heal")
    story.write("60S", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.observed.value == 0.0


def test_recovery_when_nothing_is_declared_then_300_s_of_open_are_waited_for():
    story = Story(threshold=None, open=None, call_timeout=None, permits=None)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("20R", every=10)
    story.phase(6, "heal")
    story.write("300R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"


@pytest.mark.parametrize("lag", [0, 200])
def test_recovery_when_the_harness_was_late_then_nothing_is_said_of_time(lag):
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(15)
    story.write("20R", every=10)
    story.phase(6, "heal", lag=lag)
    story.write("300R", every=10)
    assert judged(story).verdict == ("inconclusive" if lag else "violated")


def test_recovery_when_the_hops_log_has_a_gap_then_is_inconclusive():
    story = healed()
    story.gap(100, 101)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "the hop's log has a gap after healing, in heal" in finding.missing


def test_recovery_when_no_healing_was_run_then_is_not_applicable():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("60F", every=10)
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "phases 6 (heal) and 7 (silent-trial) were not run" in finding.notes


def test_recovery_when_no_fault_was_undone_then_is_inconclusive():
    story = Story()
    story.phase(6, "heal")
    story.write("60S", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("no fault was undone before it" in one for one in finding.missing)


def test_recovery_when_a_trial_sent_before_the_healing_fails_after_it_then_the_next_open_time_counts():
    story = Story(factor=2)
    story.phase(5, "outage", fault="latency")
    story.write("FFFFF")
    story.silence(15)
    story.write("100R", every=10)
    story.call("F", lasts=200)
    story.silence(10)
    story.write("5R", every=10)
    story.phase(6, "heal")
    story.write("210R 40S", every=10)
    finding = judged(story)
    assert finding.verdict == "held", finding.summary
    assert finding.tolerance.parts[0]["value"] == 2.0


def under_refuse(text):
    """Six seconds of a closed port, at 1, 2, 4 s open: nobody sees the trials."""
    story = Story(factor=2, at_most=4000)
    story.phase(5, "outage", fault="refuse")
    story.write("600R", every=10)
    story.phase(6, "heal")
    story.write(text, every=10)
    return judged(story)


def test_recovery_when_its_trials_were_hidden_then_any_open_time_that_it_can_have_reached_counts():
    finding = under_refuse("390R 40S")
    assert finding.verdict == "held", finding.summary
    assert "trials were hidden" in finding.tolerance.parts[0]["why"]
    assert under_refuse("600R 40S").verdict == "violated"


def test_recovery_when_its_phase_was_skipped_then_is_not_measured():
    story = healed()
    story.phase(5, "outage", fault="reset", reached=False, why="still open")
    story.phase(6, "heal", reached=False, why="still open")
    story.write("300R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert len(finding.samples) == 1
