"""The promises of every codec: all bytes, in order, at once or soon; the split says nothing; no errors."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.protocols.codecs import CODECS
from harness.protocols.exchange import MOST_KEPT, NO_REQUEST
from harness.protocols.turn_exchange import TurnExchange
from tests.support.exchanges import Move, c, converse, s

# Pieces of each protocol, right and wrong, so that what is drawn gets far into each grammar.
PIECES = {
    "turn": [b"a", b"bc"],
    "http": [
        b"GET / HTTP/1.1\r\n\r\n", b"HEAD / HTTP/1.0\r\nA: b\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"PUT / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204\r\n\r\n", b"HTTP/1.1 100 Go\r\n\r\n",
        b"HTTP/1.1 101 Other\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n", b"Content-Length: 3\r\n\r\n",
        b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"Expect: 100-continue\r\n",
        b"3\r\nabc\r\n", b"A;x\r\n0123456789\r\n", b"0\r\n\r\n", b"0\r\nT: 1\r\n\r\n", b"abc", b"body",
        b"\r\n", b"\n", b"\r", b" ", b":", b"GET ", b"HTTP/1.", b"G", b"H",
    ],
    "postgres": [
        b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30", b"\0\0\0\x0b\0\x03\0\0u\0\0",
        b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2", b"N", b"S", b"G", b"p\0\0\0\x05\0", b"Q\0\0\0\x06x\0",
        b"P\0\0\0\x06\0\0", b"E\0\0\0\x04", b"H\0\0\0\x04", b"S\0\0\0\x04", b"d\0\0\0\x06ab", b"c\0\0\0\x04",
        b"X\0\0\0\x04", b"F\0\0\0\x05\0", b"Z\0\0\0\x05I", b"T\0\0\0\x06\0\0", b"D\0\0\0\x08abcd", b"G\0\0\0\x05\0",
        b"A\0\0\0\x06\0\0", b"R\0\0\0\x08\0\0\0\0", b"D\0\0", b"\0", b"\0\0\0", b"Q", b"Z\0\0\0",
    ],
    "redis": [
        b"*1\r\n$4\r\nPING\r\n", b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"PING\r\n", b"get k\n", b"*0\r\n", b"\r\n",
        b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n", b"*1\r\n", b"$3\r\nabc\r\n", b"+OK\r\n", b"-ERR\r\n", b":1\r\n",
        b"_\r\n", b"$-1\r\n", b"*2\r\n", b"%1\r\n", b"~1\r\n", b"|1\r\n", b">1\r\n", b"=5\r\ntxt:a\r\n", b"$0\r\n\r\n",
        b"*-1\r\n", b"$", b"*", b"1", b"\r", b"\n", b"+", b"a", b"$30\r\n", b"x" * 15,
    ],
}  # fmt: skip


def dialogues(name):
    """Both sides speak pieces of the protocol, some bent, some of another one."""
    bytes_of_it = st.one_of(
        st.sampled_from(PIECES[name]),
        st.sampled_from(PIECES[name]),
        st.sampled_from(PIECES[name]).map(lambda piece: piece[: len(piece) // 2]),
        st.binary(max_size=6),
        st.sampled_from([piece for pieces in PIECES.values() for piece in pieces]),
    )
    moves = st.builds(
        Move, st.booleans(), st.lists(bytes_of_it, min_size=1, max_size=5).map(b"".join)
    )
    return st.lists(moves, max_size=8)


SPLITS = st.lists(st.integers(1, 40), min_size=1, max_size=8)
ANY_CODEC = pytest.mark.parametrize("name", CODECS)


def test_codecs_when_listed_then_are_those_of_the_wire():
    assert list(CODECS) == ["turn", "http", "postgres", "redis"]
    assert set(PIECES) == set(CODECS), "its promises would go unproven"


@ANY_CODEC
def test_codec_when_new_then_is_readable_and_keeps_nothing(name):
    exchange = CODECS[name]()
    assert (exchange.readable, exchange.held) == (True, 0)
    assert exchange.client(b"", 0) == exchange.server(b"", 0) == []
    assert exchange.flush_client() == exchange.flush_server() == []


@ANY_CODEC
def test_codecs_when_two_are_made_then_share_nothing(name):
    one, other = CODECS[name](), CODECS[name]()
    for piece in PIECES[name]:
        one.client(piece, 1)
        one.server(piece, 1)
    assert (other.readable, other.held) == (True, 0)


@ANY_CODEC
@given(data=st.data(), sizes=SPLITS)
def test_dialogue_when_split_any_way_then_has_the_same_bytes_and_labels(name, data, sizes):
    moves = data.draw(dialogues(name))
    assert converse(CODECS[name], moves, sizes) == converse(CODECS[name], moves)


@ANY_CODEC
@given(
    moves=st.lists(st.builds(Move, st.booleans(), st.binary(max_size=40)), max_size=6), sizes=SPLITS
)
@example(moves=[c(b"\0" * 20)], sizes=[1])
@example(moves=[c(b"\r\n" * 9), s(b"\r\n")], sizes=[3])
@example(moves=[c(b"GET / HTTP/1.1\r\n\r\n"), s(b"\xff" * 9)], sizes=[4])
def test_garbage_when_fed_then_comes_out_as_it_went_in(name, moves, sizes):
    assert converse(CODECS[name], moves, sizes) == converse(CODECS[name], moves)


@ANY_CODEC
@settings(max_examples=20)  # half a megabyte each
@given(data=st.data(), size=st.sampled_from([4096, 65_536, 99_999]))
def test_long_lines_when_fed_then_are_kept_back_within_bounds(name, data, size):
    begun = data.draw(st.sampled_from([*PIECES[name], b"*1\r\n$1", b"$1", b"+", b"get "]))
    unit = data.draw(st.sampled_from([b"x", b"1", b"A", b"\r", b"a: b" + b"c" * 99 + b"\r\n"]))
    rest = (unit * MOST_KEPT)[: MOST_KEPT + 9]
    moves = [c(PIECES[name][0]), c(begun + rest), s(begun + rest)]
    assert converse(CODECS[name], moves, [size]) == converse(CODECS[name], moves, [1500])


CALLS = st.one_of(
    st.tuples(st.just("answered"), st.integers(0, 5)),
    st.sampled_from([("flush_client",), ("flush_server",)]),
)


@ANY_CODEC
@given(data=st.data())
def test_calls_when_in_any_order_then_lose_no_bytes(name, data):
    exchange = CODECS[name]()
    sent, given_out = {"c": b"", "s": b""}, {"c": b"", "s": b""}
    for step in data.draw(st.lists(CALLS | dialogues(name).filter(bool), max_size=8)):
        if isinstance(step, list):
            side = "c" if step[0].client else "s"
            feed = exchange.client if step[0].client else exchange.server
            sent[side] += step[0].data
            parts = feed(step[0].data, 1)
        else:
            call, *arguments = step
            side = "s" if call == "flush_server" else "c"
            parts = getattr(exchange, call)(*arguments) or []
        given_out[side] += b"".join(part.data for part in parts)
        assert all(sent[at].startswith(given_out[at]) for at in sent)
        assert exchange.held == sum(len(sent[at]) - len(given_out[at]) for at in sent)


@ANY_CODEC
@given(data=st.data())
def test_stream_when_unreadable_then_stays_so_and_passes_at_once(name, data):
    exchange = CODECS[name]()
    if name == "turn":
        assert isinstance(exchange, TurnExchange), "reads anything"
        return
    exchange.client(b"\xff", 1)
    assert not exchange.readable
    for move in data.draw(dialogues(name)):
        parts = (exchange.client if move.client else exchange.server)(move.data, 1)
        assert b"".join(part.data for part in parts) == move.data
        assert {part.request for part in parts} <= {NO_REQUEST}
        assert (exchange.readable, exchange.held) == (False, 0)
