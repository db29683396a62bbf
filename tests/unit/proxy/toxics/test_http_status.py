"""HTTP status: what client and server see of it, pipelined, split and interrupted as one likes."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.protocols.http_exchange import HttpExchange
from harness.proxy.toxic import Trace
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.http_status import HttpStatus
from harness.proxy.wire import WireProblem, completed
from tests.support.between import Between

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"


def values(**given):
    made = completed(HttpStatus.wire, given)
    HttpStatus.check(made)
    return made


def between(hit=None, **given):
    return Between(HttpStatus(values(**given), Random(1), {}), HttpExchange(), hit=hit)


def test_request_when_hit_then_is_answered_here_and_the_next_one_passes():
    line = between(hit={1})
    line.client(GET)
    assert (line.to_client, line.to_server, line.injected) == (OWN, b"", [1])
    line.client(GET)
    line.server(OK)
    assert (line.to_client, line.to_server, line.injected) == (OWN + OK, GET, [1])
    assert not line.over


def test_answer_when_told_what_to_say_then_says_it():
    line = between(status=429, body="slow döwn", content_type="text/html", retry_after=3)
    line.client(GET)
    assert line.to_client == (
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/html\r\nContent-Length: 10\r\n"
        b"Retry-After: 3\r\n\r\nslow d\xc3\xb6wn"
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (204, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (205, b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"),
        (304, b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        (599, b"HTTP/1.1 599 Unknown\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_answer_when_its_status_is_special_then_is_http_all_the_same(status, expected):
    line = between(status=status, content_type="")
    line.client(GET)
    assert line.to_client == expected


def test_answer_when_to_head_then_has_no_body_but_its_length():
    line = between(body="abc")
    line.client(HEAD)
    assert line.to_client.endswith(b"Content-Length: 3\r\n\r\n")


@pytest.mark.parametrize("request_bytes", [POST, CHUNKED])
def test_request_when_it_has_a_body_then_is_read_to_its_end_first(request_bytes):
    line = between(hit={1})
    for byte in request_bytes[:-1]:
        line.client(bytes([byte]))
    assert line.to_client == b""
    line.client(request_bytes[-1:])
    line.client(GET)
    assert (line.to_client, line.to_server) == (OWN, GET)


def test_answer_when_earlier_requests_are_open_then_waits_for_theirs():
    line = between(hit={2, 3})
    line.client(GET + GET + POST + GET)
    assert (line.to_client, line.to_server) == (b"", GET + GET)
    line.server(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    line.server(OK[:-1])
    assert line.to_client.endswith(OK[:-1])
    line.server(OK[-1:] + OK)
    assert line.to_client.endswith(OK + OWN + OWN + OK)
    assert line.seat.held == 0


@pytest.mark.parametrize(
    ("request_bytes", "said"),
    [
        (b"GET / HTTP/1.1\r\nConnection: Upgrade, Close\r\n\r\n", b"Connection: close\r\n"),
        (b"GET / HTTP/1.0\r\n\r\n", b"Connection: close\r\n"),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", b"Connection: keep-alive\r\n"),
    ],
)
def test_answer_when_the_client_says_how_it_goes_on_then_does_so(request_bytes, said):
    line = between()
    line.client(request_bytes)
    assert said in line.to_client
    assert line.client_ended == ("end" if b"close" in said else None)


def test_answer_when_it_waited_and_closes_then_nothing_comes_behind_it():
    line = between(hit={2})
    line.client(GET + b"GET / HTTP/1.0\r\n\r\n" + GET)
    line.server(OK + OK)
    assert line.to_client.startswith(OK)
    assert line.to_client.endswith(b"Connection: close\r\n\r\n")
    assert line.client_ended == "end"


EXPECTING = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"


def test_request_when_its_body_waits_for_a_100_then_is_answered_at_once_and_closed():
    line = between(status=413)
    line.client(EXPECTING)
    assert line.to_client.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close\r\n" in line.to_client
    assert (line.client_ended, line.to_server) == ("end", b"")


def test_request_when_its_body_comes_without_waiting_then_is_read_like_any_other():
    line = between()
    line.client(EXPECTING + b"he", b"llo", GET)
    assert (line.to_client, line.over) == (OWN + OWN, False)


def test_request_when_it_waits_for_a_100_behind_another_then_its_body_is_dropped():
    line = between(hit={2})
    line.client(GET, EXPECTING, b"hello")
    assert (line.to_client, line.to_server) == (b"", GET)
    line.server(OK)
    assert line.to_client.startswith(OK + b"HTTP/1.1 503 ")
    assert (line.client_ended, line.to_server) == ("end", GET)


def test_forward_when_the_server_answers_then_it_saw_the_request_and_ours_is_in_its_place():
    line = between(hit={1}, forward=True)
    line.client(POST, GET)
    assert (line.to_server, line.to_client, line.injected) == (POST + GET, b"", [])
    line.server(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert line.to_client == b""
    for byte in OK:
        line.server(bytes([byte]))
    assert (line.to_client, line.injected) == (OWN, [1])
    line.server(OK)
    assert line.to_client == OWN + OK


def test_forward_when_the_client_waits_for_a_100_then_gets_it():
    line = between(forward=True)
    line.client(EXPECTING)
    line.server(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert line.to_client == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.client(b"hello")
    line.server(OK)
    assert line.to_client == b"HTTP/1.1 100 Continue\r\n\r\n" + OWN
    assert line.to_server == EXPECTING + b"hello"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nto the end",
    ],
)
def test_forward_when_the_server_will_close_then_ours_says_so(answer):
    line = between(forward=True)
    line.client(GET)
    line.server(answer)
    line.server_ends()
    assert line.to_client == OWN[:-2] + b"Connection: close\r\n\r\n"
    assert line.client_ended == "eof"


def test_forward_when_the_server_changes_the_protocol_then_the_connection_ends():
    line = between(forward=True)
    line.client(b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    line.server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nsomething else")
    assert b"Connection: close\r\n" in line.to_client
    assert (line.client_ended, b"else" in line.to_client) == ("end", False)


def test_forward_when_changed_between_then_each_request_keeps_what_it_began_with():
    line = between(forward=True)
    line.client(GET, POST[:-2])
    line.update(**values(forward=False, status=500))
    line.client(POST[-2:], GET)
    assert (line.to_server, line.to_client) == (GET + POST, b"")
    line.server(OK, OK)
    assert line.to_client.count(b"HTTP/1.1 500 ") == 3


def test_removal_when_nothing_is_underway_then_connection_goes_on():
    line = between(hit={1})
    line.client(GET, GET)
    line.remove()
    line.server(OK)
    assert (line.to_client, line.over) == (OWN + OK, False)


@pytest.mark.parametrize("sent", [POST[:-1], EXPECTING, GET])
def test_removal_when_a_request_is_swallowed_but_not_answered_then_the_connection_ends(sent):
    line = between(hit={2})
    line.client(GET, sent)
    line.remove()
    assert line.client_ended == "end"


def test_removal_when_an_answer_is_half_replaced_then_the_connection_ends():
    line = between(forward=True)
    line.client(GET)
    line.server(OK[:-1])
    line.remove()
    assert (line.to_client, line.client_ended) == (OWN, "end")


def test_stream_when_it_is_not_http_then_passes_untouched_and_is_told_as_skipped():
    line = between()
    line.client(b"\x16\x03\x01 hello")
    line.server(b"\x16\x03\x03 hi")
    line.client_ends()
    line.server_ends()
    assert (line.to_server, line.to_client) == (b"\x16\x03\x01 hello", b"\x16\x03\x03 hi")
    assert (line.skipped, line.server_ended, line.client_ended) == (1, "eof", "eof")


def test_stream_when_it_turns_unreadable_before_an_answer_that_waits_then_ends():
    line = between(hit={2})
    line.client(GET + GET)
    line.server(b"no HTTP at all")
    assert (line.to_client, line.client_ended) == (b"no HTTP at all", "end")


def test_end_when_either_side_sends_it_then_passes():
    line = between(hit={2})
    line.client(GET)
    line.client_ends()
    line.server(OK)
    line.server_ends()
    assert (line.server_ended, line.client_ended, line.to_client) == ("eof", "eof", OK)


REQUESTS = (GET, HEAD, POST, CHUNKED)


@given(
    kinds=st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=6),
    hit=st.sets(st.integers(1, 6)),
    forward=st.booleans(),
    moves=st.lists(st.tuples(st.booleans(), st.integers(1, 70)), max_size=60),
)
def test_answers_when_pipelined_and_split_anyhow_then_each_request_has_its_own_in_order(
    kinds, hit, forward, moves
):
    line = between(hit=hit, forward=forward, body="no")
    numbered = list(enumerate(kinds, start=1))
    seen = [kind for number, kind in numbered if forward or number not in hit]
    answers = [OK[:-2] if kind is HEAD else OK for kind in seen]
    expected = b"".join(
        (OK if number not in hit else OWN.replace(b": 0", b": 2") + b"no")[
            : -2 if kind is HEAD else None
        ]
        for number, kind in numbered
    )
    stream, said = b"".join(kinds), b""
    for client_moves, size in [*moves, *[(True, 10_000), (False, 10_000)] * 2]:
        if client_moves and stream:
            line.client(stream[:size])
            stream = stream[size:]
        elif not client_moves:
            # The server answers what it has seen whole.
            whole = sum(
                len(line.to_server) >= sum(map(len, seen[: n + 1])) for n in range(len(seen))
            )
            ready = b"".join(answers[:whole])[len(said) :]
            if ready:
                line.server(ready[:size])
                said += ready[:size]
        assert expected.startswith(line.to_client)
    assert line.to_server == b"".join(seen)
    assert line.to_client == expected


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        ({"status": 199}, "status: 199 is out of range"),
        ({"status": 600}, "status: 600 is out of range"),
        ({"status": 204, "body": "x"}, "body: an answer with status 204 has none"),
        ({"body": "\ud800"}, "body: holds half"),
        ({"content_type": "a\r\nX: b"}, "content_type: "),
        ({"content_type": "ü"}, "content_type: "),
        ({"retry_after": -1}, "retry_after: -1 is out of range"),
    ],
)
def test_values_when_they_make_no_answer_then_are_refused_by_name(given_values, message):
    with pytest.raises(WireProblem, match=f"^{message}"):
        values(**given_values)


def test_attributes_when_shown_then_retry_after_only_if_it_was_given():
    shown = {"status": 503, "body": "", "content_type": "text/plain"}
    assert values() == shown | {"forward": False}
    assert list(values(retry_after=1)) == [*shown, "retry_after", "forward"]


def test_params_when_said_for_the_wire_then_have_whole_seconds():
    assert HttpStatus.attributes(HttpStatus.Params()) == values()
    given_params = to_params(HttpStatus.Params, {"status": 500, "retry_after": "2s"})
    assert HttpStatus.attributes(given_params) == values(status=500, retry_after=2)


@pytest.mark.parametrize(
    ("given_params", "message"),
    [
        ({"status": 99}, "^status: 99 is out of range, use 200 to 599.$"),
        ({"retry_after": "1500ms"}, "^retry_after: .* Write 1s or 2s.$"),
        ({"retry_after": "10ms"}, "^retry_after: .* Write 1s.$"),
        ({"retry_after": "-1s"}, "^retry_after: -1s is out of range"),
        ({"status": 304, "body": "x"}, "^body: "),
    ],
)
def test_params_when_they_cannot_be_said_then_the_user_is_told(given_params, message):
    with pytest.raises(UserError, match=message):
        HttpStatus.attributes(to_params(HttpStatus.Params, given_params))


def test_kind_when_described_then_says_what_the_wire_shows():
    params = to_params(HttpStatus.Params, {"retry_after": "1s"})
    assert HttpStatus.trace(params) == Trace(effect="answer")
    assert HttpStatus.words(params) == "503 on requests (Retry-After 1 s)"
    assert HttpStatus.words(HttpStatus.Params(status=500)) == "500 on requests"
    assert TOXICS["http_status"] is HttpStatus
