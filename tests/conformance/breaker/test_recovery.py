"""Recovery after the fault, and a second outage after the first."""

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story


def healed(story, *, rejected, then):
    """Open when the fault is undone; rejected for ``rejected`` calls at λ, then ``then``."""
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(15)
    story.write("20R", every=10)
    story.phase(6, "heal")
    story.write(f"{rejected}R", every=10)
    story.write(then, every=10)


@case("C-39")
def test_recovery_when_calls_are_good_within_the_bound_then_is_held():
    story = Story()
    healed(story, rejected=125, then="40S")
    finding = story.judge("BRK-12")
    assert finding.verdict == "held"
    assert finding.observed.value == 1.25
    # D + T + 10 (closing) + 10 (1/λ) + 2
    assert finding.limit.value == 1.322
    assert finding.summary == (
        "1.25 s from healing to 20 good calls in a row under load; bound 1.32 s (open 1.00 + call"
        " time-out 0.30 + closing 0.01 + 1 / rate 0.01 + slack 0.00)"
    )


@case("C-40")
def test_recovery_when_calls_are_never_good_again_then_is_violated():
    story = Story()
    healed(story, rejected=300, then="")
    finding = story.judge("BRK-12")
    assert finding.verdict == "violated"
    assert finding.summary.startswith(
        "no 20 good calls in a row in 2.99 s after healing: 0 of 300 calls were good; bound 1.32 s"
    )
    # 300 calls at 10, of which those after 1322 accuse.
    assert finding.counterexample.got == (
        "167 calls after it were not good, 167 of them short-circuited"
    )


def second_outage(story, text):
    """The first trips at 5 and is held for 900 rejections, then recovers; ``text`` is the second."""
    story.phase(17, "second-outage")
    story.fault("status", applied=(0, 0), undone=(3200, 3200))
    story.write("5F", every=10)
    story.silence(10)
    story.write("900R", every=3.4)
    story.silence(3200 - story.at)
    story.silence(1100)
    story.write("60S", every=10)
    again = story.at
    story.fault("status", applied=(again, again), undone=(again + 4000, again + 4000))
    return story.write(text, every=10)


@case("C-52")
def test_second_outage_when_it_never_trips_then_is_violated():
    story = Story()
    second_outage(story, "300F")
    finding = story.judge("BRK-19")
    assert finding.verdict == "violated"
    assert finding.summary.startswith(
        "the first outage opened after 5 failures; in the second all 300 failing calls were forwarded"
        " (bound 5). 900 rejections fell into the"
    )


@case("C-53")
def test_second_outage_when_it_was_too_short_then_is_inconclusive_by_three_times_the_bound():
    story = Story()
    second_outage(story, "8F")
    finding = story.judge("BRK-19")
    assert finding.verdict == "inconclusive"
    assert "8 of 15 failing calls offered in the second outage" in finding.missing
