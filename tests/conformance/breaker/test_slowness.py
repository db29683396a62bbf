"""A downstream that answers late, or never: BRK-15 and BRK-21."""

import pytest

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story


@case("C-44")
@pytest.mark.parametrize("invariant", ["BRK-15", "BRK-21"])
def test_slow_calls_when_nothing_is_short_circuited_then_are_violated(invariant):
    story = Story(slow=500)
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("60S", every=10, lasts=2000)
    finding = story.judge(invariant)
    assert finding.verdict == "violated"
    assert finding.counterexample.rows
    assert "60" in finding.summary


def undeclared():
    return Story(threshold=None, open=None, permits=None, call_timeout=None)


def slow_for_20_s(story):
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("2000S", every=10, lasts=2000)


def blackhole_for_30_s(story):
    story.phase(5, "outage", fault="blackhole")
    story.write("3000H", every=10)


@case("C-45")
def test_slow_calls_when_nothing_is_declared_then_are_not_applicable_with_a_note():
    story = undeclared()
    slow_for_20_s(story)
    finding = story.judge("BRK-15")
    assert finding.verdict == "not-applicable"
    assert "200 requests piled up" in " ".join(finding.notes)
    assert "BRK-21 held" in " ".join(finding.notes)


@case("C-45")
def test_pending_when_only_slow_and_nothing_is_declared_then_levels_and_holds():
    story = undeclared()
    slow_for_20_s(story)
    finding = story.judge("BRK-21")
    assert finding.verdict == "held"
    assert "levels at 200 in flight" in finding.summary
    assert "Little's law" in finding.summary
    assert "not tested with a downstream that hangs" in finding.summary


@case("C-45")
def test_pending_when_it_rises_to_the_end_of_a_blackhole_then_is_violated_there_alone():
    story = undeclared()
    slow_for_20_s(story)
    blackhole_for_30_s(story)
    finding = story.judge("BRK-21")
    assert finding.verdict == "violated"
    assert "rising when the load ended" in finding.summary
    by_phase = {sample["phase"]: sample["verdict"] for sample in finding.samples}
    assert by_phase == {"slow": "held", "outage-blackhole": "violated"}
    fifteen = story.judge("BRK-15")
    assert fifteen.verdict == "not-applicable"
    assert any("BRK-21 violated" in note for note in fifteen.notes)


def opens_after_five_failures(story, *, times=3):
    """What is not declared can be found from these."""
    for _ in range(times):
        story.phase(4, "exact-trip", fault="status")
        story.write("5F 20R", gap=10)
        story.silence(1100)
        story.write("20S", gap=10)


@case("C-44")
def test_slow_calls_when_they_opened_what_declares_no_threshold_then_hold_by_what_was_found():
    story = Story(threshold=None)
    opens_after_five_failures(story)
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("29T 100R", every=10)
    finding = story.judge("BRK-15")
    assert finding.verdict == "held", finding.missing
    assert "opened after 5 calls over 0.3 s" in finding.summary


@case("C-44")
def test_slow_calls_when_few_opened_nothing_and_no_threshold_is_declared_then_are_inconclusive():
    story = Story(threshold=None)
    opens_after_five_failures(story)
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("100T", every=10)
    finding = story.judge("BRK-15")
    assert finding.verdict == "inconclusive"
    assert "100 of 200 calls over the limit in slow" in finding.missing


@case("C-44")
def test_slow_calls_when_only_timeouts_opened_it_then_the_phase_below_the_timeout_decides():
    story = Story(slow=100)
    story.phase(5, "outage", fault="blackhole")
    story.write("34T 100R", every=10)
    story.silence(1100)
    story.write("20S", gap=10)
    story.phase(12, "slow", fault="latency", latency=250)
    story.write("10S", every=100, lasts=250)
    finding = story.judge("BRK-15")
    assert finding.verdict == "inconclusive"
    assert {need.what for need in finding.needs} >= {"calls over the limit in slow"}
