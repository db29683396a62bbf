"""What a fault leaves on the wire, judged from turns: by its proxy's word, or from outside."""

from dataclasses import dataclass, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faults.trace import SILENT, Promise, Window, may_leave_no_turn, seen
from harness.model.events import FaultSeen
from harness.model.units import Duration, Instant
from harness.proxy.toxic import Effect, Trace

ms = Duration.of_ms
LATENCY = Promise(
    toxic="latency@db",
    trace=Trace(effect="delay", least=ms(30), usual=ms(40), longest=ms(50)),
    certain=True,
    where="hop db",
    what="40 ± 10 ms latency",
)
NAME = LATENCY.toxic
SPARING = replace(LATENCY, certain=False)
LONG = replace(LATENCY, trace=Trace(effect="delay", least=ms(500), usual=ms(500)))


def promise(effect: Effect, *, least: int = 0, usual: int = 0) -> Promise:
    return replace(LATENCY, trace=Trace(effect=effect, least=ms(least), usual=ms(usual)), what="it")


END, SILENCE, ANSWER, UNSEEN = (
    promise("end"),
    promise("silence"),
    promise("answer"),
    promise("unseen"),
)


@dataclass(frozen=True)
class ATurn:
    arrived: Instant
    ended: Instant
    upstream: Instant | None = None
    end: str = "answered"
    injected: tuple[str, ...] = ()
    conn: int = 1
    seq: int = 1


def at(milliseconds: float) -> Instant:
    return Instant.of_ns(round(milliseconds * 1_000_000))


def turn(
    arrived: float, took: float, *injected: str, end: str = "answered", conn: int = 1, seq: int = 1
) -> ATurn:
    return ATurn(
        at(arrived), at(arrived + took), at(arrived + 1), end, injected, conn=conn, seq=seq
    )


def judged(
    *turns: ATurn,
    by: Promise = LATENCY,
    reported: bool = True,
    counted: int | None = None,
    released: Instant | None = None,
) -> FaultSeen:
    """The fault is in force from 0 to 1000 ms."""
    return seen(
        by,
        turns,
        Window(since=at(0), until=at(1000)),
        reported=reported,
        fault="latency@db",
        round=1,
        counted=counted,
        released=released,
    )


def test_delay_when_every_message_bears_name_and_delay_then_none_is_missed():
    found = judged(turn(10, 41, NAME), turn(60, 38, NAME))
    assert (found.messages, found.hit, found.missed, found.of) == (2, 2, 0, "message")
    assert "40 ± 10 ms latency seen on 2 messages of hop db (median " in found.summary


def test_delay_when_one_message_was_not_delayed_then_it_is_missed():
    found = judged(turn(10, 41, NAME), turn(60, 1))
    assert (found.hit, found.missed) == (1, 1)
    assert "1 of 2 were not delayed" in found.summary


def test_delay_when_named_but_faster_than_possible_then_it_is_no_trace():
    found = judged(turn(10, 12, NAME))
    assert (found.hit, found.missed) == (0, 1)


def test_delay_when_the_toxic_may_spare_messages_then_a_fast_one_is_not_missed():
    found = judged(turn(10, 41, NAME), turn(60, 1), by=SPARING)
    assert (found.hit, found.missed) == (1, 0)


def test_delay_when_it_has_no_least_then_no_message_rules_it_out():
    found = judged(turn(10, 1), turn(20, 5, NAME), by=promise("delay"))
    assert (found.messages, found.hit, found.missed, found.median) == (2, 1, 0, None)


@pytest.mark.parametrize("reported", [True, False], ids=["reported", "outside"])
def test_delay_when_a_message_straddles_the_edges_then_it_says_nothing(reported: bool):
    found = judged(turn(-5, 41), turn(990, 41), turn(10, 41, NAME), reported=reported)
    assert (found.messages, found.hit, found.missed) == (1, 1, 0)


@pytest.mark.parametrize("end", ["cut", "abandoned", "open"])
def test_delay_when_a_message_was_not_answered_and_not_named_then_it_says_nothing(end: str):
    assert judged(turn(10, 2, end=end)).messages == 0
    assert judged(turn(10, 200, end=end), reported=False).messages == 0


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(turn(10, 20, NAME, end="abandoned"), id="client-gave-up"),
        pytest.param(turn(990, 41, NAME), id="let-go-by-the-undo"),
        pytest.param(turn(10, 2000, NAME, end="open"), id="still-held"),
    ],
)
def test_delay_when_a_named_message_had_no_answer_while_it_lasted_then_it_bears_the_trace(
    held: ATurn,
):
    found = judged(held)
    assert (found.messages, found.hit, found.missed) == (1, 1, 0)


def test_outside_when_slower_than_the_least_then_it_bears_the_trace():
    found = judged(turn(10, 31), turn(60, 45), reported=False)
    assert (found.hit, found.missed) == (2, 0)


def test_outside_when_the_least_is_nothing_then_the_usual_delay_is_asked():
    loose = promise("delay", usual=40)
    found = judged(turn(10, 5), turn(60, 45), by=loose, reported=False)
    assert (found.messages, found.hit, found.missed) == (2, 1, 0)


def test_outside_when_another_fault_delays_all_too_then_its_delay_proves_nothing_of_this_one():
    beside = replace(LATENCY, beside=ms(100))
    found = judged(turn(10, 101), turn(200, 131), turn(400, 29), by=beside, reported=False)
    assert (found.messages, found.hit, found.missed) == (3, 1, 1)


@pytest.mark.parametrize(
    ("toxic", "says"),
    [
        pytest.param(promise("delay"), "depends on what is sent", id="delay-of-any-length"),
        pytest.param(ANSWER, "looks like one of the service", id="answer"),
        pytest.param(UNSEEN, "no trace that can be seen from outside", id="unseen"),
        pytest.param(END, "in the middle of an answer", id="end-behind-the-first-byte"),
    ],
)
def test_outside_when_nothing_can_show_it_then_it_is_never_seen_and_the_reason_is_told(
    toxic: Promise, says: str
):
    found = judged(turn(10, 500), turn(600, 1), by=toxic, reported=False)
    assert (found.hit, found.missed) == (0, 0)
    assert says in found.unseen
    assert "cannot be seen on hop db" in found.summary


@pytest.mark.parametrize("end", ["cut", "abandoned", "open"])
def test_end_when_named_and_never_answered_then_it_bears_the_trace(end: str):
    assert judged(turn(10, 2, NAME, end=end), by=END).hit == 1
    assert judged(turn(10, 2, end=end), by=END).hit == 0


def test_end_when_named_and_answered_then_only_the_last_of_its_connection_agrees():
    """It may end in the middle of an answer, whose first byte ended the turn; nothing follows that."""
    found = judged(
        turn(10, 2, NAME, seq=1),
        turn(20, 2, NAME, seq=2),
        turn(30, 2, NAME, conn=2),
        by=END,
    )
    assert (found.messages, found.hit, found.missed) == (3, 2, 0)


@pytest.mark.parametrize(
    ("one", "hit"),
    [
        pytest.param(turn(10, 2, end="cut"), 1, id="cut"),
        pytest.param(turn(-10, 20, end="cut"), 1, id="under-way-when-it-began"),
        pytest.param(turn(10, 2, end="abandoned"), 0, id="client-went"),
        pytest.param(turn(10, 2), 0, id="answered"),
        pytest.param(turn(990, 20, end="cut"), 0, id="cut-by-the-undo-or-later"),
        pytest.param(turn(-50, 20, end="cut"), 0, id="cut-before"),
    ],
)
def test_end_from_outside_when_cut_while_it_lasted_then_it_bears_the_trace(one: ATurn, hit: int):
    assert judged(one, by=END, reported=False).hit == hit


@pytest.mark.parametrize(
    ("one", "hit"),
    [
        pytest.param(turn(10, 300, NAME, end="abandoned"), 1, id="given-up"),
        pytest.param(turn(10, 2000, NAME, end="open"), 1, id="open"),
        pytest.param(turn(900, 150, NAME, end="cut"), 1, id="ended-by-the-undo"),
        pytest.param(turn(10, 300, NAME), 0, id="answered-after-all"),
        pytest.param(turn(10, 300, end="abandoned"), 0, id="not-named"),
    ],
)
def test_silence_when_named_and_no_answer_came_while_it_lasted_then_it_bears_the_trace(
    one: ATurn, hit: int
):
    assert judged(one, by=SILENCE).hit == hit


@pytest.mark.parametrize(
    ("one", "hit"),
    [
        pytest.param(turn(10, 300, end="abandoned"), 1, id="given-up"),
        pytest.param(turn(10, SILENT.in_ms - 1, end="abandoned"), 0, id="given-up-at-once"),
        pytest.param(turn(850, 200), 1, id="answered-once-it-was-over"),
        pytest.param(turn(950, 200), 0, id="began-just-before-it-was-over"),
        pytest.param(turn(-200, 250, end="abandoned"), 0, id="hardly-while-it-lasted"),
        pytest.param(turn(10, 500), 0, id="slow"),
    ],
)
def test_silence_from_outside_when_a_message_waited_long_for_nothing_then_it_bears_the_trace(
    one: ATurn, hit: int
):
    assert judged(one, by=SILENCE, reported=False).hit == hit


def test_answer_when_named_and_answered_then_it_bears_the_trace():
    found = judged(turn(10, 2, NAME), turn(20, 2), turn(30, 2, NAME, end="cut"), by=ANSWER)
    assert (found.messages, found.hit, found.missed) == (3, 1, 0)


def test_unseen_when_named_then_its_proxys_word_is_enough():
    found = judged(turn(10, 2, NAME), turn(20, 2), by=UNSEEN)
    assert (found.messages, found.hit, found.missed) == (2, 1, 0)


CLOSES = replace(UNSEEN, trace=Trace(effect="unseen", longest=ms(20)))


@pytest.mark.parametrize("toxic", [END, CLOSES], ids=["end", "closes"])
def test_count_when_no_turn_shows_the_end_that_the_proxy_counted_then_connections_do(
    toxic: Promise,
):
    found = judged(turn(10, 2), by=toxic, counted=3)
    assert (found.messages, found.hit, found.of) == (3, 3, "connection")
    assert "seen on 3 connections of hop db" in found.summary


@pytest.mark.parametrize("toxic", [UNSEEN, promise("delay")], ids=["unseen", "delay"])
def test_count_when_it_acted_behind_the_first_byte_then_what_the_proxy_counted_are_messages(
    toxic: Promise,
):
    found = judged(turn(10, 2), by=toxic, counted=3)
    assert (found.messages, found.hit, found.of) == (3, 3, "message")
    assert "seen on 3 messages of hop db" in found.summary


@pytest.mark.parametrize("toxic", [LATENCY, SILENCE, ANSWER], ids=["delay", "silence", "answer"])
def test_count_when_a_turn_would_have_to_show_it_then_the_count_proves_nothing(toxic: Promise):
    assert not may_leave_no_turn(toxic.trace)
    assert judged(turn(10, 41), by=toxic, counted=3).hit == 0


def test_count_when_all_it_counted_are_turns_that_say_otherwise_then_nothing_was_seen():
    first, second = turn(10, 2, NAME, seq=1), turn(20, 2, seq=2)
    assert judged(first, second, by=END, counted=1).hit == 0
    assert judged(first, second, by=END, counted=2).hit == 1
    assert judged(first, second, by=END, counted=None).hit == 0


def test_count_when_some_turns_show_it_then_what_was_counted_beyond_them_is_added():
    found = judged(turn(10, 2, NAME, end="cut"), turn(20, 2, conn=2), by=END, counted=3)
    assert (found.messages, found.hit, found.of) == (3, 3, "message")


def test_count_when_more_than_once_a_message_then_what_turns_show_is_all():
    found = judged(turn(10, 2, NAME), by=UNSEEN, counted=3)
    assert (found.messages, found.hit) == (1, 1)


def test_count_when_it_comes_from_outside_then_it_does_not_matter():
    assert judged(turn(10, 2), by=END, counted=3, reported=False).hit == 0


@pytest.mark.parametrize("reported", [True, False], ids=["reported", "outside"])
@pytest.mark.parametrize(
    "toxic", [LATENCY, END, SILENCE, ANSWER, UNSEEN, promise("delay")], ids=str
)
def test_seen_when_it_was_over_before_the_release_then_nothing_counts(
    toxic: Promise, reported: bool
):
    warming = turn(10, 300, NAME, end="cut")
    later = turn(1001, 41, NAME)
    for released in (at(1000), at(1500)):
        found = judged(warming, later, by=toxic, reported=reported, counted=9, released=released)
        assert (found.messages, found.hit, found.missed) == (0, 0, 0)
        assert found.unseen == "it was over before the first request was released"
        assert "hop db was over before the first request was released" in found.summary


def test_seen_when_a_turn_arrived_before_the_release_then_it_was_warming_up():
    warming, real = turn(10, 41, NAME), turn(200, 42, NAME)
    assert judged(warming, real, released=at(100)).hit == 1
    assert judged(warming, real, released=None).hit == 2
    assert judged(turn(10, 1), real, released=at(100)).missed == 0


@pytest.mark.parametrize(
    ("one", "share"),
    [
        pytest.param(turn(10, 80), replace(LATENCY, certain=False), id="slow"),
        pytest.param(turn(10, 2, end="cut"), replace(END, certain=False, sure=False), id="cut"),
        pytest.param(
            turn(10, 300, end="abandoned"), replace(SILENCE, certain=False, sure=False), id="silent"
        ),
    ],
)
def test_outside_when_only_a_share_is_hit_then_it_may_be_the_service_and_nothing_is_seen(
    one: ATurn, share: Promise
):
    found = judged(one, by=share, reported=False)
    assert found.hit == 0
    assert "a share of messages cannot be told from a s" in found.unseen
    assert judged(one, by=replace(share, certain=True, sure=True), reported=False).hit == 1


def test_outside_when_the_first_are_certain_to_be_hit_then_ends_and_silence_show_it():
    first = {"certain": False, "sure": True}
    assert judged(turn(10, 2, end="cut"), by=replace(END, **first), reported=False).hit == 1
    gave_up = turn(10, 300, end="abandoned")
    assert judged(gave_up, by=replace(SILENCE, **first), reported=False).hit == 1


def test_delay_when_the_undo_let_all_go_before_their_time_then_nobody_met_it():
    """10 s of latency for 150 ms delay nothing by 10 s."""
    found = judged(turn(950, 60, NAME), turn(990, 20, NAME), by=LONG)
    assert (found.messages, found.hit, found.missed, found.median) == (2, 0, 0, None)
    assert "all 2 messages it held were let go by its undo" in found.unseen
    assert "was not met on hop db" in found.summary


def test_delay_when_the_undo_let_some_go_then_the_others_still_show_it():
    found = judged(turn(10, 510, NAME), turn(990, 20, NAME), by=LONG)
    assert (found.hit, found.missed, found.median, found.unseen) == (1, 0, ms(509), "")


def test_summary_when_nothing_passed_then_says_so():
    assert "no message passed hop db" in judged().summary


def test_summary_when_nothing_bears_a_trace_then_says_of_how_many():
    found = judged(turn(10, 2), turn(20, 2), by=SILENCE)
    assert found.summary == "none of 2 messages of hop db bears a trace of it"


@given(
    st.sampled_from(
        [promise(effect, least=least) for effect in get_args(Effect) for least in (0, 30)]
    ),
    st.lists(
        st.tuples(
            st.integers(-50, 1050),
            st.integers(0, 200),
            st.booleans(),
            st.sampled_from(["answered", "cut", "abandoned", "open"]),
            st.integers(1, 3),
        ),
        max_size=20,
    ),
    st.booleans(),
    st.none() | st.integers(0, 30),
    st.none() | st.integers(-50, 1050).map(at),
    st.booleans(),
)
def test_seen_for_any_turns_then_hits_and_misses_are_disjoint_parts_of_the_messages(
    toxic: Promise,
    drawn: list[tuple[int, int, bool, str, int]],
    reported: bool,
    counted: int | None,
    released: Instant | None,
    sure: bool,
):
    turns = [
        turn(arrived, took, *([NAME] if named else []), end=end, conn=conn, seq=seq)
        for seq, (arrived, took, named, end, conn) in enumerate(drawn, 1)
    ]
    toxic = replace(toxic, certain=sure, sure=sure)
    found = judged(*turns, by=toxic, reported=reported, counted=counted, released=released)
    assert found.missed >= 0 and found.hit >= 0
    assert found.hit + found.missed <= found.messages
    assert bool(found.unseen) <= (not found.hit)
    if released is not None and released >= at(1000):
        assert found.messages == 0
