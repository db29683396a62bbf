"""What is seen of HTTP requests: by rule, split anyhow, beside the codec, and of bytes that are no HTTP."""

import itertools
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.breaker import IdCarrier
from harness.protocols.exchange import MOST_KEPT
from harness.protocols.http_exchange import HttpExchange
from harness.protocols.http_observer import HttpObserver
from harness.protocols.request_id import rid_of
from tests.support.exchanges import Move, c, s

GET = b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r1\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nX-Request-Id: r2\r\nContent-Length: 4\r\n\r\nbody"
CHUNKED = b"PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nT: 1\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nx-request-id: r3\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
IN_CHUNKS = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
HEADED = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
ENDLESS = b"HTTP/1.0 200 OK\r\n\r\nand so on"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"


class Log:
    def __init__(self):
        self.ended, self.unreadable, self.upgraded = [], 0, 0
        self.append = self.ended.append


class Watched:
    """An observer. Each call is one instant later than the one before; a move of the client is a turn."""

    def __init__(self, carrier=None, **more):
        self.log, self.now, self.turn = Log(), 0, 0
        rid = rid_of(carrier or IdCarrier())
        self.observer = HttpObserver(self.log, rid, conn=7, peer=4242, **more)

    def feed(self, *moves):
        for move in moves:
            self.now += 1
            if move.client:
                self.turn += 1
                self.observer.taken_in(move.data, self.turn, self.now)
            else:
                self.observer.passed_on(move.data, self.now)
        return self

    def ended(self):
        return [(each.seq, each.rid, each.status, each.end) for each in self.log.ended]

    def open(self):
        return [(each.seq, each.rid) for each in self.observer.open]

    @property
    def readable(self):
        assert self.log.unreadable == (not self.observer.readable)
        return self.observer.readable


def test_request_when_answered_then_all_of_it_is_told():
    it = Watched().feed(c(GET), s(OK))
    (seen,) = it.log.ended
    assert (seen.conn, seen.seq, seen.turn, seen.peer, seen.method) == (7, 1, 1, 4242, "GET")
    assert (seen.rid, seen.status, seen.end, seen.began) == ("r1", 200, "answered", True)
    assert (seen.arrived, seen.ended, seen.injected) == (1, 2, ())
    assert it.open() == []


def test_requests_when_kept_alive_then_are_numbered_and_have_their_own_ids():
    it = Watched().feed(c(GET), s(OK), c(POST), s(IN_CHUNKS), c(HEAD), s(HEADED), c(GET), s(EMPTY))
    assert it.ended() == [
        (1, "r1", 200, "answered"),
        (2, "r2", 500, "answered"),
        (3, "r3", 200, "answered"),
        (4, "r1", 204, "answered"),
    ]
    assert it.readable


def test_requests_when_pipelined_then_each_gets_its_own_answer():
    it = Watched().feed(c(GET + POST + CHUNKED + HEAD), s(OK + EMPTY), s(IN_CHUNKS + HEADED))
    assert it.ended() == [
        (1, "r1", 200, "answered"),
        (2, "r2", 204, "answered"),
        (3, None, 500, "answered"),
        (4, "r3", 200, "answered"),
    ]
    assert [each.ended for each in it.log.ended] == [2, 2, 3, 3]


def test_arrival_when_the_head_is_slow_then_is_stamped_with_its_last_byte():
    it = Watched().feed(c(POST[:9]), c(POST[9:40]), c(POST[40:-6]), c(POST[-6:-4]), c(POST[-4:]))
    (seen,) = it.observer.open
    assert seen.arrived == 4


def test_end_when_the_answer_is_slow_then_is_stamped_with_its_last_byte():
    it = Watched().feed(c(GET), s(OK[:9]), s(OK[9:-2]), s(OK[-2:-1]))
    (seen,) = it.observer.open
    assert (seen.began, seen.status, seen.end, seen.ended) == (True, 200, "open", None)
    assert it.feed(s(OK[-1:])).log.ended[0].ended == 5


@pytest.mark.parametrize("interim", [CONTINUE, HINTS, CONTINUE + HINTS])
def test_interim_answer_when_it_passes_then_the_final_one_is_waited_for(interim):
    asking = POST.replace(b"Content", b"Expect: 100-continue\r\nContent")
    it = Watched().feed(c(asking[:-4]), s(interim))
    (seen,) = it.observer.open
    assert (seen.began, seen.status) == (True, None)
    assert it.feed(c(b"body"), s(OK)).ended() == [(1, "r2", 200, "answered")]


def test_answer_when_it_comes_before_the_body_is_sent_then_ends_the_request():
    it = Watched().feed(c(POST[:-2]), s(OK), c(b"dy" + GET), s(EMPTY))
    assert it.ended() == [(1, "r2", 200, "answered"), (2, "r1", 204, "answered")]


def test_answer_when_it_lasts_until_the_close_then_ends_with_it():
    it = Watched().feed(c(GET), s(ENDLESS), s(b" and on"))
    assert it.open() == [(1, "r1")]
    it.observer.server_left()
    it.observer.finished(9)
    (seen,) = it.log.ended
    assert (seen.end, seen.status, seen.ended) == ("answered", 200, 9)


def test_answer_when_it_lasts_until_the_close_and_is_reset_then_is_cut():
    it = Watched().feed(c(GET), s(ENDLESS))
    it.observer.server_left()
    it.observer.cut(9)
    assert it.ended() == [(1, "r1", 200, "downstream-cut")]


def test_client_when_it_leaves_then_all_it_waits_for_is_abandoned():
    it = Watched().feed(c(GET + POST), s(OK[:-1]))
    it.observer.client_left(5)
    it.observer.cut(6)
    assert it.ended() == [(1, "r1", 200, "abandoned"), (2, "r2", None, "abandoned")]
    assert [(each.began, each.ended) for each in it.log.ended] == [(True, 5), (False, 5)]


def test_answer_when_its_rest_comes_after_the_client_left_then_changes_nothing():
    it = Watched().feed(c(GET), s(OK[:-1]))
    it.observer.client_left(5)
    it.feed(s(OK[-1:]))
    it.observer.finished(9)
    assert it.ended() == [(1, "r1", 200, "abandoned")]
    assert it.readable


def test_connection_when_we_end_it_then_requests_are_cut():
    it = Watched().feed(c(GET))
    it.observer.cut(5)
    assert it.ended() == [(1, "r1", None, "cut")]


def test_server_when_it_ends_the_connection_first_then_requests_are_cut_by_it():
    it = Watched().feed(c(GET), s(OK[:-1]))
    it.observer.server_left()
    assert it.open() == [(1, "r1")], "what it sent may be on its way"
    it.observer.finished(5)
    assert it.ended() == [(1, "r1", 200, "downstream-cut")]


def test_head_when_it_never_gets_whole_then_there_was_no_request():
    it = Watched().feed(c(GET[:-1]))
    it.observer.client_left(5)
    assert it.ended() == []


# What is no HTTP/1, or no longer


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n\x00\x00\x12"]
)
def test_connection_when_upgraded_then_nothing_more_is_seen(answer):
    asking = GET.replace(b"Host: a", b"Connection: Upgrade\r\nUpgrade: h2c")
    it = Watched().feed(c(asking), s(answer), c(GET), s(OK))
    assert it.ended() == [(1, "r1", 101, "answered")]
    assert (it.readable, it.observer.over, it.log.upgraded, it.open()) == (True, True, 1, [])


def test_upgrade_when_refused_then_the_next_request_is_seen():
    asking = GET.replace(b"Host: a", b"Connection: Upgrade\r\nUpgrade: h2c")
    it = Watched().feed(c(asking), s(OK), c(POST), s(OK))
    assert [each.seq for each in it.log.ended] == [1, 2]


CONNECT = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"


def test_connect_when_it_succeeds_then_nothing_more_is_seen():
    it = Watched().feed(
        c(CONNECT), s(b"HTTP/1.1 200 OK\r\n\r\n"), c(b"\x16\x03\x01"), s(b"\x16\x03")
    )
    assert it.ended() == [(1, None, 200, "answered")]
    assert (it.readable, it.log.upgraded) == (True, 1)


def test_connect_when_refused_then_the_next_request_is_seen():
    it = Watched().feed(
        c(CONNECT), s(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), c(GET), s(OK)
    )
    assert it.ended() == [(1, None, 403, "answered"), (2, "r1", 200, "answered")]
    assert it.readable


@pytest.mark.parametrize("more", [b"\x16\x03", GET])
@pytest.mark.parametrize("apart", [False, True])
def test_connect_when_refused_and_the_client_went_on_then_its_place_is_lost(more, apart):
    sent = [c(CONNECT), c(more)] if apart else [c(CONNECT + more)]
    it = Watched().feed(*sent, s(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
    assert it.ended() == [(1, None, 403, "answered")]
    assert (it.readable, it.open()) == (False, [])


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02",
        b"*1\r\n$4\r\nPING\r\n",
        b"PING\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\n\nGET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: y\r\n Content-Length: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: y\nContent-Length: 1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * MOST_KEPT + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * MOST_KEPT,
    ],
)
def test_client_when_it_speaks_something_else_then_the_connection_is_unreadable(sent):
    assert not Watched().feed(c(sent)).readable
    one_by_one = Watched()
    for at in range(min(len(sent), 100)):
        one_by_one.feed(c(sent[at : at + 1]))
    assert not one_by_one.feed(c(sent[100:])).readable


@pytest.mark.parametrize(
    "sent",
    [
        b"220 mail ESMTP\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 204 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        OK + b"more",
    ],
)
def test_server_when_it_answers_something_else_then_the_connection_is_unreadable(sent):
    for sizes in ([len(sent)], [1]):
        it = Watched().feed(c(GET), *pieces(s(sent), sizes))
        assert not it.readable
        it.observer.cut(99)
        assert [each.end for each in it.log.ended] in (["cut"], ["answered"])


def test_server_when_it_speaks_before_any_request_then_is_not_looked_at():
    """Such as a 400 for half a head. Who speaks no HTTP is told by the client's bytes."""
    it = Watched().feed(s(b"+OK ready\r\n"), c(GET[:9]), s(EMPTY), c(GET[9:]), s(OK))
    assert it.ended() == [(1, "r1", 200, "answered")]


def test_answer_when_no_request_waits_for_it_then_is_nobodys():
    """Such as a 408 in front of a close: servers tell idle connections why they end."""
    late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nlate"
    it = Watched().feed(c(GET), s(OK), s(late[:-2]), c(POST), s(late[-2:]))
    assert it.readable
    assert it.open() == [(2, "r2")]
    it.observer.server_left()
    it.observer.finished(9)
    assert it.ended()[-1] == (2, "r2", None, "downstream-cut")


def test_lines_when_empty_in_front_of_a_request_then_are_passed_over():
    it = Watched().feed(
        c(b"\r\n" + GET), s(OK), c(b"\r"), c(b"\n"), c(b"\r\n\r"), c(b"\n" + GET), s(OK)
    )
    assert [each.seq for each in it.log.ended] == [1, 2]
    assert it.readable


def test_head_when_odd_but_for_where_its_body_ends_then_is_read():
    odd = GET.replace(b"Host: a", b"bad header\r\nX: content-length\r\nTransfer_Encoding: x")
    it = Watched().feed(c(GET.replace(b"Host: a", b"b\xe4d header")), s(OK))
    assert it.ended() == [(1, "r1", 200, "answered")]
    assert not Watched().feed(c(odd)).readable, "a doubt about the length is read strictly"


# Where looking begins


def test_observer_when_it_comes_to_an_open_connection_then_begins_with_the_next_turn():
    it = Watched(after=1).feed(c(GET), s(OK[:-2]))
    it.feed(s(OK[-2:]), c(POST), s(OK))
    assert it.ended() == [(1, "r2", 200, "answered")]
    assert it.readable


# Toxics


def test_toxic_when_it_acts_on_a_request_then_that_one_is_told():
    it = Watched()
    assert it.observer.taken_in(GET + POST[:50], 1, 1) == 1
    assert it.observer.taken_in(POST[50:-2], 1, 2) == 2
    assert it.observer.taken_in(POST[-2:], 1, 2) == 2
    assert it.observer.taken_in(HEAD, 1, 3) == 3
    it.observer.injected("one", 1, 2)
    it.observer.injected("two", 1, 2)
    it.observer.injected("one", 1, 2)
    it.observer.injected("late", 1, 9)
    it.feed(s(OK))
    it.observer.injected("gone", 1, 1)
    it.observer.injected("three", 1, 3)
    it.feed(s(OK + HEADED))
    assert [each.injected for each in it.log.ended] == [(), ("one", "two"), ("three",)]


def test_toxic_when_it_acts_on_a_turn_then_all_requests_of_it_are_told():
    it = Watched().feed(c(GET + POST))
    it.observer.injected("lag", 1)
    it.feed(s(OK), c(HEAD))
    it.observer.injected("slow", 2)
    it.observer.cut(9)
    assert [each.injected for each in it.log.ended] == [("lag",), ("lag",), ("slow",)]
    it.observer.injected("none", 2)


def test_toxic_when_it_acts_on_a_body_in_a_later_turn_then_its_request_is_told():
    it = Watched().feed(c(POST[:-4]), s(CONTINUE), c(b"body"))
    it.observer.injected("lag", 2)
    assert [each.injected for each in it.observer.open] == [("lag",)]


# Split anyhow


def pieces(move, sizes):
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(move.data):
            return
        yield Move(move.client, move.data[at : at + size])
        at += size


class Spoken:
    """One exchange: what is sent, and what of it an observer has to tell."""

    def __init__(self, request, body, answer, rest, told):
        self.request, self.body, self.answer, self.rest, self.told = (
            request, body, answer, rest, told
        )  # fmt: skip


@st.composite
def spoken(draw, *, last=False):
    method = draw(st.sampled_from(["GET", "POST", "HEAD", "DELETE"]))
    rid = draw(st.none() | st.text("abc-", min_size=1, max_size=8))
    headers = draw(
        st.lists(st.sampled_from([b"Host: a", b"X-Y: transfer", b"Accept: */*"]), max_size=3)
    )
    if rid is not None:
        headers.insert(draw(st.integers(0, len(headers))), b"X-REQUEST-ID:  " + rid.encode())
    lines, body = framed(draw, allowed=("none", "length", "chunked"))
    request = method.encode() + b" /p?q HTTP/1.1\r\n" + joined(headers + lines)
    status = draw(st.sampled_from([200, 201, 404, 500, 204, 304]))
    bare = method == "HEAD" or status in {204, 304}
    allowed = ("length", "chunked", *(("until close",) if last else ()))
    lines, content = framed(draw, allowed=("none", *allowed) if bare else allowed)
    interim = b"".join(draw(st.lists(st.sampled_from([CONTINUE, HINTS]), max_size=2)))
    head = b"HTTP/1.1 %d Some reason\r\n" % status + joined(lines)
    answer, rest = interim + head, b"" if bare else content
    endless = not bare and not lines
    end = "downstream-cut" if endless else "answered"
    return Spoken(request, body, answer, rest, (method, rid, status, end))


def framed(draw, allowed):
    kind = draw(st.sampled_from(allowed))
    content = draw(st.binary(max_size=30) | st.just(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"))
    if kind == "length":
        return [b"Content-Length: %d" % len(content)], content
    if kind == "chunked":
        sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
        move = Move(client=True, data=content)
        chunks = [b"%x\r\n%s\r\n" % (len(p.data), p.data) for p in pieces(move, sizes)]
        end = draw(st.sampled_from([b"0\r\n\r\n", b"0;x\r\nA: b\r\n\r\n"]))
        return [b"Transfer-Encoding: chunked"], b"".join(chunks) + end
    return [], content if kind == "until close" else b""


def joined(lines):
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


SPLITS = st.lists(st.integers(1, 40), min_size=1, max_size=8)
DIALOGUES = st.builds(
    lambda most, last: [*most, last], st.lists(spoken(), max_size=5), spoken(last=True)
)


@given(DIALOGUES, SPLITS, st.integers(1, 4))
def test_requests_when_split_and_pipelined_anyhow_then_the_same_is_told(said, sizes, at_once):
    """Each request arrives with the last byte of its head, and ends with the last byte of its answer."""
    it, expected, bytes_up, bytes_down = Watched(), [], 0, 0
    up, down = deque(), deque()
    for number in range(0, len(said), at_once):
        batch = said[number : number + at_once]
        for each in batch:
            up.append(bytes_up + len(each.request))
            bytes_up += len(each.request) + len(each.body)
            bytes_down += len(each.answer) + len(each.rest)
            down.append(bytes_down)
            expected.append(each.told)
        feed_counted(it, b"".join(each.request + each.body for each in batch), sizes, client=True)
        feed_counted(it, b"".join(each.answer + each.rest for each in batch), sizes, client=False)
    assert it.readable
    it.observer.server_left()
    it.observer.cut(10**9)
    told = [(each.method, each.rid, each.status, each.end) for each in it.log.ended]
    assert told == expected
    assert [each.seq for each in it.log.ended] == list(range(1, len(said) + 1))
    assert all(each.began for each in it.log.ended)
    for each, arrives, ends in zip(it.log.ended, up, down, strict=True):
        assert arrives in it.sent[True][each.arrived]
        if each.end == "answered":
            assert ends in it.sent[False][each.ended]


def feed_counted(it, data, sizes, *, client):
    """Remembers which bytes, counted from 1, were shown at which instant."""
    if not hasattr(it, "sent"):
        it.sent, it.counted = {True: {}, False: {}}, {True: 0, False: 0}
    for piece in pieces(Move(client, data), sizes):
        it.feed(piece)
        begin = it.counted[client]
        it.counted[client] = begin + len(piece.data)
        it.sent[client][it.now] = range(begin + 1, it.counted[client] + 1)


# Beside the codec, and on any bytes

PIECES = [
    GET, POST, CHUNKED, HEAD, OK, EMPTY, IN_CHUNKS, HEADED, ENDLESS, CONTINUE, HINTS, CONNECT,
    b"PUT / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 101 Other\r\n\r\n", b"Content-Length: 3\r\n\r\n",
    b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"transfer-encoding: gzip\r\n\r\n",
    b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"\r\n", b"\n", b"\r", b" ", b":", b"GET ", b"HTTP/1.", b"\0",
]  # fmt: skip
SIDE = st.lists(
    st.sampled_from(PIECES) | st.sampled_from(PIECES).map(lambda p: p[: len(p) // 2]),
    min_size=1,
    max_size=4,
).map(b"".join)
ANY = st.lists(st.builds(Move, st.booleans(), SIDE | st.binary(max_size=8)), max_size=8)


def read_by_codec(moves):
    """Requests, the final answers that were complete, and whether all of it could be read."""
    exchange, asked, answered, statuses = HttpExchange(), [], [], {}
    for move in moves:
        if not exchange.readable:
            break
        if move.client:
            parts = exchange.client(move.data, 1)
            asked += [p.head.start.partition(b" ")[0].decode() for p in parts if p.head]
        else:
            for part in exchange.server(move.data, 1):
                if part.head:
                    statuses[part.request] = part.head.status
                status = statuses.get(part.request, 0)
                if part.last and (status >= 200 or status == 101):
                    answered.append(status)
    return asked, answered, exchange.readable


@given(ANY, SPLITS)
@settings(max_examples=300)
def test_dialogue_when_the_codec_can_read_it_then_the_same_is_seen(moves, sizes):
    asked, answered, readable = read_by_codec(moves)
    # The codec reads on behind a CONNECT, whose answer says what those bytes are.
    if not readable or "CONNECT" in asked:
        return
    for fed in (moves, [piece for move in moves for piece in pieces(move, sizes)]):
        it = Watched().feed(*fed)
        assert it.readable
        assert [each.method for each in (*it.log.ended, *it.observer.open)] == asked
        assert [each.status for each in it.log.ended] == answered


@given(ANY, SPLITS, st.data())
@settings(max_examples=300)
def test_observer_when_shown_any_bytes_in_any_order_then_never_raises(moves, sizes, data):
    it = Watched(data.draw(st.sampled_from([
        IdCarrier(), IdCarrier(where="path"), IdCarrier(where="query", name="q"),
        IdCarrier(where="traceparent"),
    ])))  # fmt: skip
    for piece in [piece for move in moves for piece in pieces(move, sizes)]:
        label = it.observer.seq
        it.feed(piece)
        assert it.observer.seq >= label
        happens = data.draw(st.integers(0, 20))
        if happens == 0:
            it.observer.client_left(it.now)
        elif happens == 1:
            it.observer.server_left()
        elif happens == 2:
            it.observer.injected("toxic", it.turn, data.draw(st.integers(0, 3)))
    it.observer.finished(it.now + 1)
    assert it.observer.open == ()
    assert [each.seq for each in it.log.ended] == sorted(each.seq for each in it.log.ended)
    assert all(each.arrived <= each.ended for each in it.log.ended)
    assert it.log.unreadable == (not it.observer.readable)
