"""The trip: that it comes, that it does not come early, how much goes through until it shows, and after."""

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story

OVERLAPPING = {"lasts": 200}


def outage(story, text, *, fault="status", every=10, **each):
    """The failing calls one after the other, then ``text`` in open loop."""
    story.phase(5, "outage", fault=fault)
    story.write("FFFFF")
    story.silence(10)
    return story.write(text, every=every, **each)


def overlapping(story, failing):
    """So many failing calls at λ, each of which takes 200."""
    story.phase(5, "outage", fault="status")
    for index in range(failing):
        story.call("F", at=index * 10, lasts=200)
    story.silence(failing * 10)


@case("C-01")
def test_open_state_when_all_sixty_calls_after_the_threshold_are_rejected_then_both_are_held():
    story = Story()
    outage(story, "60R")
    trips, leaks = story.judge("BRK-01"), story.judge("BRK-04")
    assert trips.verdict == "held"
    assert leaks.verdict == "held"
    assert leaks.statistics.m == 60
    assert "0 of 60 calls leaked" in leaks.summary


@case("C-02")
def test_trip_when_every_call_after_the_threshold_is_forwarded_then_names_the_first_of_them():
    story = Story()
    sixth, *_ = outage(story, "60F")
    finding = story.judge("BRK-01")
    assert finding.verdict == "violated"
    assert finding.summary == (
        "65 failing calls were forwarded in 0.62 s, none of 65 was short-circuited;"
        f" declared to open at 5. [first after threshold: {sixth}]"
    )
    assert finding.counterexample.rows[0]["rid"] == sixth
    assert finding.limit.source == "declared threshold=5"


@case("C-03")
def test_trip_when_fewer_calls_failed_than_it_takes_then_is_inconclusive_by_their_number():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFF")
    finding = story.judge("BRK-01")
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("4 of 5 failures",)


@case("C-04")
def test_trip_when_few_calls_followed_the_threshold_then_is_inconclusive_by_their_number():
    story = Story()
    outage(story, "8F")
    finding = story.judge("BRK-01")
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("8 of 20 calls after the threshold",)


@case("C-05")
def test_closed_state_when_the_call_after_four_failures_is_rejected_then_is_violated():
    story = Story()
    story.phase(3, "below")
    story.write("S")
    good = "r00201"
    *_, last = story.write("FFFF")
    rejected, *_ = story.write("R")
    finding = story.judge("BRK-02")
    assert finding.verdict == "violated"
    assert finding.summary == (
        f"opened after 4 consecutive failures (declared 5): {rejected} was short-circuited 0 ms after"
        f" {last} failed; the last success was {good}"
    )
    assert [row["rid"] for row in finding.counterexample.rows][:2] == [rejected, last]


@case("C-06")
def test_closed_state_when_a_success_ends_each_of_six_groups_then_is_held():
    story = Story()
    story.phase(3, "below")
    story.write("FFFFS" * 6)
    finding = story.judge("BRK-02")
    assert finding.verdict == "held"
    assert finding.needs[-1].words == "6 of 6 groups of 4 failures and a success in below"


@case("C-07")
def test_closed_state_when_a_late_success_leaves_room_for_five_in_a_row_then_is_not_violated():
    story = Story()
    story.phase(3, "below")
    story.write("FFFFS" * 5)
    story.write("FFFF")
    begin = story.at
    # The success may settle before or after the fourth failure of the next group.
    story.call("S", at=begin, lasts=40, ended=begin + 25)
    story.silence(5)
    story.write("FFFF", gap=2)
    story.write("R")
    assert story.judge("BRK-02").verdict == "inconclusive"
    # Where it settled for certain before that group began, nothing explains the rejection.
    sooner = Story()
    sooner.phase(3, "below")
    sooner.write("FFFFS" * 6)
    sooner.write("FFFF R", gap=2)
    assert sooner.judge("BRK-02").verdict == "violated"


@case("C-08")
def test_overshoot_when_only_what_was_in_flight_goes_through_then_is_held():
    story = Story()
    overlapping(story, 25)
    story.write("60R", every=10)
    finding = story.judge("BRK-03")
    assert finding.verdict == "held"
    assert finding.summary == (
        "25 failing calls forwarded; bound 5 + 20 in flight (λ 100/s × 0.20 s)"
    )


@case("C-09")
def test_overshoot_when_calls_go_through_after_the_certain_trip_then_they_leak_as_well():
    story = Story()
    overlapping(story, 26)
    late = story.write("6F", every=10, lasts=200)
    story.write("60R", every=10)
    bounded, leaks = story.judge("BRK-03"), story.judge("BRK-04")
    assert bounded.verdict == "violated"
    assert "32 failing calls forwarded" in bounded.summary
    assert leaks.verdict == "violated"
    assert {row["rid"] for row in leaks.counterexample.rows[:7]} >= set(late)


@case("C-10")
def test_overshoot_when_few_calls_overlap_then_is_inconclusive():
    story = Story()
    story.phase(5, "outage", fault="status")
    for index in range(7):
        story.call("F", at=index * 10, lasts=21)
    story.silence(70)
    story.write("60R", every=10)
    finding = story.judge("BRK-03")
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("1.9 of 5 failing calls in flight at once (rate · latency)",)


@case("C-11")
def test_overshoot_when_calls_in_flight_dilute_a_share_then_is_held_and_names_the_denominator():
    story = Story(
        share=0.5, kind="time-window", opens="above", minimum=5, window=10_000, threshold=None
    )
    story.baseline()
    story.silence(11_000)
    overlapping(story, 42)
    story.write("60R", every=10)
    finding = story.judge("BRK-03")
    assert finding.verdict == "held"
    assert finding.limit.value == 42
    assert "42 failing calls forwarded; bound 22 + 20 in flight" in finding.summary
    assert any("fit `admitted`" in note for note in finding.notes)


@case("C-12")
def test_open_state_when_one_call_reaches_the_downstream_then_is_violated():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    tripped = story.at
    story.silence(10)
    story.write("30R", every=10)
    leak = story.call("S", at=tripped + 400)
    story.silence(100)
    story.write("30R", every=10)
    finding = story.judge("BRK-04")
    assert finding.verdict == "violated"
    assert finding.counterexample.rows[0]["rid"] == leak
    assert finding.summary.startswith(f"{leak} reached the downstream 0.40 s after the trip")
    # It changed nothing: that was a leak, and no trial that came too early.
    assert story.judge("BRK-06").verdict != "violated"


@case("C-13")
def test_open_state_when_the_call_was_sent_before_the_certain_trip_then_is_not_violated():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    certain = story.at + 2
    story.call("S", at=certain - 1, arrives=4, lasts=9)
    story.silence(12)
    story.write("60R", every=10)
    finding = story.judge("BRK-04")
    assert finding.verdict == "held"
