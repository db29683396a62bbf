"""Requests and responses told apart: by rule, as real clients and servers sent them, and at random."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.exchange import MOST_KEPT, Part
from harness.protocols.http_exchange import HttpExchange
from tests.support.exchanges import c, converse, s

WHOLE = "first last"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
ENDLESS = b"HTTP/1.0 200 OK\r\n\r\n"


def test_exchange_when_kept_alive_then_counts_its_requests():
    told = converse(HttpExchange, [c(GET), s(OK), c(POST), s(EMPTY)])
    assert told.client == [(1, WHOLE, GET), (2, WHOLE, POST)]
    assert told.server == [(1, WHOLE, OK), (2, WHOLE, EMPTY)]


def test_chunk_when_it_holds_several_messages_then_is_cut_where_they_meet():
    told = converse(HttpExchange, [c(GET + POST + GET[:9]), c(GET[9:]), s(OK + EMPTY + OK)])
    assert told.client == [(1, WHOLE, GET), (2, WHOLE, POST), (3, WHOLE, GET)]
    assert told.server == [(1, WHOLE, OK), (2, WHOLE, EMPTY), (3, WHOLE, OK)]


def test_head_when_incomplete_then_is_kept_back_and_stands_on_the_first_part():
    exchange = HttpExchange()
    assert exchange.client(POST[:30], 1) == []
    assert exchange.held == 30
    (part,) = exchange.client(POST[30:-2], 1)
    assert (part.data, part.first, part.last) == (POST[:-2], True, False)
    assert part.head.start == b"POST /b HTTP/1.1"
    assert part.data[part.head.size :] == b"bo"
    assert exchange.client(b"dy", 1) == [Part(b"dy", 1, last=True)]


def test_body_when_fed_in_chunks_then_passes_as_it_comes():
    exchange = HttpExchange()
    exchange.client(GET, 1)
    exchange.server(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", 1)
    body = b"x" * 16384
    (part,) = exchange.server(body, 1)
    assert part == Part(body, 1)
    assert part.data is body, "not even copied"


def test_chunked_body_when_fed_in_chunks_then_keeps_back_no_more_than_the_line_of_a_size():
    exchange = HttpExchange()
    exchange.client(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
    assert exchange.client(b"3\r\nab", 1) == [Part(b"3\r\nab", 1)]
    assert exchange.client(b"c\r\n5", 1) == [Part(b"c\r\n", 1)]
    assert exchange.client(b"\r\n12345\r\n0\r\n\r\n", 1) == [
        Part(b"5\r\n12345\r\n0\r\n\r\n", 1, last=True)
    ]


def test_response_when_interim_then_is_a_message_of_its_own_and_another_follows():
    ready, hints = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
    told = converse(HttpExchange, [c(GET), s(ready + hints + OK), c(GET), s(OK)])
    assert told.server == [(1, WHOLE, ready), (1, WHOLE, hints), (1, WHOLE, OK), (2, WHOLE, OK)]
    assert [part.head.status for part in told.server_parts] == [100, 103, 200, 200]


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param(b"HEAD / HTTP/1.1\r\n\r\n", OK[:-2], id="HEAD"),
        pytest.param(GET, EMPTY, id="204"),
        pytest.param(GET, b"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", id="304"),
    ],
)
def test_response_when_it_has_no_body_then_the_next_one_follows_its_head(request_, response):
    told = converse(HttpExchange, [c(request_ + GET), s(response + OK)])
    assert told.server == [(1, WHOLE, response), (2, WHOLE, OK)]


def test_response_when_the_connection_ends_it_then_has_no_last():
    told = converse(HttpExchange, [c(GET), s(ENDLESS + b"any"), s(OK)])
    assert told.server == [(1, "first", ENDLESS + b"any" + OK)]
    assert told.readable


def test_response_when_it_comes_before_the_request_has_ended_then_is_its_answer():
    told = converse(HttpExchange, [c(POST[:-3]), s(OK), c(POST[-3:]), c(GET), s(EMPTY)])
    assert told.client == [(1, WHOLE, POST), (2, WHOLE, GET)]
    assert told.server == [(1, WHOLE, OK), (2, WHOLE, EMPTY)]


def test_empty_lines_when_before_a_request_then_belong_to_none():
    told = converse(HttpExchange, [c(b"\r\n" + POST + b"\r\n\r\n" + GET), s(OK)])
    assert told.client == [
        (0, "", b"\r\n"),
        (1, WHOLE, POST),
        (0, "", b"\r\n\r\n"),
        (2, WHOLE, GET),
    ]


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param(
            b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            id="upgrade",
        ),
        pytest.param(
            b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", id="tunnel"
        ),
    ],
)  # fmt: skip
def test_stream_when_it_becomes_another_then_is_unreadable_behind_the_response(request_, response):
    told = converse(HttpExchange, [c(request_ + GET), s(response + OK), c(GET), s(b"\x81")])
    assert told.server == [(1, WHOLE, response), (0, "", OK + b"\x81")]
    assert told.client == [(1, WHOLE, request_), (2, WHOLE, GET), (0, "", GET)]
    assert not told.readable


def test_connect_when_refused_then_the_stream_stays_http():
    refused = b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"
    told = converse(HttpExchange, [c(b"CONNECT a:1 HTTP/1.1\r\n\r\n"), s(refused), c(GET), s(OK)])
    assert told.server == [(1, WHOLE, refused), (2, WHOLE, OK)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x01\x02\x00", id="TLS"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"ody of a request that began before\r\n", id="joined half-way"),
        pytest.param(b"GET /\r\n", id="HTTP/0.9"),
        pytest.param(b"\r.", id="half an empty line"),
        pytest.param(
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", id="smuggling"
        ),
    ],
)  # fmt: skip
def test_request_when_it_is_none_then_the_stream_is_unreadable_at_once(data):
    exchange = HttpExchange()
    assert exchange.client(data, 1) == [Part(data, 0)]
    assert not exchange.readable
    told = converse(HttpExchange, [c(GET), c(data), s(OK)])
    assert told.client == [(1, WHOLE, GET), (0, "", data)]
    assert told.server == [(0, "", OK)]


@pytest.mark.parametrize("greeting", [b"2", OK, OK[:5]], ids=["text", "a response", "half of one"])
def test_server_when_no_request_waits_then_the_stream_is_unreadable_at_once(greeting):
    exchange = HttpExchange()
    assert exchange.server(greeting, 0) == [Part(greeting, 0)]
    assert not exchange.readable
    told = converse(HttpExchange, [c(GET), s(OK + greeting), c(GET)])
    assert told.server == [(1, WHOLE, OK), (0, "", greeting)]
    assert told.client == [(1, WHOLE, GET), (0, "", GET)]


def test_head_when_over_64_kib_then_passes_from_there_on():
    exchange = HttpExchange()
    begun = b"GET / HTTP/1.1\r\nA: " + b"x" * MOST_KEPT
    most = begun[: MOST_KEPT - 1]
    assert exchange.client(most, 1) == []
    assert exchange.held == len(most)
    assert exchange.client(begun[len(most) :], 1) == [Part(begun, 0)]
    assert (exchange.held, exchange.readable) == (0, False)


def test_unreadable_stream_when_a_head_of_the_other_side_is_kept_back_then_it_comes_next():
    exchange = HttpExchange()
    exchange.client(GET, 1)
    assert exchange.server(OK[:10], 1) == []
    exchange.client(b"?", 2)
    assert not exchange.readable
    assert exchange.held == 10
    assert exchange.server(OK[10:], 1) == [Part(OK, 0)]
    assert exchange.held == 0


def test_framing_when_it_breaks_within_a_body_then_what_came_before_keeps_its_number():
    begun = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    told = converse(HttpExchange, [c(begun + b"zz\r\n"), s(OK)])
    assert told.client == [(1, "first", begun), (0, "", b"zz\r\n")]


def test_request_when_answered_elsewhere_then_the_next_answer_is_of_the_next_one():
    exchange = HttpExchange()
    exchange.client(GET + GET + GET, 1)
    exchange.answered(1)
    exchange.answered(9)
    assert [part.request for part in exchange.server(OK[:-1], 1)] == [2]
    exchange.answered(2)
    assert exchange.server(b"k" + OK, 1)[0] == Part(b"k", 2, last=True), "it had begun"


def test_flush_when_a_head_is_kept_back_then_only_its_own_direction_is_over():
    exchange = HttpExchange()
    exchange.client(GET + GET[:5], 1)
    assert exchange.flush_client() == [Part(GET[:5], 0)]
    assert exchange.flush_client() == []
    assert [part.request for part in exchange.server(OK, 1)] == [1]
    assert exchange.readable


def test_flush_when_a_line_within_a_body_is_kept_back_then_belongs_to_its_message():
    exchange = HttpExchange()
    exchange.client(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1", 1)
    assert exchange.flush_client() == [Part(b"1", 1)]


# What aiohttp sent to uvicorn, and uvicorn answered, through a proxy that wrote it down.
AGENT = b"Accept: */*\r\nUser-Agent: Python/3.11 aiohttp/3.14.5\r\n"
SINCE = b"date: Wed, 25 Nov 2026 03:07:16 GMT\r\nserver: uvicorn\r\n"
AIOHTTP_AND_UVICORN = [
    c(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:35175\r\n" + AGENT + b"\r\n"),
    s(b"HTTP/1.1 200 OK\r\n" + SINCE + b"content-length: 5\r\nx-a: 1\r\nx-a: 2\r\n\r\nhello"),
    c(
        b"POST /stream HTTP/1.1\r\nHost: 127.0.0.1:35175\r\n" + AGENT
        + b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n"
    ),
    s(
        b"HTTP/1.1 200 OK\r\n" + SINCE + b"content-type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\none\r\n4\r\ntwo!\r\n0\r\n\r\n"
    ),
    c(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1:35175\r\n" + AGENT + b"\r\n"),
    s(b"HTTP/1.1 200 OK\r\n" + SINCE + b"content-length: 5\r\nx-a: 1\r\nx-a: 2\r\n\r\n"),
    c(b"GET /none HTTP/1.1\r\nHost: 127.0.0.1:35175\r\n" + AGENT + b"\r\n"),
    s(b"HTTP/1.1 204 No Content\r\n" + SINCE + b"\r\n"),
    c(
        b"PUT / HTTP/1.1\r\nHost: 127.0.0.1:35175\r\n" + AGENT
        + b"Content-Length: 5\r\nContent-Type: application/octet-stream\r\nExpect: 100-continue\r\n\r\n"
    ),
    s(b"HTTP/1.1 100 Continue\r\n\r\n"),
    c(b"12345"),
    s(b"HTTP/1.1 200 OK\r\n" + SINCE + b"content-length: 5\r\n\r\nhello"),
]  # fmt: skip


def test_aiohttp_and_uvicorn_when_recorded_then_each_move_is_a_message():
    told = converse(HttpExchange, AIOHTTP_AND_UVICORN)
    moves = [move.data for move in AIOHTTP_AND_UVICORN]
    assert told.client == [
        *((at + 1, WHOLE, moves[2 * at]) for at in range(4)), (5, WHOLE, moves[8] + moves[10])
    ]  # fmt: skip
    assert told.server == [
        *((at + 1, WHOLE, moves[2 * at + 1]) for at in range(5)), (5, WHOLE, moves[11])
    ]  # fmt: skip
    assert told.server_parts[0].head.values("X-A") == ["1", "2"]
    assert told.readable


# What aiohttp's server answered to three requests that came in one segment, the last of HTTP/1.0.
PIPELINED = (
    b"GET /chunk HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /c HTTP/1.0\r\n\r\n",
)
ITS_HEADERS = (
    b"Content-Type: application/octet-stream\r\n"
    b"Date: Wed, 25 Nov 2026 03:07:17 GMT\r\nServer: Python/3.11 aiohttp/3.14.5\r\n\r\n"
)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + ITS_HEADERS + b"5\r\nxxxxx\r\n0\r\n\r\n"
)
OLD = b"HTTP/1.0 200 OK\r\n" + ITS_HEADERS + b"xxxxx"


def test_aiohttp_server_when_recorded_pipelined_then_each_request_finds_its_answer():
    told = converse(HttpExchange, [c(b"".join(PIPELINED)), s(CHUNKED), s(CHUNKED), s(OLD)])
    assert told.client == [(at, WHOLE, data) for at, data in enumerate(PIPELINED, start=1)]
    assert told.server == [(1, WHOLE, CHUNKED), (2, WHOLE, CHUNKED), (3, "first", OLD)]


# A websocket of aiohttp: its first frames came with the head.
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:39829\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: TxOqaqG3lTmP8HpnHv9d7w==\r\n"
    + AGENT
    + b"\r\n"
)
UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Accept: cKAPmhYc7+ylGJTwCTvCUF7pL/k=\r\n\r\n"
)


def test_websocket_when_recorded_then_its_frames_belong_to_none():
    told = converse(HttpExchange, [c(UPGRADE), s(UPGRADED + b"\x81\x02hi\x88\x02\x03\xe8")])
    assert told.server == [(1, WHOLE, UPGRADED), (0, "", b"\x81\x02hi\x88\x02\x03\xe8")]


BODIES = st.binary(max_size=30)
METHODS = st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH"])


def with_length(start, body):
    return start + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def in_chunks(start, body):
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    return start + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\nT: 1\r\n\r\n"


def with_none(start, body):
    return start + b"\r\nA: b\r\n\r\n"


@st.composite
def exchanges(draw):
    """A request and its response, in bytes."""
    method = draw(METHODS)
    frame = draw(st.sampled_from([with_length, in_chunks, with_none]))
    request = frame(method + b" / HTTP/1.1", draw(BODIES))
    status = draw(st.sampled_from([b"200", b"204", b"304", b"500"]))
    frame = draw(st.sampled_from([with_length, in_chunks]))
    empty = method == b"HEAD" or status in {b"204", b"304"}
    response = (with_none if empty else frame)(b"HTTP/1.1 " + status, draw(BODIES))
    return request, response


@given(st.lists(st.lists(exchanges(), min_size=1, max_size=4), max_size=4), st.lists(st.integers(1, 90), min_size=1, max_size=9))  # fmt: skip
def test_exchanges_when_pipelined_and_split_at_random_then_each_answer_finds_its_request(
    bursts, sizes
):
    moves = itertools.chain.from_iterable(
        (c(b"".join(request for request, _ in burst)), s(b"".join(answer for _, answer in burst)))
        for burst in bursts
    )
    told = converse(HttpExchange, list(moves), sizes)
    pairs = list(enumerate(itertools.chain.from_iterable(bursts), start=1))
    assert told.client == [(number, WHOLE, request) for number, (request, _) in pairs]
    assert told.server == [(number, WHOLE, answer) for number, (_, answer) in pairs]
    assert told.readable
