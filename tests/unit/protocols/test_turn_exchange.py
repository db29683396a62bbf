"""The codec that knows turns only: first by the number it is given, last never."""

from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.exchange import Part
from harness.protocols.turn_exchange import TurnExchange
from tests.support.exchanges import c, converse, s


def test_request_when_the_turn_is_another_then_begins():
    exchange = TurnExchange()
    assert exchange.client(b"a", 1) == [Part(b"a", 1, first=True)]
    assert exchange.client(b"b", 1) == [Part(b"b", 1)]
    assert exchange.client(b"c", 2) == [Part(b"c", 2, first=True)]


def test_answer_when_its_turn_is_over_then_belongs_to_none():
    exchange = TurnExchange()
    assert exchange.server(b"hello", 0) == [Part(b"hello", 0)]
    assert exchange.server(b"a", 1) == [Part(b"a", 1, first=True)]
    assert exchange.server(b"b", 0) == [Part(b"b", 0)]
    assert exchange.server(b"c", 1) == [Part(b"c", 1)], "turn 1 has begun before"


def test_directions_when_in_one_turn_then_begin_each_for_itself():
    told = converse(TurnExchange, [c(b"ask"), s(b"answer"), c(b"again"), s(b"more")])
    assert told.client == [(1, "first", b"ask"), (2, "first", b"again")]
    assert told.server == [(1, "first", b"answer"), (2, "first", b"more")]


def test_bytes_when_there_are_none_then_no_part():
    exchange = TurnExchange()
    assert exchange.client(b"", 1) == exchange.server(b"", 0) == []
    assert exchange.flush_client() == exchange.flush_server() == []
    assert exchange.held == 0


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=5), st.integers(0, 9)), max_size=20))
def test_codec_when_fed_anything_then_stays_readable_and_passes_at_once(moves):
    exchange = TurnExchange()
    for client, data, turn in moves:
        exchange.answered(turn)
        parts = (exchange.client if client else exchange.server)(data, turn)
        assert b"".join(part.data for part in parts) == data
        assert exchange.readable
