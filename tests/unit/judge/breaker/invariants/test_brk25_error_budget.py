import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-25")


def outage(baseline=200, **declared):
    """Tripped by five, rejected for a second, closed by the first call after healing."""
    story = Story(baseline=baseline, **declared)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.write("95R", every=10)
    story.phase(6, "heal")
    return story


def healed(after=300, **declared):
    story = outage(**declared)
    story.write("10R", every=10)
    story.write(f"{150 + after}S", every=10)
    return story


def test_calls_when_all_succeed_in_health_then_hold():
    finding = judged(healed())
    assert finding.verdict == "held"
    assert [need.what for need in finding.needs] == [
        "calls in the baseline",
        "calls after recovery",
    ]
    assert "0 of" in finding.summary
    assert "95 % confidence" in finding.power


def test_calls_when_some_fail_after_recovery_then_are_violated_as_the_report_says_it():
    story = healed()
    rids = [story.call("F", at=story.at + index) for index in range(3)]
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "3 of" in finding.summary
    assert "calls failed while the downstream was healthy and the breaker closed" in finding.summary
    assert [row["rid"] for row in finding.counterexample.rows] == rids


def test_calls_when_short_circuited_without_a_reason_then_are_violated_whatever_the_budget():
    story = healed(errors_when_healthy=0.5)
    rid = story.call("R", at=story.at)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "1 short-circuited" in finding.summary
    assert finding.counterexample.rows[0]["rid"] == rid


def test_calls_when_the_service_spoils_a_good_answer_then_are_violated():
    story = healed()
    story.call("S", at=story.at, status=500, answer="other")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "although the downstream succeeded" in finding.summary


def test_calls_when_they_fail_within_the_time_of_recovery_then_are_not_counted():
    """Two failures do not open it; one more comes 20 ms after healing."""
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FF", every=10)
    story.phase(6, "heal")
    story.write("SSF600S", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.observed.value == 0


def test_calls_when_rejected_before_it_had_closed_again_then_are_not_counted():
    """Healing takes longer than R, which is BRK-12's finding."""
    story = outage(recovers_within=50)
    story.write("60R400S", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.observed.value == 0


def test_calls_when_it_opened_for_no_reason_then_that_state_excuses_nothing():
    story = healed(errors_when_healthy=0.5)
    story.write("F", every=10)
    story.write("20R", every=10)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "20 short-circuited" in finding.summary


def test_calls_when_an_earlier_phase_ended_open_then_the_next_began_closed():
    story = Story()
    story.phase(4, "exact-trip", fault="status")
    story.write("FFFFFR")
    story.phase(5, "outage", fault="status")
    story.write("FF", every=10)
    story.phase(6, "heal")
    story.write("500S", every=10)
    assert judged(story).verdict == "held"


def test_calls_when_the_baseline_was_badly_driven_then_hold_nothing():
    story = Story(baseline=0)
    story.phase(1, "baseline", planned=1000)
    story.write("200S", every=10)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF95R", every=10)
    story.phase(6, "heal")
    story.write("10R500S", every=10)
    assert judged(story).verdict == "inconclusive"


def test_calls_when_the_breaker_never_closes_then_are_brk12s_and_missing_here():
    story = outage()
    story.write("600R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "0 of 200 calls after recovery" in finding.missing


def test_calls_when_the_baseline_is_short_then_hold_nothing():
    finding = judged(healed(baseline=100))
    assert finding.verdict == "inconclusive"
    assert "100 of 200 calls in the baseline" in finding.missing


def test_calls_when_few_came_after_recovery_then_hold_nothing():
    finding = judged(healed(after=50))
    assert finding.verdict == "inconclusive"
    assert any("of 200 calls after recovery" in lack for lack in finding.missing)


def test_calls_when_a_share_may_fail_then_are_judged_by_exact_bounds():
    story = healed(after=1000, errors_when_healthy=0.05)
    story.write("10F", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.statistics.method == "clopper-pearson"
    story = healed(errors_when_healthy=0.01)
    story.write("4F200S", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "calls would decide" in finding.summary
    story = healed(errors_when_healthy=0.01)
    story.write("FS" * 30, every=10)
    assert judged(story).verdict == "violated"


def test_fallbacks_when_one_is_not_as_declared_then_are_violated():
    story = Story(fallback={"status": 200})
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.write("60B", every=10)
    rid = story.call("R", at=story.at)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.counterexample.rows[0]["rid"] == rid
    assert "declared fallback" in finding.summary


@pytest.mark.parametrize("end", ["refused", "reset", "eof", "deadline"])
def test_calls_when_neither_answered_nor_arrived_then_are_violated(end):
    story = healed()
    rid = story.call("U", at=story.at, end=end)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.counterexample.rows[0]["rid"] == rid


def test_calls_when_their_leaving_was_planned_then_are_not_missed():
    story = healed()
    story.phase(11, "departing-trial", given={"trial": "gone", "left": ["away"]})
    story.call("U", at=story.at, end="deadline", rid="gone")
    story.call("U", at=story.at, end="deadline", rid="away")
    assert judged(story).verdict == "held"


def test_calls_when_the_hops_log_was_lost_then_may_have_arrived():
    story = healed()
    at = story.at
    story.call("U", at=at, end="deadline")
    story.gap(at - 1, at + 5)
    assert judged(story).verdict != "violated"


def test_recovery_when_declared_then_goes_by_it():
    finding = judged(healed(after=60, recovers_within=100))
    assert finding.verdict == "held"


def test_healing_when_it_was_not_run_then_is_not_applicable():
    story = Story()
    story.baseline()
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "phase 6 (heal) was not run" in finding.summary


def test_baseline_when_a_call_failed_then_is_violated_without_healing():
    story = Story()
    story.phase(1, "baseline")
    story.write("250S", every=10)
    story.write("F", every=10)
    assert judged(story).verdict == "violated"
