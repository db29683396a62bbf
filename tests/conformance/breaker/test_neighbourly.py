"""What one call may do to others: across keys, across states, and side by side while closed."""

import pytest

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story


@case("C-51")
@pytest.mark.parametrize(
    ("isolation", "verdict"), [("key", "violated"), ("none", "not-applicable")]
)
def test_other_key_when_short_circuited_then_violates_if_isolated(isolation, verdict):
    story = Story(isolation=isolation, key="{account}")
    story.phase(15, "keys", fault="status")
    story.write("5FR", key="a")
    story.silence(10)
    story.write("5R", key="b", every=10)
    finding = story.judge("BRK-18")
    assert finding.verdict == verdict, finding.summary
    if verdict == "violated":
        assert (
            finding.summary == "5 of 5 calls for key b were short-circuited while only key a failed"
        )
    else:
        assert any("isolation: none" in note for note in finding.notes)


def straggling(letter, **call):
    """A straggler, at the hop before the trip, that ends after it; the cursor is at the trip."""
    story = Story()
    story.phase(16, "stragglers", fault="status")
    story.call(letter, at=0, **call)
    story.silence(5)
    story.write("5FR", gap=1)
    return story


TRIPPED = 33
"""About where the trip is in the stories above, since the phase's start."""


@case("C-54")
def test_straggler_when_its_success_while_open_lets_calls_through_then_violates_once():
    story = straggling("S", lasts=TRIPPED + 600)
    story.silence(TRIPPED + 700 - story.at)
    story.write("10S", every=10)
    finding = story.judge("BRK-20")
    assert finding.verdict == "violated", finding.summary
    assert finding.summary.startswith("(i): the straggler ")
    assert "10 of 10 following calls were forwarded" in finding.summary
    assert any("BRK-04" in note for note in finding.notes)


@case("C-55")
def test_straggler_when_its_failure_while_open_prolongs_it_then_violates():
    story = straggling("F", lasts=TRIPPED + 900)
    story.silence(TRIPPED + 10 - story.at)
    story.write("189R 20S", every=10)
    finding = story.judge("BRK-20")
    assert finding.verdict == "violated", finding.summary
    assert finding.summary.startswith("(ii): the straggler ")
    assert "first trial came 1.9" in finding.summary


@case("C-56")
def test_straggler_when_its_success_lifts_the_permits_then_violates_20_and_08():
    story = straggling("S", lasts=TRIPPED + 1250)
    story.silence(TRIPPED + 1100 - story.at)
    story.call("T", rid="the-trial")
    story.silence(TRIPPED + 1260 - story.at)
    story.write("10S", every=10)
    finding = story.judge("BRK-20")
    assert finding.verdict == "violated", finding.summary
    assert finding.summary.startswith("(iii): the straggler ")
    assert "the trial the-trial still hung; 10 of 10 following calls" in finding.summary
    assert story.judge("BRK-08").verdict == "violated", story.judge("BRK-08").summary


@case("C-57")
def test_callers_when_passed_on_one_at_a_time_then_violate():
    story = Story()
    story.phase(2, "transparent", latency=200, callers=20)
    start = story.at
    for index in range(20):
        sent = start + index / 2
        comes = start + 200 * index + 11
        story.call("S", at=sent, arrives=comes - sent, lasts=comes - sent + 199)
    story.silence(5000)
    finding = story.judge("BRK-22")
    assert finding.verdict == "violated", finding.summary
    assert "20 concurrent callers were passed on one at a time: peak 1 in flight" in finding.summary
    assert "4.0" in finding.summary
