"""How long it stays open, and that it ends."""

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story


def tripped_between(story, *, first_arrival):
    """Trips somewhere in [100, 104], is called at λ, and lets a call through at ``first_arrival``."""
    story.phase(5, "outage", fault="status")
    story.silence(76)
    story.write("FFFF")
    story.call("F", at=96, arrives=1, ended=100, answered=102)
    story.silence(20)
    before = int((first_arrival - story.at) // 10)
    story.write(f"{before}R", every=10)
    first = story.call("F", at=first_arrival - 1)
    story.silence(first_arrival + 10 - story.at)
    return first


@case("C-24")
def test_open_state_when_the_first_arrival_comes_after_it_then_is_held():
    story = Story()
    tripped_between(story, first_arrival=1099)
    finding = story.judge("BRK-06")
    assert finding.verdict == "inconclusive"
    assert finding.missing == (
        "1 of 3 cycles with 10 calls or more in the last fifth of their open time",
    )
    for _ in range(2):
        recover(story)
        tripped_between(story, first_arrival=1099)
    finding = story.judge("BRK-06")
    assert finding.verdict == "held"
    sample = finding.samples[0]
    began = story.known().phases_of(5)[0].phase.entered / 1e9
    assert [round(moment - began, 3) for moment in sample["tripped"]] == [0.100, 0.104]
    assert round(sample["not_before"] - began, 3) == 1.098


def recover(story):
    """Healed, it closes with the next trial."""
    story.silence(1100)
    story.phase(6, "heal")
    story.write("30S", every=10)


@case("C-25")
def test_open_state_when_the_first_arrival_comes_before_it_then_is_violated_by_the_difference():
    story = Story()
    early = tripped_between(story, first_arrival=900)
    finding = story.judge("BRK-06")
    assert finding.verdict == "violated"
    assert f"{early} was 0.20 s too early" in finding.summary
    assert finding.counterexample.rows[0]["rid"] == early
    sample = finding.samples[0]
    assert round(sample["not_before"] - sample["first_arrival"], 6) == 0.198


@case("C-26")
def test_open_state_when_rejections_restart_its_timer_then_is_violated_under_load_alone():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("1200R", every=10)
    story.silence(2000)
    story.write("F")
    finding = story.judge("BRK-07")
    assert finding.verdict == "violated"
    assert finding.summary == (
        "no trial in 12.00 s of steady load at 100/s after an open state declared 1.00 s; after 2.01 s of"
        " silence the next call was forwarded at once. Rejections seem to restart the timer."
    )


@case("C-27")
def test_open_state_when_nobody_called_while_it_should_end_then_says_nothing_under_load():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("86R", every=10)
    story.silence(4100)
    story.write("F")
    finding = story.judge("BRK-07")
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("0 of 1 open states that ended under steady load",)
    assert "after silence: 1 of 1 in time" in finding.notes
