"""How fast an open breaker says no: BRK-05."""

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story


def opened(**declared):
    story = Story(**declared)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    return story


@case("C-22")
def test_rejections_when_one_of_600_is_slow_then_hold():
    story = opened(open=10_000)
    story.write("299R", every=10)
    story.write("R", every=10, lasts=200)
    story.write("300R", every=10)
    finding = story.judge("BRK-05")
    assert finding.verdict == "held"
    assert finding.statistics.bound == 1
    assert finding.observed.per == "p99"
    assert "95 % CI ≤ 1.0 ms" in finding.summary


@case("C-22")
def test_rejections_when_one_of_300_is_slow_then_the_bound_is_that_one_and_nobody_is_accused():
    story = opened(open=10_000)
    story.write("150R", every=10)
    story.write("R", every=10, lasts=200)
    story.write("149R", every=10)
    finding = story.judge("BRK-05")
    assert finding.verdict == "inconclusive"
    assert "the upper bound of p99 is 200.0 ms" in finding.summary
    assert "773 rejections would decide" in finding.summary


@case("C-23")
def test_rejections_when_all_40_are_slow_then_are_violated_though_40_cannot_hold():
    story = opened(within=50)
    story.write("40R", every=10, lasts=100)
    finding = story.judge("BRK-05")
    assert finding.verdict == "violated"
    assert "p99 of 40 rejections is 100.0 ms or more" in finding.summary
    assert finding.statistics.confidence == 0.999


@case("C-23")
def test_rejections_when_one_waits_for_the_call_timeout_then_it_is_the_counterexample():
    story = opened(within=50)
    story.write("20R", every=10)
    [waited] = story.write("R", every=10, lasts=310)
    story.write("19R", every=10)
    finding = story.judge("BRK-05")
    assert finding.verdict == "violated"
    assert [row["rid"] for row in finding.counterexample.rows] == [waited]
