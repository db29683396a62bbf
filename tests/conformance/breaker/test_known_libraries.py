"""What whole columns of the contract's table (§6) do in half-open, told as histories: judged as the table has them."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import bursts, departed_trial, hung_trial, parked, tripped

HERE = ("08", "09", "10", "11", "13", "14", "16", "17", "18", "20", "22")


def verdicts(story, numbers=HERE):
    return {number: story.judge(f"BRK-{number}").verdict for number in numbers}


def side_by_side(story):
    story.phase(2, "transparent", latency=200)
    for _ in range(3):
        story.burst(20, spread=5, outcomes="20S", lasts={"S": 200}, given=False)
        story.silence(300)
    story.write("5S", gap=10)


def test_no_breaker_when_judged_then_only_17_and_22_say_anything():
    story = Story(isolation="key", key="{account}")
    side_by_side(story)
    story.phase(4, "exact-trip", fault="status")
    story.write("30F", gap=10)
    story.phase(5, "outage", fault="status")
    story.write("300F", every=10)
    story.phase(6, "heal")
    story.write("60S", every=10)
    bursts(story, "100S", trip="30F")
    bursts(story, "100F 80F", name="burst-bad", trip="30F", callers=180)
    for number, name in ((10, "hung-trial"), (11, "departing-trial")):
        tripped(story, number, name, trip="30F", given={"trial": f"t{number}"})
        story.call("H" if number == 10 else "L", rid=f"t{number}")
        story.silence(60)
        story.write("80S", every=20)
    story.phase(13, "departures", fault="status")
    story.write("4F L 30F", gap=10)
    story.phase(14, "ignored", fault="status")
    story.write("25I S 4F I 30F", gap=10)
    story.phase(15, "keys", fault="status")
    story.write("30F", key="a")
    story.write("30S", key="b", every=10)
    story.phase(16, "stragglers", fault="status")
    story.call("S", at=0, lasts=600)
    story.silence(5)
    story.write("30F", gap=10)
    silent = dict.fromkeys(HERE, "not-applicable")
    assert verdicts(story) == {**silent, "17": "held", "22": "held"}


def one_at_a_time(story, *, bursts_of=20):
    """A lock around the call: each caller goes on when the one before is answered."""
    story.phase(2, "transparent", latency=200)
    for _ in range(3):
        start = story.at
        for index in range(bursts_of):
            comes = start + 200 * index + 11
            sent = start + index / 4
            story.call("S", at=sent, arrives=comes - sent, lasts=comes - sent + 199)
        story.silence(200 * bursts_of + 300)


def test_lock_around_the_call_when_judged_then_only_22_is_violated():
    closed = Story()
    one_at_a_time(closed)
    story = Story()
    parked(story, at_once=False)
    # Callers wait for the lock while the trial hangs, then for the open time like everybody.
    hung_trial(story, [], letter="T", every=20)
    for index in range(14):
        story.call("R", at=story.at + 20 * (index + 1), lasts=290 - 20 * index)
    story.silence(300)
    story.write("50R 20S", every=20)
    found = verdicts(story, ("08", "11", "13")) | verdicts(closed, ("22",))
    assert found == {"08": "held", "11": "held", "13": "held", "22": "violated"}


@pytest.mark.parametrize("time_out", [300, "none"])
def test_callers_parked_until_the_trial_ends_when_judged_then_11_is_violated(time_out):
    story = Story(call_timeout=time_out, lost_after=None if time_out == 300 else 2000)
    side_by_side(story)
    parked(story)
    if time_out == 300:
        hung_trial(story, [], letter="T", every=20)
        for index in range(14):
            story.call("R", at=story.at + 20 * (index + 1), lasts=290 - 20 * index)
        story.silence(300)
        story.write("50R 20S", every=20)
    else:
        hung_trial(story, [], every=50)
        story.silence(50)
        story.write("120H", every=50, arrives=None)
    found = verdicts(story, ("08", "11", "13", "22"))
    hung = "held" if time_out == 300 else "violated"
    assert found == {"08": "held", "11": "violated", "13": hung, "22": "held"}


def test_no_permits_when_judged_then_08_alone_is_violated_and_13_passes_with_a_word():
    story = Story()
    bursts(story, "100S")
    for _ in range(2):
        tripped(story, 9, "burst-bad", latency=400)
        story.burst(100, outcomes="100F", lasts={"F": 400})
        story.silence(420)
        story.write("60R", every=10)
        story.silence(1500)
    hung_trial(story, [("80S", 20)])
    departed_trial(story, [("3S 77S", 20)])
    found = verdicts(story, ("08", "09", "11", "13", "14"))
    assert found == {
        "08": "violated",
        "09": "held",
        "11": "not-applicable",
        "13": "held",
        "14": "held",
    }
    assert any("BRK-08" in note for note in story.judge("BRK-13").notes)
