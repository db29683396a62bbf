"""Commands and replies of RESP: by rule, as a real server answered, and at random."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.exchange import MOST_KEPT, Part
from harness.protocols.redis_exchange import RedisExchange
from tests.support.exchanges import c, converse, s

WHOLE = "first last"


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%b\r\n" % (len(word), word) for word in words
    )


GET = command(b"GET", b"k")
SET = command(b"SET", b"k", b"v\r\n1")
OK = b"+OK\r\n"


def replies(data, asked=9):
    """How the server's ``data`` is told when so many commands wait."""
    return converse(RedisExchange, [c(GET * asked), s(data)]).server


def test_commands_when_pipelined_then_each_reply_answers_the_next():
    told = converse(RedisExchange, [c(GET + SET), s(b"$1\r\nv\r\n+OK\r\n"), c(GET), s(b"$-1\r\n")])
    assert told.client == [(1, WHOLE, GET), (2, WHOLE, SET), (3, WHOLE, GET)]
    assert told.server == [(1, WHOLE, b"$1\r\nv\r\n"), (2, WHOLE, OK), (3, WHOLE, b"$-1\r\n")]


@pytest.mark.parametrize(
    "reply",
    [
        b"+OK\r\n", b"+\r\n", b"-ERR no\r\n", b":-12\r\n", b"_\r\n", b"#t\r\n", b",-inf\r\n",
        b"(3492890328409238509324850943850943825024385\r\n", b"$0\r\n\r\n", b"$-1\r\n", b"$4\r\na\r\nb\r\n",
        b"!5\r\nERR a\r\n", b"=7\r\ntxt:a\nb\r\n", b"*0\r\n", b"*-1\r\n", b"*2\r\n:1\r\n*1\r\n$1\r\na\r\n",
        b"~2\r\n+a\r\n_\r\n", b"%0\r\n", b"%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n",
        b"|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n", b"*2\r\n|1\r\n+a\r\n%1\r\n+b\r\n+c\r\n:1\r\n:2\r\n",
        b"|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n+d\r\n|0\r\n:1\r\n",
    ],
)  # fmt: skip
def test_reply_when_one_value_then_is_one_answer(reply):
    assert replies(reply + reply + OK) == [(1, WHOLE, reply), (2, WHOLE, reply), (3, WHOLE, OK)]


def test_push_when_between_replies_then_belongs_to_none():
    push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
    assert replies(OK + push + push + OK) == [(1, WHOLE, OK), (0, "", push + push), (2, WHOLE, OK)]


@pytest.mark.parametrize(
    "greeting", [b"-DENIED Redis is running in protected mode\r\n", b"*1\r\n+a\r\n"]
)
def test_reply_when_no_command_waits_then_belongs_to_none(greeting):
    told = converse(RedisExchange, [s(greeting), c(GET), s(OK)])
    assert told.server == [(0, "", greeting), (1, WHOLE, OK)]


def test_inline_command_when_sent_by_hand_then_is_a_request():
    told = converse(RedisExchange, [c(b"PING\r\nget k\n"), s(b"+PONG\r\n$-1\r\n")])
    assert told.client == [(1, WHOLE, b"PING\r\n"), (2, WHOLE, b"get k\n")]
    assert told.server == [(1, WHOLE, b"+PONG\r\n"), (2, WHOLE, b"$-1\r\n")]


@pytest.mark.parametrize("empty", [b"\r\n", b"\n", b"*0\r\n", b"*-1\r\n"])
def test_command_when_empty_then_belongs_to_none_since_redis_does_not_answer(empty):
    told = converse(RedisExchange, [c(empty + GET), s(OK)])
    assert told.client == [(0, "", empty), (1, WHOLE, GET)]
    assert told.server == [(1, WHOLE, OK)]


@pytest.mark.parametrize(
    "last",
    [
        command(b"SUBSCRIBE", b"ch"), command(b"psubscribe", b"*"), command(b"SSUBSCRIBE", b"a"),
        command(b"UNSUBSCRIBE"), command(b"MONITOR"), command(b"SYNC"), command(b"PSYNC", b"?", b"-1"),
        command(b"CLIENT", b"REPLY", b"OFF"), command(b"client", b"reply", b"skip"),
        b"monitor\r\n", b"Subscribe ch\n",
    ],
)  # fmt: skip
def test_command_when_it_ends_the_pairing_then_the_stream_is_unreadable_behind_it(last):
    told = converse(RedisExchange, [c(GET), s(OK), c(last + GET), s(OK)])
    assert told.client == [(1, WHOLE, GET), (2, WHOLE, last), (0, "", GET)]
    assert told.server == [(1, WHOLE, OK), (0, "", OK)]
    assert not told.readable


@pytest.mark.parametrize(
    "alike",
    [
        command(b"CLIENT", b"TRACKING", b"ON"), command(b"GET", b"SUBSCRIBE"), command(b"CLIENT"),
        command(b"SUBSCRIBERS"), command(b"ECHO", b"CLIENT", b"REPLY"), command(b"A" * 17, b"MONITOR"),
        command(b""), b"client id\r\n",
    ],
)  # fmt: skip
def test_command_when_it_only_looks_like_that_then_the_stream_stays_readable(alike):
    told = converse(RedisExchange, [c(alike + GET), s(OK + OK)])
    assert told.server == [(1, WHOLE, OK), (2, WHOLE, OK)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x01", id="TLS"),
        pytest.param(b"$3\r\nGET\r\n", id="a bulk alone"),
        pytest.param(b"*x\r\n", id="no number"),
        pytest.param(b"*1\n", id="bare LF"),
        pytest.param(b"*" + b"1" * 31, id="a long number"),
        pytest.param(b"\rx", id="half an empty line"),
        pytest.param(b"*-2\r\n", id="a negative number"),
    ],
)
def test_command_when_it_is_none_then_the_stream_is_unreadable_at_once(data):
    exchange = RedisExchange()
    assert exchange.client(data, 1) == [Part(data, 0)]
    assert not exchange.readable


@pytest.mark.parametrize("wrong", [b":1\r\n", b"$-1\r\n", b"$x\r\n"])
def test_command_when_its_words_are_no_bulks_then_what_came_before_keeps_its_number(wrong):
    told = converse(RedisExchange, [c(b"*2\r\n$1\r\na\r\n" + wrong)])
    assert told.client == [(1, "first", b"*2\r\n$1\r\na\r\n"), (0, "", wrong)]
    told = converse(RedisExchange, [c(b"*1\r\n$1\r\naX\r\n")])
    assert told.client == [(1, "first", b"*1\r\n$1\r\na"), (0, "", b"X\r\n")]


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 200 OK\r\n", b"?", b"$?\r\n", b"*?\r\n", b"+OK\n", b":1\rx\n", b"$1 \r\n", b"%-2\r\n"],
)  # fmt: skip
def test_reply_when_it_is_none_then_the_stream_is_unreadable(data):
    assert replies(OK + data) == [(1, WHOLE, OK), (0, "", data)]


@pytest.mark.parametrize("data", [b">0\r\n", b"x", b"$1\r\nab\r\n"])
def test_reply_when_it_breaks_within_then_what_came_before_keeps_its_number(data):
    before = b"*2\r\n:1\r\n" + (data[:5] if data[:1] == b"$" else b"")
    rest = data.removeprefix(b"$1\r\na")
    assert replies(before + rest) == [(1, "first", before), (0, "", rest)]


def test_line_when_over_64_kib_then_the_stream_is_unreadable():
    exchange = RedisExchange()
    exchange.client(GET, 1)
    begun = b"+" + b"x" * (MOST_KEPT - 2)
    assert exchange.server(begun, 1) == []
    assert exchange.held == len(begun)
    assert exchange.server(b"x", 1) == [Part(begun + b"x", 0)]


def test_bulk_when_fed_in_chunks_then_passes_as_it_comes():
    exchange = RedisExchange()
    exchange.client(GET, 1)
    assert exchange.server(b"$99999\r\n", 1) == [Part(b"$99999\r\n", 1, first=True)]
    body = b"x" * 16384
    (part,) = exchange.server(body, 1)
    assert part == Part(body, 1)
    assert part.data is body, "not even copied"


def test_command_when_answered_elsewhere_then_the_next_reply_is_of_the_next_one():
    exchange = RedisExchange()
    exchange.client(GET + GET, 1)
    exchange.answered(1)
    assert exchange.server(OK, 1) == [Part(OK, 2, first=True, last=True)]


def test_flush_when_a_length_is_kept_back_then_gives_it_out():
    exchange = RedisExchange()
    assert exchange.client(b"*1\r\n$", 1) == [Part(b"*1\r\n", 1, first=True)]
    assert exchange.flush_client() == [Part(b"$", 1)]


# Redis 7.0, written down by a proxy in front of it, RESP3 from the first line on.
ATTRIBUTE = b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"
RECORDED = [
    (command(b"HELLO", b"3"), b"%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*0\r\n"),
    (command(b"CLIENT", b"TRACKING", b"ON"), OK),
    (command(b"GET", b"k"), b"$4\r\nv\r\n1\r\n"),
    (command(b"SET", b"k", b"other"), OK),
    (None, b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"),
    (command(b"HGETALL", b"h"), b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n"),
    (command(b"ZSCORE", b"z", b"m"), b",1.5\r\n"),
    (command(b"SMEMBERS", b"nos"), b"~0\r\n"),
    (
        command(b"DEBUG", b"PROTOCOL", b"attrib"),
        ATTRIBUTE + b"$39\r\nSome real reply following the attribute\r\n",
    ),
    (command(b"DEBUG", b"PROTOCOL", b"bignum"), b"(1234567999999999999999999999999999999\r\n"),
    (command(b"DEBUG", b"PROTOCOL", b"verbatim"), b"=29\r\ntxt:This is a verbatim\nstring\r\n"),
    (None, b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n"),
    (
        command(b"DEBUG", b"PROTOCOL", b"push"),
        b"$40\r\nSome real reply following the push reply\r\n",
    ),
    (command(b"MULTI"), OK),
    (command(b"INCR", b"n"), b"+QUEUED\r\n"),
    (command(b"EXEC"), b"*1\r\n:2\r\n"),
]  # fmt: skip


def test_redis_when_recorded_then_each_reply_finds_its_command():
    asked = [request for request, _ in RECORDED if request is not None]
    told = converse(RedisExchange, [c(b"".join(asked)), s(b"".join(data for _, data in RECORDED))])
    assert told.client == [(number, WHOLE, data) for number, data in enumerate(asked, start=1)]
    numbers = itertools.count(1)
    assert told.server == [
        (0, "", data) if request is None else (next(numbers), WHOLE, data)
        for request, data in RECORDED
    ]


WORDS = st.binary(max_size=12)
# hypothesis takes words from our code too, MONITOR among them
COMMANDS = st.lists(WORDS, max_size=3).map(lambda words: [b"EVAL", *words])
LINES = st.text("ab 1-", max_size=8).map(str.encode)
SIMPLE = st.builds(
    lambda kind, line: b"%c%b\r\n" % (kind, line), st.sampled_from(b"+-:_#,("), LINES
)
BULKS = st.builds(lambda kind, data: b"%c%d\r\n%b\r\n" % (kind, len(data), data), st.sampled_from(b"$!="), WORDS)  # fmt: skip


def aggregates(inner):
    def built(kind, values):
        pairs = kind in b"%|"
        values = values[: len(values) // 2 * 2] if pairs else values
        number = len(values) // 2 if pairs else len(values)
        return b"%c%d\r\n%b" % (kind, number, b"".join(values)) + (
            b"+x\r\n" if kind in b"|" else b""
        )

    return st.builds(built, st.sampled_from(b"*~%|"), st.lists(inner, max_size=5))


REPLIES = st.recursive(SIMPLE | BULKS, aggregates, max_leaves=8)


@given(
    st.lists(
        st.lists(st.tuples(COMMANDS, REPLIES), min_size=1, max_size=4),
        max_size=4,
    ),
    st.lists(st.integers(1, 30), min_size=1, max_size=9),
)  # fmt: skip
def test_commands_when_pipelined_and_split_at_random_then_each_reply_finds_its_command(
    bursts, sizes
):
    moves = [
        move
        for burst in bursts
        for move in (
            c(b"".join(command(*words) for words, _ in burst)),
            s(b"".join(reply for _, reply in burst)),
        )
    ]
    told = converse(RedisExchange, moves, sizes)
    numbered = list(enumerate(itertools.chain.from_iterable(bursts), start=1))
    assert told.client == [(number, WHOLE, command(*words)) for number, (words, _) in numbered]
    assert told.server == [(number, WHOLE, reply) for number, (_, reply) in numbered]
