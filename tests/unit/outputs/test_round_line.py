"""The line of a round says what its events say, and starts anew with the next round."""

from harness.model.events import (
    AnyEvent,
    HopCounted,
    NeverSettled,
    OperationReturned,
    OperationSent,
)
from harness.model.units import Duration
from harness.outputs.round_line import RoundLine
from tests.support.journals import a, a_round, arriving, changed, without


def line_of(events: list[AnyEvent]) -> str:
    line = RoundLine()
    for event in events:
        line.feed(event)
    return line.text()


def test_text_when_a_round_overlaps_then_overlap_spread_outcomes_and_readings_are_told() -> None:
    outcomes = ("acknowledged", "acknowledged", "rejected", "unknown")
    assert line_of(a_round(3, outcomes=outcomes)) == (
        "round 3: 4 of 4 in flight together, released within 0.3 ms, 2 acknowledged, 1 rejected, "
        "1 unknown, 6 readings of balance, settled after 200 ms, 41 ms on 12 messages"
    )


def test_text_when_requests_follow_each_other_then_one_at_a_time_is_told() -> None:
    assert "1 of 5 in flight together" in line_of(a_round(1, overlapping=False))


def test_text_when_the_next_round_begins_then_nothing_of_the_last_is_left() -> None:
    assert line_of([*a_round(1), *a_round(2)]) == line_of(a_round(1)).replace("round 1", "round 2")


def test_text_when_nothing_was_seen_then_it_says_so() -> None:
    assert RoundLine().text() == "round 0: nothing seen"


def test_text_when_a_hop_moved_nothing_then_it_is_named() -> None:
    events = changed(a_round(1), a(HopCounted), connections=0, bytes_up=0, bytes_down=0)
    assert "nothing moved through hop db" in line_of(events)


def test_text_when_a_round_never_settled_then_the_probes_are_named() -> None:
    never = NeverSettled(round=1, probes=("balance",), in_flight=2, limit=Duration.of_s(10))
    events = [*without(a_round(1), lambda event: type(event).__name__ == "Settled"), never]
    assert "not settled within 10 s: balance kept changing, 2 requests still in flight" in line_of(
        events
    )


def test_text_when_requests_arrive_at_a_rate_then_their_lateness_and_what_was_dropped_is_told() -> (
    None
):
    text = line_of(arriving(a_round(1), late=3, dropped=2))
    assert "5 of 5 in flight together, 5 acknowledged" in text
    assert "99 % of burst sent within 3 ms of when they were due, 2 dropped at 30 in flight" in text
    assert "dropped" not in line_of(arriving(a_round(1)))


def test_text_when_calls_are_of_a_phase_then_they_are_no_round_s() -> None:
    calls = [event for event in a_round(1) if isinstance(event, OperationSent | OperationReturned)]
    in_phase = changed(calls, lambda event: True, phase="outage")
    assert line_of([*a_round(1), *in_phase]) == line_of(a_round(1))
