import pytest

from tests.support.breaker_histories import Story


def opened(**declared):
    """Open for 10 s."""
    story = Story(open=10_000, **declared)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    return story


def judged(story):
    return story.judge("BRK-05")


def test_rejections_when_there_are_300_fast_ones_then_p99_holds():
    story = opened()
    story.write("300R", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.observed.per == "p99"
    assert (finding.needs[0].had, finding.needs[0].at_least) == (300, 59)


def test_rejections_when_there_are_148_then_p95_is_judged_and_said():
    story = opened()
    story.write("148R", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.observed.per == "p95"
    assert "p99 not judged: 299 needed" in finding.summary


def test_rejections_when_there_are_58_then_are_too_few():
    story = opened()
    story.write("58R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("58 of 59 rejected calls",)


def test_rejections_when_the_limit_is_declared_then_goes_by_it():
    story = opened(within=20)
    story.write("300R", every=10, lasts=30)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.limit.value == 20
    assert "declared" in finding.limit.source


def test_rejections_when_the_limit_is_not_declared_then_50_ms_are():
    story = opened()
    story.write("300R", every=10, lasts=45)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.limit.value == 50


def test_rejections_when_over_the_limit_by_no_more_than_our_own_lateness_then_nobody_is_accused():
    story = opened(within=50)
    story.write("300R", every=10, lasts=51)
    assert judged(story).verdict == "inconclusive"


def test_rejections_when_we_sent_them_late_then_hold_nothing_and_accuse_nobody():
    """They count from when they were due, but the service can only be as late as it was asked."""
    story = opened(within=50, call_timeout=2000)
    for index in range(300):
        at = story.at + index * 10
        story.call("R", at=at + 80, due=at, lasts=1)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("the upper bound of p99 is 81.0 ms" in lack for lack in finding.missing)


def test_rejections_when_outside_the_open_state_then_do_not_count():
    story = Story(open=500)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.write("40R", every=10)
    story.silence(2000)
    story.write("300R", every=1, lasts=45)
    assert judged(story).needs[0].had == 40


@pytest.mark.parametrize("letter", ["R", "B"])
def test_rejections_when_not_the_declared_answer_then_are_violated(letter):
    other = {"status": 599, "answer": "other"}
    declared = {"rejection_status": 503} if letter == "R" else {"fallback": {"status": 200}}
    story = opened(**declared)
    story.write(f"300{letter}", every=10)
    assert judged(story).verdict == "held"
    rid = story.call("R", at=story.at, **other)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.counterexample.rows[0]["rid"] == rid
    assert "with 599" in finding.summary


def test_rejections_when_no_answer_is_declared_then_any_will_do():
    story = opened()
    story.write("300R", every=10, status=599, answer="other")
    assert judged(story).verdict == "held"


def test_callers_when_parked_behind_a_trial_then_are_violated():
    """Beside a trial that takes 400 ms, 99 wait for its end although T is not known."""
    story = Story(call_timeout="none")
    story.phase(8, "burst-good", latency=400)
    story.write("FFFFF")
    story.write("R", lasts=1)
    story.silence(1300)
    start = story.at
    story.call("S", at=start, lasts=400)
    for index in range(99):
        at = start + 1 + index * 0.1
        tries = [{"at": start + 405, "ended": start + 800}]
        story.call("S", at=at, lasts=805, arrivals=tries)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "waits of calls beside a trial" in finding.summary


def test_callers_when_they_may_wait_for_a_trial_then_are_not_looked_at():
    story = Story(call_timeout="none", others="wait")
    story.phase(8, "burst-good", latency=400)
    story.write("FFFFF")
    story.write("R", lasts=1)
    story.silence(1300)
    start = story.at
    story.call("S", at=start, lasts=400)
    for index in range(99):
        tries = [{"at": start + 405, "ended": start + 800}]
        story.call("S", at=start + 1 + index * 0.1, lasts=805, arrivals=tries)
    assert judged(story).verdict == "inconclusive"


def test_callers_when_never_answered_beside_a_hung_trial_then_are_violated():
    story = Story()
    story.phase(10, "hung-trial", fault="blackhole")
    story.write("FFFFFR")
    story.silence(1100)
    start = story.at
    story.call("H", at=start)
    for index in range(60):
        story.call("U", at=start + 5 + index * 10, end="deadline", lasts=1000)
    story.silence(1700)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "60 of" in finding.summary
    assert "none may wait for the call time-out" in finding.summary


def test_callers_when_broken_off_then_did_not_wait():
    story = opened()
    story.write("300R", every=10)
    story.call("U", at=story.at, lasts=500)
    assert judged(story).verdict == "held"


def test_load_when_too_low_in_the_phase_then_is_missing():
    story = Story(open=10_000)
    story.phase(5, "outage", fault="status", planned=3000)
    story.write("FFFFF")
    story.write("300R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing


def test_harness_when_late_then_holds_nothing():
    story = Story(open=10_000)
    story.phase(5, "outage", fault="status", lag=200)
    story.write("FFFFF")
    story.write("300R", every=10)
    assert judged(story).verdict == "inconclusive"


def test_breaker_when_it_never_opened_then_has_no_rejections_to_judge():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("250F", every=10)
    assert judged(story).verdict == "not-applicable"


def test_phases_when_none_was_run_in_which_it_opens_then_is_not_applicable():
    story = Story()
    story.baseline()
    assert judged(story).verdict == "not-applicable"


def test_limits_of_concurrency_when_they_refuse_then_are_judged_without_a_state():
    story = Story(kind="in-flight", threshold=10)
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("10S", every=10, lasts=2000)
    story.write("300R", every=5)
    finding = judged(story)
    assert finding.needs[0].had == 300
    assert finding.verdict == "held"
