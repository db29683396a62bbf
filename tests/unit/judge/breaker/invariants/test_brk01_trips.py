import pytest

from tests.support.breaker_histories import Story

FAILING = {
    "status": ("F", {}),
    "reset": ("X", {}),
    "blackhole": ("T", {"lasts": 301}),
    "latency": ("T", {"lasts": 301}),
    "trickle": ("T", {"lasts": 301}),
}


def judged(story):
    return story.judge("BRK-01")


def outage(story, text, *, fault="status", every=10):
    """Five failing calls one after the other, then the text in open loop, all failing in the fault's way."""
    letter, each = FAILING[fault]
    story.phase(5, "outage", fault=fault)
    story.write("FFFFF".replace("F", letter), **each)
    story.silence(10)
    written = story.write(text.replace("F", letter), every=every, **({} if "R" in text else each))
    story.silence(400)
    return written


@pytest.mark.parametrize("fault", FAILING)
def test_trips_when_there_is_no_breaker_then_violated_under_each_kind_of_fault(fault):
    story = Story()
    first, *_ = outage(story, "30F", fault=fault)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "35 failing calls were forwarded" in finding.summary
    assert f"[first after threshold: {first}]" in finding.summary
    assert finding.counterexample.rows[0]["rid"] == first


def test_trips_when_there_is_no_breaker_at_all_then_tells_the_kinds_apart():
    story = Story()
    firsts = {fault: outage(story, "30F", fault=fault)[0] for fault in FAILING}
    finding = judged(story)
    for fault, first in firsts.items():
        assert f"under {fault}: 35 failing calls were forwarded" in finding.summary
        assert first in finding.summary
    shown = {row["phase"] for row in finding.counterexample.rows}
    assert shown == {f"outage-{fault}" for fault in FAILING}
    assert finding.observed.per == "status, reset, blackhole, latency, trickle"


def test_trips_when_only_one_kind_of_fault_is_known_to_it_then_says_which_opened_it():
    story = Story()
    outage(story, "60R", fault="status")
    story.silence(1000)
    outage(story, "30F", fault="reset")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.summary.startswith("under reset: 35 failing calls were forwarded in")
    assert "It opened under status." in finding.summary
    assert [sample["verdict"] for sample in finding.samples] == ["held", "violated"]


def test_trips_when_it_opens_then_one_short_circuit_is_the_proof():
    story = Story()
    shown, *_ = outage(story, "R")
    finding = judged(story)
    assert finding.verdict == "held"
    assert shown in finding.power
    assert finding.summary.startswith(f"opened under status: {shown} was short-circuited")


def test_trips_when_it_opens_too_late_then_is_violated_and_names_the_first_short_circuit():
    story = Story()
    outage(story, "100F 5R")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "was the first to be short-circuited" in finding.summary


def test_trips_when_calls_after_the_threshold_are_unknown_then_is_inconclusive():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("15F 15U", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == (
        "15 of 30 calls after the threshold were neither forwarded nor short-circuited for certain",
    )


def test_trips_when_only_a_bulkhead_may_have_rejected_then_that_is_no_proof():
    story = Story(bulkhead=1)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    begin = story.at
    for index in range(25):
        story.call("F", at=begin + index * 10, lasts=9)
        story.call("R", at=begin + index * 10 + 3)
    story.silence(250)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "25 of 50 calls after the threshold" in finding.missing[0]


def share_never_opens(failing, **declared):
    story = Story(threshold=None, share=0.5, kind="count-window", window=20, minimum=10, **declared)
    story.phase(5, "outage", fault="status")
    story.write(f"{failing}F", every=10)
    return judged(story)


def test_trips_when_the_threshold_is_a_share_then_is_judged_by_the_replay():
    finding = share_never_opens(40, denominator="settled")
    assert finding.verdict == "violated"
    assert "declared to open at 50% of at least 10 calls" in finding.summary


def test_trips_when_it_is_not_known_what_the_share_is_of_then_only_many_failures_accuse():
    finding = share_never_opens(40)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("40 of 200 failures",)
    assert share_never_opens(200).verdict == "violated"


def test_trips_when_the_load_was_not_driven_then_a_held_one_is_inconclusive():
    story = Story()
    outage(story, "60R")
    story._phase.planned = 200
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "planned calls were sent" in finding.missing[0]


def test_trips_when_the_load_was_not_driven_then_a_violation_stands():
    story = Story()
    outage(story, "30F")
    story._phase.planned = 200
    assert judged(story).verdict == "violated"


def test_trips_when_no_threshold_is_declared_then_200_failures_in_30_seconds_must_be_enough():
    for letters, every, missing in (
        ("199F", 200, ("199 of 200 failures",)),
        ("250F", 100, ("24.89 of 30 seconds of failures",)),
        ("201F", 200, ()),
    ):
        story = Story(threshold=None)
        story.phase(5, "outage", fault="status")
        story.write(letters, every=every)
        finding = judged(story)
        assert finding.missing == missing
        assert finding.verdict == ("inconclusive" if missing else "violated")
    assert (
        "no threshold declared, any breaker opens within 200 failures and 30 s" in finding.summary
    )


def test_trips_when_no_threshold_is_declared_then_says_by_what_it_was_judged():
    story = Story(threshold=None)
    story.phase(4, "exact-trip", fault="status")
    story.write("20F", gap=5)
    assert "judged against 200 failures and 30 s" in judged(story).notes[0]


def test_trips_when_no_threshold_is_declared_and_it_opens_then_is_held_with_what_was_found():
    story = Story(threshold=None)
    for _ in range(3):
        story.phase(4, "exact-trip", fault="status")
        story.write("7F R")
        story.silence(1100)
        story.write("S")
    finding = judged(story)
    assert finding.verdict == "held"
    assert any("found 7" in note for note in finding.notes)


def test_trips_when_no_threshold_is_declared_and_good_calls_dilute_it_for_a_second_then_is_held():
    """A share of the last ten seconds: 212 failures at a high rate take it no longer than 5 at a low one."""
    story = Story(threshold=None)
    story.phase(5, "outage", fault="status")
    story.write("212F R", every=6)
    assert judged(story).verdict == "held"


def test_trips_when_no_threshold_is_declared_and_it_opens_after_200_and_30_seconds_then_is_violated():
    story = Story(threshold=None)
    story.phase(5, "outage", fault="status")
    story.write("210F R", every=150)
    assert judged(story).verdict == "violated"


def test_trips_when_late_answers_count_for_nothing_then_latency_is_noted_and_not_judged():
    story = Story(call_timeout="none")
    outage(story, "60R")
    story.silence(1100)
    story.phase(5, "outage", fault="latency")
    story.write("30S", every=10, lasts=600)
    finding = judged(story)
    assert finding.verdict == "held"
    assert any("latency: not judged" in note for note in finding.notes)


def test_trips_when_a_success_stands_between_the_failures_then_only_those_in_a_row_count():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FF S FFF")
    assert judged(story).missing == ("3 of 5 failures",)


def test_trips_when_connections_are_refused_then_arrivals_are_hidden_and_nothing_is_judged():
    story = Story()
    story.phase(5, "outage", fault="refuse")
    story.write("60R", every=10, answer="other", status=502)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "hides whether a call was forwarded" in finding.missing[0]


def test_trips_when_several_instances_are_declared_then_each_may_take_its_failures():
    def twenty(instances):
        story = Story(instances=instances)
        story.phase(5, "outage", fault="status")
        story.write("20F", every=10)
        story.silence(10)
        story.write("40R", every=10)
        return judged(story)

    assert twenty(4).verdict == "held"


def test_trips_when_no_phase_for_it_was_run_then_is_not_applicable():
    story = Story()
    story.baseline()
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "phases 4 (exact-trip) and 5 (outage) were not run" in finding.notes


def test_trips_when_the_baseline_bars_everything_then_is_inconclusive():
    story = Story(baseline=0)
    story.baseline(letter="R")
    outage(story, "30F")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "baseline calls never reached the downstream" in finding.missing[0]
