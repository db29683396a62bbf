import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-07")


def tripped(story, *, number=5, name="outage"):
    story.phase(number, name, fault="status")
    story.write("FFFFF")
    story.silence(15)


def under_load(story, rejected=99):
    tripped(story)
    story.write(f"{rejected}R", every=10)
    trial, *_ = story.write("F", every=10)
    story.silence(1100)
    story.phase(6, "heal")
    story.write("30S", every=10)
    return trial


def after_silence(story, silence=1100, letter="S"):
    tripped(story, number=7, name="silent-trial")
    story.write("R")
    story.silence(silence)
    return story.write(letter)


def test_open_when_it_ends_under_load_and_after_silence_then_is_held_by_both():
    story = Story()
    under_load(story)
    after_silence(story)
    finding = judged(story)
    assert finding.verdict == "held"
    assert [sample["load"] for sample in finding.samples] == ["steady", "silence"]
    assert "under steady load the first call went through" in finding.summary
    assert "after silence the first call went through" in finding.summary


def test_open_when_only_load_was_tried_then_silence_is_noted_as_not_exercised():
    story = Story()
    under_load(story)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "after silence: not exercised, no phase for it was run" in finding.notes


def test_open_when_only_silence_was_tried_then_load_is_noted_as_not_exercised():
    story = Story()
    after_silence(story)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "under steady load: not exercised, no phase for it was run" in finding.notes


def test_open_when_a_silent_phase_ended_too_soon_then_its_part_is_missing():
    story = Story()
    under_load(story)
    tripped(story, number=7, name="silent-trial")
    story.write("R")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("0 of 1 open states that ended after silence",)


def test_open_when_the_first_call_after_silence_is_rejected_then_is_violated():
    story = Story()
    tripped(story, number=7, name="silent-trial")
    story.write("R")
    story.silence(1200)
    refused, *_ = story.write("R")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert f"{refused} was the first call after silence, and refused" in finding.summary
    assert finding.counterexample.rows[0]["rid"] == refused


def test_open_when_it_never_ends_under_load_then_is_violated():
    story = Story()
    tripped(story)
    story.write("300R", every=10)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.summary.startswith(
        "no trial in 3.00 s of steady load at 100/s after an open state declared 1.00 s"
    )
    assert "restart" not in finding.summary


def test_open_when_silence_ended_another_one_then_says_that_rejections_restart_the_timer():
    story = Story()
    tripped(story)
    story.write("300R", every=10)
    after_silence(story)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "of silence the next call was forwarded at once" in finding.summary


@pytest.mark.parametrize(("rejected", "verdict"), [(99, "held"), (101, "violated")])
def test_open_when_it_ends_around_the_bound_then_a_call_later_is_too_late(rejected, verdict):
    story = Story()
    under_load(story, rejected)
    assert judged(story).verdict == verdict


def test_open_when_the_load_ends_before_the_bound_then_is_inconclusive():
    story = Story()
    tripped(story)
    story.write("100R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("0 of 1 open states that ended under steady load",)


def straggler(*, settles, first_trial):
    """One call hangs over the trip and fails at ``settles``; the first trial is sent at ``first_trial``."""
    story = Story()
    story.phase(5, "outage", fault="status")
    rid = story.call("F", at=0, lasts=settles)
    story.silence(5)
    story.write("FFFFF")
    story.silence(10)
    rejected = round((first_trial - story.at) / 10)
    story.write(f"{rejected}R", every=10)
    story.write("F", every=10)
    return rid, judged(story)


def test_open_when_a_straggler_prolonged_it_then_says_so_and_nothing_else():
    rid, finding = straggler(settles=900, first_trial=1900)
    assert finding.verdict == "inconclusive"
    assert finding.samples[0]["verdict"] == "prolonged by stragglers"
    assert any(f"prolonged by stragglers: {rid}" in note for note in finding.notes)


def test_open_when_it_is_longer_than_a_straggler_explains_then_is_violated():
    _, finding = straggler(settles=500, first_trial=1900)
    assert finding.verdict == "violated"


def test_open_when_callers_wait_for_a_trial_that_never_comes_then_is_violated():
    """Neither rejected nor passed on until our own deadline."""
    story = Story()
    tripped(story)
    story.write("R")
    story.write("200U", every=10, lasts=5000, end="deadline")
    finding = judged(story)
    assert finding.verdict == "violated"


def test_open_when_it_has_jitter_then_it_may_be_longer_by_that_much():
    def jittered(jitter):
        story = Story(jitter=jitter)
        under_load(story, 108)
        return judged(story).verdict

    assert jittered(0.0) == "violated"
    assert jittered(0.1) == "held"


def test_open_when_it_backs_off_then_a_longer_reopening_is_in_time():
    def reopened(factor):
        story = Story(factor=factor)
        tripped(story)
        story.write("99R", every=10)
        story.write("F", every=10)
        story.write("199R", every=10)
        story.write("F", every=10)
        return judged(story).verdict

    assert reopened(1.0) == "violated"
    assert reopened(2.0) == "held"


def test_open_when_its_length_is_not_declared_then_is_judged_against_the_shortest_gap():
    story = Story(open=None)
    under_load(story)
    under_load(story)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "open not declared: judged against the shortest gap" in finding.notes[0]


def test_open_when_no_trial_was_seen_and_nothing_is_declared_then_is_inconclusive_by_300_s():
    story = Story(open=None)
    tripped(story)
    story.write("300R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "of 300.00 s" in finding.missing[0]


def test_open_when_the_harness_was_late_then_nothing_is_said_of_time():
    story = Story()
    story.phase(5, "outage", fault="status", lag=200)
    story.write("FFFFF")
    story.silence(10)
    story.write("300R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("the harness itself was" in one for one in finding.missing)


def test_open_when_connections_are_refused_then_a_hidden_trial_accuses_nobody():
    story = Story()
    under_load(story)
    story.phase(5, "outage", fault="refuse")
    story.write("300R", every=10, answer="other", status=502)
    assert judged(story).verdict == "held"


def test_open_when_it_never_opened_then_is_not_applicable():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("60F", every=10)
    assert judged(story).verdict == "not-applicable"


def in_a_burst(answered):
    """Three at once when a trial is due: the third is let through, the first two are refused."""
    story = Story()
    tripped(story, number=8, name="burst-good")
    story.write("R")
    story.silence(1100)
    start = story.at
    for sent in (0, 0.1):
        story.call("R", at=start + sent, lasts=answered)
    story.call("S", at=start + 0.3, lasts=200)
    story.silence(300)
    return judged(story)


def test_open_when_one_sent_first_is_refused_for_another_that_came_sooner_then_is_not_violated():
    assert in_a_burst(answered=0.8).verdict != "violated"
    assert in_a_burst(answered=0.1).verdict == "violated"


def test_open_when_over_admitted_trials_fail_one_after_the_other_then_the_last_may_have_restarted_it():
    """What was refused is explained by the last of them; that nobody asked for a while after it changes nothing."""
    story = Story(to_reopen=1)
    tripped(story, number=9, name="burst-bad")
    story.write("R")
    story.silence(1100)
    start = story.at
    for lasts in (100, 130):
        story.call("F", at=start, lasts=lasts)
    story.silence(140)
    story.write("97R", every=10)
    story.silence(15)
    story.write("R")
    story.silence(60)
    story.write("S")
    finding = judged(story)
    assert finding.samples[-1]["refused"] == 1
    assert finding.samples[-1]["verdict"] == "prolonged by stragglers"


@pytest.mark.parametrize("rejected", [110, 300])
def test_open_when_calls_before_the_next_phase_are_refused_then_is_violated_by_them(rejected):
    """A timer that rejections restart: after the exact trip the calls that are to bring it back keep it open."""
    story = Story()
    tripped(story, number=4, name="exact-trip")
    story.write("R")
    story.phase(0, "before-outage")
    story.write(f"{rejected}R", every=10)
    story.silence(2100)
    story.write("20S", every=10)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.samples[0]["load"] == "steady"


@pytest.mark.parametrize(("letter", "verdict"), [("U", "inconclusive"), ("R", "violated")])
def test_open_when_a_call_that_nobody_saw_arrive_may_have_been_the_trial_then_accuses_nobody(
    letter, verdict
):
    story = Story()
    tripped(story)
    story.write(f"100R {letter} 100R", every=10)
    assert judged(story).verdict == verdict


def test_open_when_the_log_of_where_it_should_end_is_lost_then_accuses_nobody():
    story = Story()
    tripped(story)
    story.write("200R", every=10)
    story.gap(1040, 1045)
    assert judged(story).verdict == "inconclusive"
