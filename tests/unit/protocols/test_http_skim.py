"""Where heads and bodies end at a glance: the same as the strict reading, wherever that reads at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.exchange import MOST_KEPT
from harness.protocols.http_head import REQUEST, RESPONSE, request_framing, response_framing
from harness.protocols.http_skim import (
    UNTIL_CLOSE,
    Way,
    _strictly,
    head_end,
    request_body,
    request_line,
    response,
)
from harness.protocols.reading import Unreadable

LINES = [
    b"Host: a", b"X-A: b", b"Content-Length: 12", b"content-length:3", b"CONTENT-LENGTH: \t7 ",
    b"Content-Length: 3, 3", b"Content-Length: -1", b"Content-Length: 1_0", b"Content-Length:",
    b"Content-Length: " + b"9" * 18, b"Content-Length: " + b"9" * 19, b"Content-Length : 3",
    b"X-Content-Length: 3", b"Accept: content-length", b"Transfer-Encoding: chunked",
    b"transfer-encoding:  Chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: chunked, gzip", b"X: transfer-encoding", b" folded: content-length",
]  # fmt: skip
STARTS = [b"POST / HTTP/1.1", b"GET /http/1.1 HTTP/1.0", b"HEAD /content-length HTTP/1.1"]


def outcome(read):
    try:
        return read()
    except Unreadable:
        return "unreadable"


@given(st.sampled_from(STARTS), st.lists(st.sampled_from(LINES), max_size=3))
def test_request_when_its_head_is_read_at_a_glance_then_its_body_ends_where_it_does_strictly(
    start, lines
):
    head = b"".join(line + b"\r\n" for line in (start, *lines))
    strictly = outcome(lambda: request_framing(_strictly(head, REQUEST)))
    assert outcome(lambda: request_body(head, head.lower())) == strictly


@given(
    st.sampled_from([b"HTTP/1.1 ", b"HTTP/1.0 "]),
    st.sampled_from([100, 101, 200, 204, 304, 500]),
    st.lists(st.sampled_from(LINES), max_size=3),
)
def test_response_when_its_head_is_read_at_a_glance_then_its_body_ends_where_it_does_strictly(
    version, status, lines
):
    start = version + b"%d OK" % status
    head = b"".join(line + b"\r\n" for line in (start, *lines))
    strictly = outcome(lambda: (status, response_framing(_strictly(head, RESPONSE), b"GET")))
    found = outcome(lambda: response(head))
    # Interim ones and upgrades have no body; who asks looks at the status first.
    assert found == strictly or (status < 200 and found[0] == status and strictly != "unreadable")


@pytest.mark.parametrize(
    "line", [b"", b"HTTP/1.1 2000", b"HTTP/2 200 OK", b"HTTP/1.1 200OK", b"GET / HTTP/1.1"]
)
def test_status_line_when_it_is_none_then_is_unreadable(line):
    with pytest.raises(Unreadable):
        response(line + b"\r\nA: b\r\n")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"GET /a?b=c HTTP/1.1", ("GET", b"/a?b=c")),
        (b"OPTIONS * HTTP/1.0", ("OPTIONS", b"*")),
        (b"M-SEARCH * HTTP/1.1", ("M-SEARCH", b"*")),
        (b"CONNECT a:1 HTTP/1.1", ("CONNECT", b"a:1")),
        (b"GET / HTTP/1.2", None), (b"GET  HTTP/1.1", None), (b"GET / / HTTP/1.1", None),
        (b"get / HTTP/1.1", None), (b"GET /", None), (b"", None), (b"GET /\r HTTP/1.1", None),
    ],
)  # fmt: skip
def test_request_line_when_read_then_is_method_and_target_or_unreadable(line, found):
    read = outcome(lambda: request_line(line + b"\r\nHost: a\r\n"))
    assert read == (found or "unreadable")


def test_head_when_whole_then_its_end_is_behind_the_blank_line():
    data = b"xxGET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n"
    assert data[: head_end(data, 2)].endswith(b"b\r\n\r\n")
    assert head_end(data[: data.index(b"body") - 1], 2) == 0
    assert head_end(data, data.index(b"body")) == len(data)


@pytest.mark.parametrize("odd", [b"A: b\n\nGET /", b"A: b\n\r\nGET /", b"A" * MOST_KEPT])
def test_head_when_some_would_see_its_end_elsewhere_then_is_unreadable(odd):
    with pytest.raises(Unreadable):
        head_end(b"GET / HTTP/1.1\r\n" + odd + b"\r\n\r\n", 0)


BODIES = {
    b"0\r\n\r\n": "whole",
    b"3\r\nabc\r\n0\r\n\r\n": "whole",
    b"a ;x=y\r\n\r\n\r\n0\r\n\r\n_\r\n0\r\nA: b\r\nC: d\r\n\r\n": "whole",
    b"3\r\nabc\r\n0\r\nA: b\r\n": "open",
    b"3\r\nab": "open",
    b"\r\n": "unreadable",
    b"0x3\r\nabc\r\n": "unreadable",
    b"3\nabc": "unreadable",
    b"3\r\nabcd\r\n": "unreadable",
    b"0\r\nA: b\n": "unreadable",
    b"1" * MOST_KEPT: "unreadable",
}


@pytest.mark.parametrize("size", [1, 2, 7, 10**6])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_chunked_body_when_split_then_ends_at_the_same_byte(body, size):
    way, rest = Way(), b"" if BODIES[body] != "whole" else b"HTTP"
    way.expect("chunked")
    data = body + rest
    try:
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            read = way.read_body(piece, 0)
            if not way.left:
                assert (BODIES[body], at + read) == ("whole", len(body))
                return
            assert read == len(piece)
    except Unreadable:
        assert BODIES[body] == "unreadable"
        return
    assert BODIES[body] == "open"


def test_body_when_counted_or_endless_then_goes_so_far():
    way = Way()
    way.expect(5)
    assert (way.read_body(b"abc", 0), way.left) == (3, 2)
    assert (way.read_body(b"xabcd", 1), way.left) == (3, 0)
    way.expect("until close")
    assert (way.read_body(b"abc", 1), way.left) == (3, UNTIL_CLOSE)


@pytest.mark.parametrize(
    ("beginning", "start", "may_be"),
    [
        (b"", REQUEST, True), (b"G", REQUEST, True), (b"GET /a b", REQUEST, True), (b"\r", REQUEST, True),
        (b"GET / HTTP/1.1\r\nA", REQUEST, True), (b"g", REQUEST, False), (b"G\r", REQUEST, False),
        (b"GET /\r\n", REQUEST, False), (b"GET / HTTP/1.1\nA", REQUEST, False), (b"\rG", REQUEST, False),
        (b"GET / HTTP/1.1\r\nA: b\nC", REQUEST, False), (b"A" * 40, REQUEST, False),
        (b"H", RESPONSE, True), (b"HTTP/1.1 2", RESPONSE, True), (b"HTTP/1.1 200 OK\r\nA", RESPONSE, True),
        (b"HTTP/2", RESPONSE, False), (b"HELLO", RESPONSE, False), (b"HTTP/1.1 2\r\n", RESPONSE, False),
    ],
)  # fmt: skip
def test_beginning_when_no_head_can_come_of_it_then_is_unreadable_at_once(beginning, start, may_be):
    way = Way()
    if may_be:
        way.keep(beginning, start)
        assert way.kept == beginning
    else:
        with pytest.raises(Unreadable):
            way.keep(beginning, start)
