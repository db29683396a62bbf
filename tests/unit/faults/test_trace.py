"""What a delaying toxic leaves on the wire, judged from turns."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faults.trace import Promise, seen
from harness.model.events import FaultSeen
from harness.model.units import Duration, Instant

ms = Duration.of_ms
PROMISE = Promise(
    toxic="latency@db",
    least=ms(30),
    usual=ms(40),
    certain=True,
    where="hop db",
    what="40 ± 10 ms latency",
)


@dataclass(frozen=True)
class ATurn:
    arrived: Instant
    ended: Instant
    upstream: Instant | None = None
    end: str = "answered"
    injected: tuple[str, ...] = ()


def at(milliseconds: float) -> Instant:
    return Instant.of_ns(round(milliseconds * 1_000_000))


def turn(arrived: float, took: float, *injected: str, end: str = "answered") -> ATurn:
    return ATurn(at(arrived), at(arrived + took), at(arrived + 1), end, injected)


def judged(*turns: ATurn, promise: Promise = PROMISE, reported: bool = True) -> FaultSeen:
    return seen(
        promise, turns, since=at(0), until=at(1000), reported=reported, fault="latency@db", round=1
    )


def test_seen_when_every_message_bears_the_toxics_name_and_delay_then_none_is_missed():
    found = judged(turn(10, 41, "latency@db"), turn(60, 38, "latency@db"))
    assert (found.messages, found.hit, found.missed) == (2, 2, 0)
    assert "40 ± 10 ms latency seen on 2 messages of hop db" in found.summary


def test_seen_when_one_message_was_not_delayed_then_it_is_missed():
    found = judged(turn(10, 41, "latency@db"), turn(60, 1))
    assert (found.hit, found.missed) == (1, 1)
    assert "1 of 2 were not delayed" in found.summary


def test_seen_when_named_but_faster_than_possible_then_it_is_no_trace():
    found = judged(turn(10, 12, "latency@db"))
    assert (found.hit, found.missed) == (0, 1)


def test_seen_when_the_toxic_may_spare_messages_then_a_fast_one_is_not_missed():
    found = judged(turn(10, 41, "latency@db"), turn(60, 1), promise=replace(PROMISE, certain=False))
    assert (found.hit, found.missed) == (1, 0)


def test_seen_when_a_message_straddles_the_edges_then_it_says_nothing():
    found = judged(turn(-5, 41), turn(990, 41), turn(10, 41, "latency@db"))
    assert (found.messages, found.hit, found.missed) == (1, 1, 0)


@pytest.mark.parametrize("end", ["cut", "abandoned", "open"])
def test_seen_when_a_message_was_not_answered_then_it_says_nothing(end: str):
    assert judged(turn(10, 2, end=end)).messages == 0


def test_seen_when_nothing_passed_then_the_summary_says_so():
    assert "no message passed hop db" in judged().summary


def test_seen_from_outside_when_slower_than_the_least_then_it_bears_the_trace():
    found = judged(turn(10, 31), turn(60, 45), reported=False)
    assert (found.hit, found.missed) == (2, 0)


def test_seen_from_outside_when_the_least_is_nothing_then_the_usual_delay_is_asked():
    loose = replace(PROMISE, least=Duration.ZERO, certain=False)
    found = judged(turn(10, 5), turn(60, 45), promise=loose, reported=False)
    assert (found.messages, found.hit, found.missed) == (2, 1, 0)


@given(
    st.lists(st.tuples(st.integers(-50, 1050), st.integers(0, 200), st.booleans()), max_size=30),
    st.booleans(),
)
def test_seen_for_any_turns_then_hits_and_misses_are_disjoint_parts_of_the_messages(
    drawn: list[tuple[int, int, bool]], reported: bool
):
    turns = [turn(a, t, *(["latency@db"] if named else [])) for a, t, named in drawn]
    found = judged(*turns, reported=reported)
    assert found.hit + found.missed == found.messages <= len(turns)
