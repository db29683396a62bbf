import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-21")


def slow(*, rate=20, latency=4000, fault="latency", **declared):
    story = Story(rate=rate, **{"call_timeout": 600, **declared})
    story.phase(12, "slow", fault=fault, latency=latency)
    return story


def conforming(story, seconds=16, every=50):
    """Opens when the fifth is given up; then one trial a second, given up as well."""
    story.write("13T", every=every, lasts=601)
    while story.at < seconds * 1000:
        story.write("32R", every=every)
        story.write("T", every=every, lasts=601)


def test_pending_when_given_up_and_opened_then_holds():
    story = slow()
    conforming(story)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "at most 12 in flight behind" in finding.summary
    assert "bound 5 + 20·0.6 + 1 = 18" in finding.summary
    assert {need.what for need in finding.needs} == {
        "calls sent at a rate in slow",
        "seconds of load in slow",
        "rate · latency in slow",
    }
    assert "80 calls would have been in flight" in finding.power


def test_pending_when_the_timeout_is_not_kept_then_is_violated_as_the_report_says_it():
    story = slow(latency=2000)
    story.write("60S", every=50, lasts=2000)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "40 requests in flight behind" in finding.summary
    assert "(λ 20/s × 2.0 s); bound 5 + 20·0.6 + 1 = 18" in finding.summary
    assert finding.observed.value == 40
    assert len(finding.counterexample.rows) == 40


def test_pending_when_it_piles_up_in_front_alone_then_is_violated():
    """One at a time is passed on; the others wait for a lock and are never answered."""
    story = slow()
    for index in range(60):
        at = index * 50
        if index % 13 == 0:
            story.call("T", at=at, lasts=601)
        else:
            story.call("U", at=at, end="deadline", lasts=20_000)
    story.now += 3000
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "calls unanswered in front" in finding.summary


def test_pending_when_rejections_are_in_progress_then_they_are_none():
    story = slow(within=1000)
    conforming(story)
    at = story.at
    for index in range(40):
        story.call("R", at=at + index, lasts=900)
    assert judged(story).verdict == "held"


def test_pending_when_the_phase_is_short_then_holds_nothing():
    story = slow()
    conforming(story, seconds=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("of 15 seconds of load in slow" in lack for lack in finding.missing)


def test_pending_when_the_limit_could_not_have_shown_then_holds_nothing():
    """20/s × 2 s are 40, no four times 18."""
    story = slow(latency=2000)
    conforming(story)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("of 72 rate · latency in slow" in lack for lack in finding.missing)


def test_pending_when_not_sent_at_a_rate_then_holds_nothing():
    story = slow()
    while story.at < 16_000:
        story.write("T", lasts=601)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("calls sent at a rate" in lack for lack in finding.missing)


def test_pending_when_load_was_too_low_then_is_missing():
    story = Story(rate=20, call_timeout=600)
    story.phase(12, "slow", fault="latency", latency=4000, planned=2000)
    conforming(story)
    assert judged(story).verdict == "inconclusive"


def test_pending_when_a_bulkhead_is_declared_then_it_is_the_bound():
    story = slow(bulkhead=10)
    conforming(story)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "bulkhead" in finding.limit.source
    assert finding.limit.value == 10


def test_pending_when_no_time_out_is_declared_and_it_levels_then_holds_by_littles_law():
    story = Story(call_timeout="none")
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("1600S", every=10, lasts=2000)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "levels at 200 in flight" in finding.summary


def test_pending_when_the_downstream_never_answers_and_nothing_gives_up_then_is_violated():
    story = Story(call_timeout="none")
    story.phase(5, "outage", fault="blackhole")
    story.write("400H", every=10)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "the downstream never answered and nothing gave up" in finding.summary
    assert "400 requests in flight behind and rising" in finding.summary


def test_pending_when_a_hidden_limit_stops_the_growth_then_is_not_accused():
    """Nothing is declared: 1,000 hang, everybody after them is refused at once."""
    story = Story(threshold=None, open=None, permits=None, call_timeout=None)
    story.phase(5, "outage", fault="blackhole")
    story.write("1000H", every=10)
    story.write("1000R", every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "stopped growing at 1000" in finding.summary
    assert "there is no bound to judge by" in " ".join(finding.notes)


@pytest.mark.parametrize(("peak", "verdict"), [(10, "held"), (14, "violated")])
def test_limits_of_concurrency_when_passed_for_long_then_are_violated(peak, verdict):
    story = Story(kind="in-flight", threshold=10, rate=20, call_timeout=600)
    story.phase(12, "slow", fault="latency", latency=4000)
    every = 50
    while story.at < 16_000:
        story.write(f"{peak}S", every=every, lasts=4000)
        story.write(f"{80 - peak}R", every=every)
    assert judged(story).verdict == verdict


def test_limits_of_concurrency_when_passed_for_a_moment_then_are_not():
    story = Story(kind="in-flight", threshold=10, rate=20, call_timeout=600)
    story.phase(12, "slow", fault="latency", latency=4000)
    story.write("10S", every=50, lasts=4000)
    for index in range(5):
        story.call("S", at=story.at + index, lasts=30)
    assert judged(story).verdict != "violated"


def test_sockets_when_they_were_read_then_are_told():
    story = Story(rate=20, call_timeout=600)
    story.baseline()
    story.sample(sockets=12)
    story.phase(12, "slow", fault="latency", latency=4000)
    story.sample(sockets=53)
    conforming(story)
    assert any("at most 12 in the baseline, 53 in slow" in note for note in judged(story).notes)


def test_pending_when_no_phase_keeps_calls_waiting_then_is_not_applicable():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF60R")
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "12 (slow)" in finding.summary


def unjoined(story):
    """The service gives its calls ids of its own: arrivals, but nobody's."""
    for index in range(200):
        story.stray(at=index * 10)
    story.write("200S", every=10, arrives=None)


def without_ids(pile):
    story = Story(baseline=0, rate=20, call_timeout=600)
    story.phase(1, "baseline")
    unjoined(story)
    story.phase(12, "slow", fault="latency", latency=4000)
    for index in range(80):
        if index < pile:
            story.stray(at=index * 50, ended=index * 50 + 4000)
    story.write("80S", every=50, arrives=None, lasts=4000)
    return judged(story)


def test_pending_when_ids_do_not_join_then_what_came_to_the_hop_is_counted():
    finding = without_ids(60)
    assert finding.verdict == "violated"
    assert "60 requests in flight behind" in finding.summary
    assert any("counted without ids" in note for note in finding.notes)


def test_pending_when_ids_do_not_join_then_counting_alone_holds_nothing():
    finding = without_ids(10)
    assert finding.verdict == "inconclusive"
    assert "could not be joined" in finding.summary
    assert any("by counts alone at most 10" in note for note in finding.notes)
