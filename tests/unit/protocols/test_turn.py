"""Turns: when they begin, how they end, and that the split of bytes never matters."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.turn import NO_TURN, TurnCodec
from tests.support.playbook import t


def test_turn_when_answered_then_has_all_three_instants():
    codec = TurnCodec(3)
    assert codec.client_sent(t(1)) == 1
    assert codec.server_sent(t(5)) == 1
    turn = codec.passed_on(1, t(45))
    assert (turn.conn, turn.seq, turn.end) == (3, 1, "answered")
    assert (turn.arrived, turn.upstream, turn.ended) == (t(1), t(5), t(45))
    assert codec.unfinished(t(50)) is None


def test_turn_when_client_sends_on_before_the_answer_then_is_the_same_turn():
    codec = TurnCodec(1)
    codec.client_sent(t(1))
    assert codec.client_sent(t(2)) == 1
    codec.server_sent(t(3))
    assert codec.client_sent(t(4)) == 1, "the answer has not reached the client yet"
    assert codec.passed_on(1, t(5)).arrived == t(1)
    assert codec.client_sent(t(6)) == 2


def test_server_bytes_when_no_turn_is_open_then_belong_to_none():
    codec = TurnCodec(1)
    assert codec.server_sent(t(0)) == NO_TURN
    assert codec.passed_on(NO_TURN, t(1)) is None


def test_rest_of_an_answer_when_the_next_turn_has_begun_then_does_not_answer_it():
    codec = TurnCodec(1)
    codec.client_sent(t(0))
    codec.server_sent(t(1))
    codec.server_sent(t(1))
    codec.passed_on(1, t(40))
    codec.client_sent(t(41))
    assert codec.passed_on(1, t(42)) is None
    assert codec.unfinished(t(43)).upstream is None


def test_turn_when_cut_by_the_server_then_is_cut():
    codec = TurnCodec(1)
    codec.client_sent(t(0))
    turn = codec.connection_ended(t(9))
    assert (turn.end, turn.ended, turn.upstream) == ("cut", t(9), None)
    assert codec.connection_ended(t(10)) is None


def test_turn_when_the_client_closed_first_then_is_abandoned_as_of_then():
    codec = TurnCodec(1)
    codec.client_sent(t(0))
    codec.client_closed(t(4))
    codec.client_closed(t(5))
    turn = codec.connection_ended(t(9))
    assert (turn.end, turn.ended) == ("abandoned", t(4))


def test_turn_when_the_client_only_half_closed_then_may_still_be_answered():
    codec = TurnCodec(1)
    codec.client_sent(t(0))
    codec.client_closed(t(4))
    codec.server_sent(t(5))
    assert codec.passed_on(1, t(6)).end == "answered"


def test_turn_when_open_then_is_shown_as_it_stands():
    codec = TurnCodec(1)
    codec.client_sent(t(0))
    codec.injected(1, "lag")
    turn = codec.unfinished(t(7))
    assert (turn.end, turn.ended, turn.injected) == ("open", t(7), ("lag",))


def test_injected_when_said_twice_or_too_late_then_counts_once_or_not():
    codec = TurnCodec(1)
    codec.client_sent(t(0))
    for toxic in ("a", "b", "a"):
        codec.injected(1, toxic)
    assert codec.passed_on(1, t(1)).injected == ("a", "b")
    codec.injected(1, "a")
    codec.client_sent(t(2))
    codec.injected(1, "late")
    assert codec.connection_ended(t(3)).injected == ()


MOVES = st.lists(
    st.tuples(st.sampled_from("csC"), st.integers(1, 5), st.integers(0, 9)), max_size=30
)


def turns(moves, split):
    """Feeds a dialogue; with ``split``, each move's bytes come in single bytes."""
    codec, now, ended = TurnCodec(1), 0, []
    for who, size, gap in moves:
        now += gap
        for _ in range(size if split else 1):
            if who == "c":
                codec.client_sent(t(now))
            elif who == "s":
                turn = codec.passed_on(codec.server_sent(t(now)), t(now))
                ended += [turn] if turn else []
            else:
                codec.client_closed(t(now))
    last = codec.connection_ended(t(now + 1))
    return ended + ([last] if last else [])


@given(MOVES)
def test_turns_when_bytes_are_split_then_are_the_same(moves):
    assert turns(moves, split=True) == turns(moves, split=False)


@given(MOVES)
def test_turns_when_they_end_then_are_numbered_and_never_overlap(moves):
    found = turns(moves, split=False)
    assert [turn.seq for turn in found] == list(range(1, len(found) + 1))
    for one, next_one in itertools.pairwise(found):
        assert one.arrived <= one.ended <= next_one.arrived
    assert all(turn.end == "answered" for turn in found[:-1])


@pytest.mark.parametrize("wrong", [2, 5])
def test_passed_on_when_of_another_turn_then_ends_nothing(wrong):
    codec = TurnCodec(1)
    codec.client_sent(t(0))
    assert codec.passed_on(wrong, t(1)) is None
