"""Requests of PostgreSQL's protocol: by rule, and as psql, libpq and asyncpg sent them to a server."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.exchange import Part
from harness.protocols.postgres_exchange import PostgresExchange
from tests.support.exchanges import c, converse, s

WHOLE = "first last"


def message(kind, body=b""):
    return kind + (len(body) + 4).to_bytes(4) + body


def start_packet(code, body=b""):
    return (len(body) + 8).to_bytes(4) + code.to_bytes(4) + body


STARTUP = start_packet(196608, b"user\0app\0\0")
SSL = start_packet(80877103)
GSS = start_packet(80877104)
CANCEL = start_packet(80877102, b"\0\0\x30\xab\x7f\xab\x06\xed")
PASSWORD = message(b"p", b"md5secret\0")
ASK_PASSWORD = message(b"R", b"\0\0\0\x05salt")
READY = message(b"Z", b"I")
WELCOME = message(b"R", b"\0\0\0\0") + message(b"S", b"TimeZone\0UTC\0") + READY
QUERY = message(b"Q", b"select 1\0")
RESULT = message(b"T", b"\0\0") + message(b"D", b"\0\0") + message(b"C", b"SELECT 1\0") + READY
PARSE, BIND, EXECUTE = message(b"P", b"\0x\0\0\0"), message(b"B", b"12345678"), message(b"E", b"\0")
SYNC, FLUSH, TERMINATE = message(b"S"), message(b"H"), message(b"X")
NOTIFICATION = message(b"A", b"\0\0\0\x01ch\0\0")
COPY_IN, ROW, DONE, FAILED = message(b"G", b"12"), message(b"d", b"1\n"), message(b"c"), message(b"f", b"\0")  # fmt: skip
FATAL = message(b"E", b"SFATAL\0\0")


def begun(*moves):
    """The dialogue behind a start without a password, from request 2 on."""
    told = converse(PostgresExchange, [c(STARTUP), s(WELCOME), *moves])
    assert told.client[0] == (1, "first", STARTUP)
    assert told.server[0] == (1, WHOLE, WELCOME)
    return told.client[1:], told.server[1:]


def test_start_when_with_a_password_then_is_request_1_up_to_ready():
    told = converse(
        PostgresExchange, [c(STARTUP), s(ASK_PASSWORD), c(PASSWORD), s(WELCOME), c(QUERY)]
    )
    assert told.client == [(1, "first", STARTUP + PASSWORD), (2, WHOLE, QUERY)]
    assert told.server == [(1, WHOLE, ASK_PASSWORD + WELCOME)]


@pytest.mark.parametrize("wishes", [[SSL], [GSS], [GSS, SSL]])
def test_start_when_encryption_is_refused_then_goes_on_in_the_clear(wishes):
    refused = itertools.chain.from_iterable((c(wish), s(b"N")) for wish in wishes)
    told = converse(PostgresExchange, [*refused, c(STARTUP), s(WELCOME), c(QUERY), s(RESULT)])
    assert told.client == [(1, "first", b"".join(wishes) + STARTUP), (2, WHOLE, QUERY)]
    assert told.server == [(1, WHOLE, b"N" * len(wishes) + WELCOME), (2, WHOLE, RESULT)]


@pytest.mark.parametrize(("wish", "consent"), [(SSL, b"S"), (GSS, b"G")])
def test_start_when_encryption_is_granted_then_is_unreadable_behind_it(wish, consent):
    told = converse(PostgresExchange, [c(wish), s(consent + WELCOME), c(STARTUP)])
    assert told.client == [(1, "first", wish), (0, "", STARTUP)]
    assert told.server == [(1, "first", consent), (0, "", WELCOME)], "whatever it looks like"
    assert not told.readable


def test_start_when_sent_along_with_the_wish_then_the_refusal_is_still_one_byte():
    told = converse(PostgresExchange, [c(SSL + STARTUP), s(b"N" + WELCOME), c(QUERY), s(RESULT)])
    assert told.server == [(1, WHOLE, b"N" + WELCOME), (2, WHOLE, RESULT)]


def test_start_when_a_server_answers_the_wish_with_an_error_then_that_is_a_message():
    told = converse(PostgresExchange, [c(SSL), s(FATAL)])
    assert told.server == [(1, "first", FATAL)]
    assert told.readable


def test_notice_when_it_begins_an_answer_then_is_no_refusal():
    notice = message(b"N", b"\0")
    _, server = begun(c(QUERY), s(notice + RESULT))
    assert server == [(2, WHOLE, notice + RESULT)]


def test_cancel_when_sent_then_is_one_request_without_an_answer():
    told = converse(PostgresExchange, [c(CANCEL)])
    assert told.client == [(1, WHOLE, CANCEL)]
    assert told.readable
    assert converse(PostgresExchange, [c(CANCEL), s(RESULT)]).server == [(0, "", RESULT)]
    assert converse(PostgresExchange, [c(CANCEL + QUERY)]).client[1:] == [(0, "", QUERY)]


def test_query_when_answered_then_ends_with_ready():
    client, server = begun(c(QUERY), s(RESULT), c(QUERY), s(RESULT))
    assert client == [(2, WHOLE, QUERY), (3, WHOLE, QUERY)]
    assert server == [(2, WHOLE, RESULT), (3, WHOLE, RESULT)]


def test_extended_query_when_flushed_then_is_answered_in_part_before_its_sync():
    ask, rest = PARSE + FLUSH, BIND + EXECUTE + SYNC
    client, server = begun(c(ask), s(message(b"1")), c(rest), s(RESULT))
    assert client == [(2, WHOLE, ask + rest)]
    assert server == [(2, WHOLE, message(b"1") + RESULT)]


def test_requests_when_pipelined_then_each_ready_answers_the_next():
    batch = PARSE + BIND + EXECUTE + SYNC
    failed = message(b"E", b"SERROR\0\0") + READY
    call = message(b"F", b"\0\0\0\1")
    client, server = begun(c(batch + QUERY + call), s(failed + RESULT + READY))
    assert client == [(2, WHOLE, batch), (3, WHOLE, QUERY), (4, WHOLE, call)]
    assert server == [(2, WHOLE, failed), (3, WHOLE, RESULT), (4, WHOLE, READY)]


def test_terminate_when_sent_then_waits_for_no_answer():
    client, server = begun(c(QUERY + TERMINATE), s(RESULT + FATAL))
    assert client == [(2, WHOLE, QUERY), (3, WHOLE, TERMINATE)]
    assert server == [(2, WHOLE, RESULT), (0, "", FATAL)]


@pytest.mark.parametrize("end", [DONE, FAILED], ids=["done", "failed"])
def test_copy_when_asked_by_a_query_then_its_data_have_its_number_and_no_words(end):
    client, server = begun(c(QUERY), s(COPY_IN), c(ROW + ROW + end), s(READY), c(QUERY), s(RESULT))
    assert client == [(2, WHOLE, QUERY), (2, "", ROW + ROW + end), (3, WHOLE, QUERY)]
    assert server == [(2, WHOLE, COPY_IN + READY), (3, WHOLE, RESULT)]


def test_copy_when_it_failed_at_the_server_then_late_data_are_still_its_own():
    client, server = begun(c(QUERY), s(COPY_IN + FATAL + READY), c(ROW + DONE + QUERY), s(RESULT))
    assert client == [(2, WHOLE, QUERY), (2, "", ROW + DONE), (3, WHOLE, QUERY)]
    assert server[1] == (3, WHOLE, RESULT)


def test_copy_when_asked_by_the_extended_protocol_then_its_second_sync_begins_nothing():
    batch = PARSE + BIND + EXECUTE + SYNC
    data = ROW + FLUSH + DONE + SYNC
    client, server = begun(c(batch), s(COPY_IN), c(data), s(READY), c(SYNC + QUERY), s(READY + RESULT))  # fmt: skip
    assert client == [(2, WHOLE, batch), (2, "", data), (3, WHOLE, SYNC), (4, WHOLE, QUERY)]
    assert server == [(2, WHOLE, COPY_IN + READY), (3, WHOLE, READY), (4, WHOLE, RESULT)]


def test_copy_when_asked_by_a_query_then_a_sync_behind_it_is_a_request():
    client, server = begun(c(QUERY), s(COPY_IN), c(ROW + DONE), s(READY), c(SYNC), s(READY))
    assert client == [(2, WHOLE, QUERY), (2, "", ROW + DONE), (3, WHOLE, SYNC)]
    assert server == [(2, WHOLE, COPY_IN + READY), (3, WHOLE, READY)]


def test_copy_when_its_data_come_before_the_sync_then_are_part_of_the_request():
    batch = PARSE + BIND + EXECUTE + FLUSH + ROW + DONE + SYNC
    client, _ = begun(c(batch + QUERY))
    assert client == [(2, WHOLE, batch), (3, WHOLE, QUERY)]


def test_server_when_it_speaks_of_itself_then_only_between_answers_to_none():
    between = NOTIFICATION + message(b"S", b"a\0b\0") + message(b"N", b"\0") + FATAL
    _, server = begun(s(between), c(QUERY), s(NOTIFICATION + RESULT), s(NOTIFICATION))
    assert server == [
        (0, "", between), (2, WHOLE, NOTIFICATION + RESULT), (0, "", NOTIFICATION)
    ]  # fmt: skip


def test_server_when_it_answers_what_nobody_asked_then_is_unreadable():
    told = converse(PostgresExchange, [c(STARTUP), s(WELCOME), s(RESULT), c(QUERY)])
    assert told.server == [(1, WHOLE, WELCOME), (0, "", RESULT)]
    assert told.client == [(1, "first", STARTUP), (0, "", QUERY)]


def test_connection_when_joined_between_two_messages_then_its_next_request_is_number_1():
    told = converse(PostgresExchange, [s(NOTIFICATION), c(QUERY), s(RESULT), c(PARSE + SYNC)])
    assert told.client == [(1, WHOLE, QUERY), (2, WHOLE, PARSE + SYNC)]
    assert told.server == [(0, "", NOTIFICATION), (1, WHOLE, RESULT)]


def test_connection_when_joined_within_a_copy_then_its_data_belong_to_none():
    told = converse(PostgresExchange, [c(ROW + DONE + QUERY)])
    assert told.client == [(0, "", ROW + DONE), (1, WHOLE, QUERY)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x01\x02", id="TLS"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b"POST / HTTP/1.1\r\n\r\n", id="HTTP, a type of ours"),
        pytest.param(b"*1\r\n$4\r\nPING\r\n", id="RESP"),
        pytest.param(b"\0X", id="too long a start"),
        pytest.param(start_packet(131072, b"\0"), id="protocol 2"),
        pytest.param(b"\0\0\0\x07\0\x03\0\0", id="too short a start"),
        pytest.param(b"\0\0\x27\x11\0\x03\0\0", id="a start over 10,000 bytes"),
        pytest.param(b"Q\x40\0\0\x05", id="over 1 GiB"),
        pytest.param(b"Q\0\0\0\x03", id="shorter than its length"),
        pytest.param(b"p\0\0\0\x05\0", id="a password out of place"),
    ],
)
def test_client_when_it_speaks_something_else_then_is_unreadable_at_once(data):
    exchange = PostgresExchange()
    assert exchange.client(data, 1) == [Part(data, 0)]
    assert not exchange.readable


@pytest.mark.parametrize("data", [b"a", b"Z\0\0\0\x03", b"D\x40\0\0\x06"])
def test_message_when_it_cannot_be_one_then_what_came_before_keeps_its_number(data):
    _, server = begun(c(QUERY), s(COPY_IN + data))
    assert server == [(2, "first", COPY_IN), (0, "", data)]


def test_rows_when_fed_in_chunks_then_pass_as_they_come():
    exchange = PostgresExchange()
    exchange.client(QUERY, 1)
    body = b"x" * 16384
    assert exchange.server(b"D\0\x01\0\0", 1) == [Part(b"D\0\x01\0\0", 1, first=True)]
    (part,) = exchange.server(body, 1)
    assert part == Part(body, 1)
    assert part.data is body, "not even copied"
    assert exchange.held == 0


def test_header_when_incomplete_then_is_all_that_is_kept_back():
    exchange = PostgresExchange()
    assert exchange.client(QUERY[:4], 1) == []
    assert exchange.client(QUERY[4:6], 1) == [Part(QUERY[:6], 1, first=True)]
    assert exchange.server(RESULT[:3], 1) == []
    assert exchange.held == 3
    assert exchange.flush_server() == [Part(RESULT[:3], 1, first=True)]


def test_request_when_answered_elsewhere_then_the_next_answer_is_of_the_next_one():
    exchange = PostgresExchange()
    exchange.client(QUERY + QUERY, 1)
    exchange.answered(1)
    assert exchange.server(RESULT, 1) == [Part(RESULT, 2, first=True, last=True)]


# psql 15 and PostgreSQL 18, written down by a proxy between them; fewer parameters.
PSQL = [
    c(b"\x00\x00\x00\x08\x04\xd2\x16/"),
    s(b"N"),
    c(b"\x00\x00\x00?\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00application_name\x00psql\x00\x00"),
    s(
        b"R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x17in_hot_standby\x00off\x00"
        b"S\x00\x00\x00\x19server_encoding\x00UTF8\x00K\x00\x00\x00\x0c\x00\x00Z:d\x0c3\x98Z\x00\x00\x00\x05I"
    ),
    c(b'Q\x00\x00\x00"create table t(a int, b text)\x00'),
    s(b"C\x00\x00\x00\x11CREATE TABLE\x00Z\x00\x00\x00\x05I"),
    c(b"Q\x00\x00\x00\x16copy t from stdin\x00"),
    s(b"G\x00\x00\x00\x0b\x00\x00\x02\x00\x00\x00\x00"),
    c(b"d\x00\x00\x00\x131\tone\n2\ttwo\n\\.\nc\x00\x00\x00\x04"),
    s(b"C\x00\x00\x00\x0bCOPY 2\x00Z\x00\x00\x00\x05I"),
    c(b"Q\x00\x00\x00\x15copy t to stdout\x00"),
    s(
        b"H\x00\x00\x00\x0b\x00\x00\x02\x00\x00\x00\x00d\x00\x00\x00\n1\tone\nd\x00\x00\x00\n2\ttwo\n"
        b"c\x00\x00\x00\x04C\x00\x00\x00\x0bCOPY 2\x00Z\x00\x00\x00\x05I"
    ),
    c(b"X\x00\x00\x00\x04"),
]  # fmt: skip


def test_psql_when_recorded_then_each_statement_is_a_request():
    told = converse(PostgresExchange, PSQL)
    sent = [move.data for move in PSQL]
    assert told.client == [
        (1, "first", sent[0] + sent[2]), (2, WHOLE, sent[4]), (3, WHOLE, sent[6]), (3, "", sent[8]),
        (4, WHOLE, sent[10]), (5, WHOLE, sent[12]),
    ]  # fmt: skip
    assert told.server == [
        (1, WHOLE, sent[1] + sent[3]), (2, WHOLE, sent[5]), (3, WHOLE, sent[7] + sent[9]),
        (4, WHOLE, sent[11]),
    ]  # fmt: skip
    assert told.readable


# libpq: COPY by PQexecParams (the server never answers the first Sync), then three in a pipeline,
# the second of which fails.
LIBPQ = [
    c(
        b"P\x00\x00\x00\x19\x00copy t from stdin\x00\x00\x00B\x00\x00\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00"
        b"D\x00\x00\x00\x06P\x00E\x00\x00\x00\t\x00\x00\x00\x00\x00S\x00\x00\x00\x04"
    ),
    s(b"1\x00\x00\x00\x042\x00\x00\x00\x04n\x00\x00\x00\x04G\x00\x00\x00\t\x00\x00\x01\x00\x00"),
    c(b"d\x00\x00\x00\x07xx\nf\x00\x00\x00\x0cno more\x00S\x00\x00\x00\x04"),
    s(
        b'E\x00\x00\x00\x8cSERROR\x00VERROR\x00C22P02\x00Minvalid input syntax for type integer: "xx"\x00WCOPY t, '
        b'line 1, column a: "xx"\x00Fnumutils.c\x00L615\x00Rpg_strtoint32_safe\x00\x00Z\x00\x00\x00\x05I'
    ),
    c(
        b"P\x00\x00\x00\x10\x00select 1\x00\x00\x00B\x00\x00\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00"
        b"D\x00\x00\x00\x06P\x00E\x00\x00\x00\t\x00\x00\x00\x00\x00S\x00\x00\x00\x04"
    ),
    c(
        b"P\x00\x00\x00\x13\x00select nope\x00\x00\x00B\x00\x00\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00"
        b"D\x00\x00\x00\x06P\x00E\x00\x00\x00\t\x00\x00\x00\x00\x00S\x00\x00\x00\x04"
    ),
    s(
        b"1\x00\x00\x00\x042\x00\x00\x00\x04T\x00\x00\x00!\x00\x01?column?\x00\x00\x00\x00\x00\x00\x00"
        b"\x00\x00\x00\x17\x00\x04\xff\xff\xff\xff\x00\x00D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x011C\x00\x00\x00"
        b"\rSELECT 1\x00Z\x00\x00\x00\x05I"
    ),
    s(
        b'E\x00\x00\x00gSERROR\x00VERROR\x00C42703\x00Mcolumn "nope" does not exist\x00P8\x00'
        b"Fparse_relation.c\x00L3822\x00RerrorMissingColumn\x00\x00Z\x00\x00\x00\x05I"
    ),
    c(b"Q\x00\x00\x00!listen x; notify x; select 1\x00"),
]  # fmt: skip


def test_libpq_when_recorded_then_each_ready_finds_its_request():
    told = converse(PostgresExchange, LIBPQ)
    sent = [move.data for move in LIBPQ]
    assert told.client == [
        (1, WHOLE, sent[0]), (1, "", sent[2]), (2, WHOLE, sent[4]), (3, WHOLE, sent[5]), (4, WHOLE, sent[8]),
    ]  # fmt: skip
    assert told.server == [(1, WHOLE, sent[1] + sent[3]), (2, WHOLE, sent[6]), (3, WHOLE, sent[7])]


# asyncpg: a statement is described before it is bound, COPY data do not wait for the server's word.
ASYNCPG = [
    c(
        b"P\x00\x00\x00(__asyncpg_stmt_1__\x00select $1::int\x00\x00\x00D\x00\x00\x00\x18S__asyncpg_stmt_1__\x00"
        b"H\x00\x00\x00\x04"
    ),
    s(
        b"1\x00\x00\x00\x04t\x00\x00\x00\n\x00\x01\x00\x00\x00\x17T\x00\x00\x00\x1d\x00\x01int4\x00\x00\x00\x00\x00"
        b"\x00\x00\x00\x00\x00\x17\x00\x04\xff\xff\xff\xff\x00\x00"
    ),
    c(
        b"B\x00\x00\x00*\x00__asyncpg_stmt_1__\x00\x00\x01\x00\x01\x00\x01\x00\x00\x00\x04\x00\x00\x00\x07\x00"
        b"\x01\x00\x01E\x00\x00\x00\t\x00\x00\x00\x00\x00S\x00\x00\x00\x04"
    ),
    s(
        b"2\x00\x00\x00\x04D\x00\x00\x00\x0e\x00\x01\x00\x00\x00\x04\x00\x00\x00\x07C\x00\x00\x00\rSELECT 1\x00"
        b"Z\x00\x00\x00\x05I"
    ),
    s(b"A\x00\x00\x00\r\x00\x000\xc2ch\x00x\x00"),
    c(b'P\x00\x00\x003__asyncpg_stmt_3__\x00SELECT * FROM "u" LIMIT 1\x00\x00\x00H\x00\x00\x00\x04'),
    s(b"1\x00\x00\x00\x04"),
    c(
        b'Q\x00\x00\x00)COPY "u" FROM STDIN (FORMAT binary) \x00d\x00\x00\x00-PGCOPY\n\xff\r\n\x00\x00\x00'
        b"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x05\x00\x01\x00\x00\x00\x04\x00\x00"
        b"\x00\x06\xff\xffc\x00\x00\x00\x04"
    ),
    s(b"G\x00\x00\x00\t\x01\x00\x01\x00\x01C\x00\x00\x00\x0bCOPY 2\x00Z\x00\x00\x00\x05T"),
]  # fmt: skip


def test_asyncpg_when_recorded_then_what_one_ready_answers_is_one_request():
    told = converse(PostgresExchange, ASYNCPG)
    sent = [move.data for move in ASYNCPG]
    assert told.client == [
        (1, WHOLE, sent[0] + sent[2]), (2, WHOLE, sent[5] + sent[7][:42]), (2, "", sent[7][42:]),
    ]  # fmt: skip
    assert told.server == [
        (1, WHOLE, sent[1] + sent[3]), (0, "", sent[4]), (2, WHOLE, sent[6] + sent[8]),
    ]  # fmt: skip


BODIES = st.binary(max_size=12)
PARTS = st.tuples(st.sampled_from([b"P", b"B", b"D", b"E", b"C", b"H"]), BODIES)
BATCHES = st.tuples(st.lists(PARTS, max_size=4), st.sampled_from([b"S", b"Q", b"F"]), BODIES)
ANSWERS = st.lists(st.tuples(st.sampled_from([*b"TDCENA123ntIs"]), BODIES), max_size=5)


@given(
    st.lists(st.lists(st.tuples(BATCHES, ANSWERS), min_size=1, max_size=3), max_size=4),
    st.lists(st.integers(1, 40), min_size=1, max_size=9),
)
def test_requests_when_pipelined_and_split_at_random_then_each_answer_finds_its_request(
    bursts, sizes
):
    pairs = [
        [
            (
                b"".join(message(kind, body) for kind, body in [*parts, (end, last)]),
                b"".join(message(bytes([kind]), body) for kind, body in answer) + READY,
            )
            for (parts, end, last), answer in burst
        ]
        for burst in bursts
    ]
    moves = [
        move
        for burst in pairs
        for move in (c(b"".join(asked for asked, _ in burst)), s(b"".join(told for _, told in burst)))
    ]  # fmt: skip
    told = converse(PostgresExchange, moves, sizes)
    numbered = list(enumerate(itertools.chain.from_iterable(pairs), start=1))
    assert told.client == [(number, WHOLE, asked) for number, (asked, _) in numbered]
    assert told.server == [(number, WHOLE, answer) for number, (_, answer) in numbered]
