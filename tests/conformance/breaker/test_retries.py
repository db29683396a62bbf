"""Several arrivals for one call: BRK-23."""

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story


def three_tries(story, count):
    """So many calls, one after the other, each three times at the hop, 50 ms apart."""
    for _ in range(count):
        at = story.at
        tries = [{"at": at + 1 + 50 * n, "ended": at + 4 + 50 * n} for n in range(3)]
        story.call("F", at=at, lasts=105, arrivals=tries)
        story.silence(110)


@case("C-21")
def test_retries_when_undeclared_then_three_arrivals_a_call_hold():
    story = Story(threshold=60)
    story.phase(5, "outage", fault="status")
    three_tries(story, 60)
    finding = story.judge("BRK-23")
    assert finding.verdict == "held"
    assert finding.observed.value == 3.0
    assert finding.limit.value == 3.0


@case("C-21")
def test_retries_when_one_attempt_is_declared_then_three_arrivals_a_call_are_violated():
    story = Story(threshold=60, attempts=1)
    story.phase(5, "outage", fault="status")
    three_tries(story, 60)
    finding = story.judge("BRK-23")
    assert finding.verdict == "violated"
    assert "3.00 arrivals per failing call" in finding.summary
    assert "arrived at +0, +50, +100 ms" in finding.summary
    assert len(finding.counterexample.rows[0]["arrivals"]) == 3
