"""What invariants ask of what is known."""

import pytest

from harness.judge.breaker.known import Interval, Joined, Value
from harness.model.breaker_history import Arrival, Call
from tests.support.breaker_histories import Story


def test_call_when_it_arrived_then_was_forwarded():
    call = Call(rid="r", phase="p", due=0, sent=0)
    arrived = Call(rid="r", phase="p", due=0, sent=0, arrivals=(Arrival(conn=1, seq=1, arrived=1),))
    assert not Joined(call=call, cls="unknown").forwarded
    assert Joined(call=arrived, cls="unknown").forwarded


def test_rejection_when_it_may_be_a_bulkheads_then_is_none():
    call = Call(rid="r", phase="p", due=0, sent=0)
    assert Joined(call=call, cls="short-circuited").rejected
    assert not Joined(
        call=call, cls="short-circuited", flags=frozenset({"maybe-bulkhead"})
    ).rejected


def test_value_when_not_known_then_is_no_number():
    assert Value(value=3, source="declared").number == 3
    unknown = Value(value=None, source="not declared")
    assert not unknown.known
    with pytest.raises(AssertionError, match="not declared"):
        _ = unknown.number


def test_known_when_asked_by_number_then_gives_those_phases_and_lives():
    story = Story()
    for name, number in (("outage", 5), ("burst-good", 8), ("outage", 5)):
        story.phase(number, name, fault="status")
        story.write("FFFFF R")
    known = story.known()
    assert [view.phase.id for view in known.phases_of(5)] == ["outage-status", "outage-status#2"]
    assert [view.number for view in known.phases_of(8, 1)] == [1, 8]
    assert [life.phase for life in known.outages_in(8)] == ["burst-good"]
    assert known.phases_of(8)[0].rate == known.phases_of(8)[0].load.sent_per_s


def test_log_when_lost_within_then_is_known_to_be():
    story = Story(baseline=0)
    story.phase(5, "outage")
    story.gap(0.00001, 0.00002)
    known = story.known()
    assert [known.lost(lo, hi) for lo, hi in [(0, 9), (0, 10), (20, 30), (21, 30)]] == [
        False,
        True,
        True,
        False,
    ]


def test_interval_when_without_upper_end_then_has_none():
    assert Interval(1, None).hi is None
