import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-04")


def tripped(story, *, number=5, name="outage"):
    """Trips; the cursor stands 10 after it. Returns the trip's instant, relative to the phase."""
    story.phase(number, name, fault="status")
    story.write("FFFFF")
    at = story.at
    story.silence(10)
    return at


def test_open_when_59_calls_were_rejected_then_is_inconclusive_by_one():
    story = Story()
    tripped(story)
    story.write("59R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("59 of 60 calls sent while it was open",)


def test_open_when_300_calls_were_rejected_then_prints_the_bound_that_they_show():
    story = Story()
    tripped(story)
    story.write("300R", every=3)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.statistics.bound == pytest.approx(0.00994, abs=1e-4)
    assert "1.0%" in finding.summary


def test_open_when_calls_come_after_the_open_time_then_they_do_not_count():
    story = Story()
    tripped(story)
    story.silence(600)
    story.write("60R", every=10)
    assert judged(story).missing == ("39 of 60 calls sent while it was open",)


def test_open_when_a_straggler_succeeded_just_before_then_it_is_named_as_the_cause():
    story = Story()
    story.phase(5, "outage", fault="status")
    straggler = story.call("S", at=0, lasts=600)
    story.silence(5)
    story.write("FFFFF")
    story.silence(10)
    story.write("50R", every=10)
    leak = story.call("S", at=700)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert leak in finding.summary
    assert (
        f"Cause visible on the wire: {straggler}, admitted before the trip, succeeded"
        in finding.summary
    )
    assert finding.counterexample.rows[1]["rid"] == straggler


def test_open_when_a_good_call_ends_it_early_then_that_is_a_trial_and_not_a_leak():
    """BRK-06 accuses it; here the rest of the open time shows nothing."""
    story = Story()
    tripped(story)
    story.write("70R", every=10)
    trial, *_ = story.write("S", every=10)
    story.write("20S", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert f"ended early, with the trial {trial} (BRK-06)" in finding.missing[0]
    assert story.judge("BRK-06").verdict == "violated"


def test_open_when_several_good_calls_go_through_at_once_then_they_leak():
    story = Story()
    tripped(story)
    story.write("70R", every=10)
    story.write("10S", every=1, lasts=50)
    assert judged(story).verdict == "violated"


def test_open_when_an_early_call_fails_then_it_may_be_either_and_both_accuse_it():
    story = Story()
    tripped(story)
    story.write("50R", every=10)
    story.write("F", every=10)
    story.write("30R", every=10)
    assert judged(story).verdict == "violated"
    assert story.judge("BRK-06").verdict == "violated"


def test_open_when_a_stray_arrives_and_the_baseline_had_none_then_is_inconclusive():
    story = Story()
    tripped(story)
    story.write("70R", every=10)
    story.stray(at=300)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "1 arrival without a known id" in finding.missing[0]
    assert "(stray)" in finding.missing[0]


def strays_at(in_baseline, inside):
    story = Story(baseline=0)
    story.baseline()
    for index in range(in_baseline):
        story.stray(at=index * 10 + 1)
    tripped(story)
    story.write("90R", every=10)
    for index in range(inside):
        story.stray(at=100 + index * 10)
    return judged(story)


def test_open_when_strays_come_at_the_baselines_rate_then_are_noted():
    finding = strays_at(in_baseline=20, inside=10)
    assert finding.verdict == "held"
    assert "at the baseline's rate (20 in 2.00 s)" in finding.notes[0]


def test_open_when_strays_come_at_a_higher_rate_then_is_inconclusive():
    finding = strays_at(in_baseline=20, inside=30)
    assert finding.verdict == "inconclusive"
    assert "30 arrivals without a known id" in finding.missing[0]


def test_open_when_the_hops_log_has_a_gap_then_is_inconclusive():
    story = Story()
    tripped(story)
    story.write("70R", every=10)
    story.gap(790, 795)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("the hop's log" in one for one in finding.missing)


def test_open_when_it_was_reopened_then_leaks_count_from_its_first_short_circuit():
    def reopened(text):
        story = Story()
        tripped(story)
        story.write("99R", every=10)
        story.write("F", every=10)
        story.silence(5)
        story.write(text, every=10)
        return judged(story)

    assert reopened("40R").verdict == "held"
    assert reopened("20R S 20R").verdict == "violated"
    # Nothing shows that it opened again: that is for BRK-09 to say.
    assert reopened("F 40R").verdict == "held"


def test_open_when_a_straggler_is_tried_again_inside_then_that_is_no_leak():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFF")
    at = story.at
    story.call(
        "F",
        at=at,
        lasts=300,
        arrivals=[{"at": at + 1, "ended": at + 4}, {"at": at + 250, "ended": at + 299}],
    )
    story.write("F")
    story.silence(10)
    story.write("70R", every=10)
    assert judged(story).verdict != "violated"


def test_open_when_nothing_was_ever_rejected_then_is_not_applicable():
    story = Story()
    tripped(story)
    story.write("60F", every=10)
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "never seen to open (BRK-01)" in finding.notes[0]


def test_open_when_its_length_is_not_known_then_is_inconclusive():
    story = Story(open=None)
    tripped(story)
    story.write("60R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("how long it stays open is not known" in one for one in finding.missing)


def test_open_when_several_instances_trip_one_after_the_other_then_their_failures_are_no_leaks():
    def leaking(instances):
        story = Story(instances=instances)
        tripped(story)
        story.write("RRF" * 10, every=10)
        story.write("60R", every=10)
        return judged(story)

    assert leaking(1).verdict == "violated"
    assert leaking(4).verdict != "violated"


def test_open_when_connections_are_refused_then_arrivals_are_hidden_and_nothing_counts():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("FFFFF R", gap=10)
    story.silence(1100)
    story.write("S")
    story.phase(5, "outage", fault="refuse")
    story.write("90R", every=10, answer="other", status=502)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing[0].endswith("of 60 calls sent while it was open")


def found_open(text):
    """Neither threshold nor open time is declared: both are found, and ``text`` comes after the trip."""
    story = Story(threshold=None, open=None)
    for _ in range(2):
        tripped(story)
        story.write("99R F 99R F", every=10)
        story.silence(1100)
        story.phase(6, "heal")
        story.write("30S", every=10)
        story.silence(20)
    tripped(story, number=17, name="second-outage")
    story.write(text, every=10)
    return judged(story)


def test_open_when_nothing_is_declared_then_what_was_found_says_how_long_nothing_may_leak():
    assert found_open("60R").verdict == "held"
    finding = found_open("30R S 30R")
    assert finding.verdict == "violated"
    assert "found to be open for 0.98 s" in finding.summary
    assert finding.limit.source.startswith("open: inferred from")
