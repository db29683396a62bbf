from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-15")


def slow(*, rate=20, latency=2000, **declared):
    """20 calls a second, each answered after 2 s."""
    story = Story(rate=rate, **declared)
    story.phase(12, "slow", fault="latency", latency=latency)
    return story


def test_slow_calls_when_they_open_it_as_they_end_then_hold():
    """Detection lags by L: 41 in flight at once and no more than the bound."""
    story = slow(slow=500, call_timeout="none")
    story.write("42S", every=50, lasts=2000)
    story.write("60R", every=50)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "opened after 5 calls over 0.5 s" in finding.summary
    assert finding.counterexample is None


def test_slow_calls_when_given_up_at_the_timeout_then_open_it_sooner():
    story = slow(call_timeout=600)
    story.write("13T", every=50, lasts=601)
    story.write("60R", every=50)
    assert judged(story).verdict == "held"


def test_slow_calls_when_all_are_forwarded_then_are_violated_as_the_report_says_it():
    story = slow(slow=500, call_timeout="none")
    story.write("80S", every=50, lasts=2000)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "80 calls took 2.0 s each (limit 0.5 s, opens after 5)" in finding.summary
    assert "none was short-circuited; 40 were in flight at once" in finding.summary
    assert len(finding.counterexample.rows) >= 20


def test_slow_calls_when_too_many_pile_up_before_it_opens_then_are_violated():
    """It opens, but T = 600 ms was not kept: 2 s of calls were in flight instead of 0.6."""
    story = slow(call_timeout=600)
    story.write("38S", every=50, lasts=2000)
    story.write("60R", every=50)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "bound 5 + 20·0.6 + 1 = 18" in finding.summary


def test_slow_calls_when_fewer_than_the_threshold_were_seen_then_say_nothing():
    story = slow(slow=500, call_timeout="none")
    story.write("4S", every=50, lasts=2000)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "4 of 5 calls over the limit in slow" in finding.missing


def test_slow_calls_when_fewer_than_20_came_after_the_threshold_then_say_nothing():
    story = slow(slow=500, call_timeout="none")
    story.write("55S", every=50, lasts=2000)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("of 20 calls after the threshold" in lack for lack in finding.missing)


def test_slow_calls_when_the_latency_is_not_twice_the_limit_then_hold_nothing():
    story = slow(slow=500, call_timeout="none", latency=600)
    story.write("14S", every=50, lasts=610)
    story.write("60R", every=50)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any(
        "latency / limit in slow is" in lack or "of 2 latency" in lack for lack in finding.missing
    )


def test_slow_calls_when_good_ones_come_between_then_are_not_in_a_row():
    """Every fourth answers at once: 5 slow ones in a row never settle."""
    story = slow(slow=500, call_timeout="none")
    for index in range(80):
        at = story.at + index * 50
        story.call("S", at=at, lasts=5 if index % 4 == 0 else 2000)
    assert judged(story).verdict == "inconclusive"


def test_slow_calls_when_they_have_a_share_of_their_own_then_it_is_judged_by_that():
    story = slow(slow=500, slow_share=0.5, call_timeout="none", minimum=5, denominator="settled")
    story.write("42S", every=50, lasts=2000)
    story.write("60R", every=50)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.limit.value == 3


def test_slow_calls_when_nothing_ever_ends_and_only_slow_is_declared_then_open_nothing():
    """A slow call counts when it ends."""
    story = Story(slow=500, call_timeout="none")
    story.phase(5, "outage", fault="blackhole")
    story.write("60H", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "no phase was slow in a way" in finding.summary


def test_slow_calls_when_a_blackhole_is_never_given_up_although_declared_then_are_violated():
    story = Story(call_timeout=300)
    story.phase(5, "outage", fault="blackhole")
    story.write("100H", every=10)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "took for ever each" in finding.summary


def test_slow_calls_when_no_phase_was_slow_then_are_not_applicable():
    story = Story(slow=500)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF60R")
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "12 (slow)" in finding.summary


def test_slow_calls_when_neither_limit_is_declared_then_say_how_many_piled_up():
    story = Story(threshold=None, open=None, permits=None, call_timeout=None)
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("300S", every=10, lasts=2000)
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "200 requests piled up" in finding.summary
    assert any(note.startswith("BRK-21 ") for note in finding.notes)


def test_slow_calls_when_the_threshold_is_not_known_then_that_it_opened_shows_it():
    story = slow(threshold=None, open=None, permits=None, call_timeout=600)
    story.write("13T", every=50, lasts=601)
    story.write("60R", every=50)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "opened after at most 13 calls" in finding.summary


def test_slow_calls_when_the_threshold_is_not_known_then_199_say_nothing():
    story = slow(threshold=None, open=None, permits=None, call_timeout=600)
    story.write("199T", every=50, lasts=601)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "199 of 200 calls over the limit in slow" in finding.missing


def test_load_when_too_low_then_is_missing():
    story = Story(rate=20, slow=500, call_timeout="none")
    story.phase(12, "slow", fault="latency", latency=2000, planned=1000)
    story.write("42S", every=50, lasts=2000)
    story.write("60R", every=50)
    assert judged(story).verdict == "inconclusive"
