"""Heads and framing by RFC 9112; what is doubtful is not read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.exchange import MOST_KEPT, Head
from harness.protocols.http_head import (
    REQUEST,
    RESPONSE,
    read_body,
    read_head,
    request_framing,
    response_framing,
)
from harness.protocols.reading import END, Begin, Reading, Take, Unreadable


def head_of(data, start=REQUEST):
    """The head that ``data`` is, or None."""
    found = []

    def grammar():
        found.append((yield from read_head(start)))
        yield Begin(1)
        yield Take(1)

    read = Reading(grammar())
    for at in range(len(data)):
        read.feed(data[at : at + 1])
    assert bool(found) != read.over, f"neither whole nor wrong: {data!r}"
    return found[0] if found else None


def body_of(data, framing):
    """How many bytes of ``data`` are the body; None if it is unreadable or goes on."""

    def grammar():
        yield Begin(1)
        yield from read_body(framing)
        yield END

    parts = Reading(grammar()).feed(data)
    return len(parts[0].data) if parts and parts[0].last else None


def test_head_when_whole_then_has_lower_case_names_and_stripped_values():
    data = b"PUT /a?b HTTP/1.0\r\nX-A: 1\r\nAccept:\t text/x \t\r\nx-a:\r\nC:d:e\r\n\r\n"
    head = head_of(data)
    assert head.start == b"PUT /a?b HTTP/1.0"
    assert head.headers == ((b"x-a", b"1"), (b"accept", b"text/x"), (b"x-a", b""), (b"c", b"d:e"))
    assert head.size == len(data)


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1", b"OPTIONS * HTTP/1.0", b"M-SEARCH * HTTP/1.1", b"CONNECT a:1 HTTP/1.1",
        b"GET http://a/b?c=%20#\xc3\xa9 HTTP/1.1", b"VERSION-CONTROL_2 / HTTP/1.1",
    ],
)  # fmt: skip
def test_request_line_when_of_http_1_then_is_read(line):
    assert head_of(line + b"\r\n\r\n").start == line


@pytest.mark.parametrize(
    "line",
    [
        b"get / HTTP/1.1", b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET  / HTTP/1.1", b"GET /",
        b"GET / HTTP/1.1 ", b" GET / HTTP/1.1", b"GET /a b HTTP/1.1", b"GET /\r HTTP/1.1", b"",
        b"GET", b"GET HTTP/1.1", b"HTTP/1.1 200 OK", b"A" * 32 + b" / HTTP/1.1", b"GET /\x00 HTTP/1.1",
    ],
)  # fmt: skip
def test_request_line_when_of_something_else_then_is_not(line):
    assert head_of(line + b"\r\n\r\n") is None


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.0 404 ", b"HTTP/1.1 599", b"HTTP/1.1 200 \xe9"])  # fmt: skip
def test_status_line_when_of_http_1_then_is_read(line):
    assert head_of(line + b"\r\n\r\n", RESPONSE).start == line


@pytest.mark.parametrize(
    "line",
    [b"HTTP/2 200", b"HTTP/1.1  200", b"HTTP/1.1 099 A", b"HTTP/1.1 20", b"HTTP/1.1 2000", b"ICY 200 OK",
     b"HTTP/1.1 200OK", b"HTTP/1.1", b"http/1.1 200 OK", b"HTTP/1.1 200 a\rb", b""],
)  # fmt: skip
def test_status_line_when_of_something_else_then_is_not(line):
    assert head_of(line + b"\r\n\r\n", RESPONSE) is None


@pytest.mark.parametrize(
    "field",
    [b"a : b", b" a: b", b"\ta: b", b": b", b"a", b"a\x00: b", b"a: b\x00", b"a: b\rc", b"a(: b", b"\xe4: b"],
)  # fmt: skip
def test_header_when_malformed_then_the_head_is_not_read(field):
    assert head_of(b"GET / HTTP/1.1\r\nA: b\r\n" + field + b"\r\n\r\n") is None


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\n\n", b"GET / HTTP/1.1\r\nA: b\n\r\n", b"GET / HTTP/1.1\r\n\n"]
)
def test_line_when_it_ends_with_a_bare_lf_then_the_head_is_not_read(data):
    assert head_of(data) is None


@pytest.mark.parametrize(("size", "read"), [(MOST_KEPT, True), (MOST_KEPT + 1, False)])
def test_head_when_longer_than_64_kib_then_is_not_read(size, read):
    begun = b"GET / HTTP/1.1\r\nA: b\r\nC: "
    data = begun + b"x" * (size - len(begun) - 4) + b"\r\n\r\n"
    assert len(data) == size
    head = head_of(data)
    assert (head.size if head else None) == (size if read else None)


@pytest.mark.parametrize("data", [b"\x16\x03\x01", b"hello", b"*1\r", b"PING\r", b"220 ", b"GET/"])
def test_request_when_its_first_bytes_are_of_another_protocol_then_is_not_waited_for(data):
    assert head_of(data) is None


@pytest.mark.parametrize("data", [b"2", b"HTTP/2", b"HTTX", b"\x00", b"HTTP/1,"])
def test_response_when_its_first_bytes_are_of_another_protocol_then_is_not_waited_for(data):
    assert head_of(data, RESPONSE) is None


def head(start, *headers):
    return Head(start, headers, 0)


def length(value):
    return b"content-length", value


def coding(value):
    return b"transfer-encoding", value


GET = b"GET / HTTP/1.1"
OK = b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("headers", "framing"),
    [
        ([], 0),
        ([length(b"0")], 0),
        ([length(b"00012")], 12),
        ([length(b"7, 7"), length(b"7")], 7),
        ([coding(b"chunked")], "chunked"),
        ([coding(b"gzip, Chunked")], "chunked"),
        ([coding(b"gzip"), coding(b"chunked")], "chunked"),
    ],
)
def test_request_when_its_headers_tell_then_ends_there(headers, framing):
    assert request_framing(head(GET, *headers)) == framing


@pytest.mark.parametrize(
    "headers",
    [
        [length(b"1"), coding(b"chunked")],
        [length(b"1"), length(b"2")],
        [length(b"")], [length(b"-1")], [length(b"+1")], [length(b"1_0")], [length(b"0x1")],
        [length(b"1,")], [length(b"1 2")], [length(b"9" * 19)],
        [coding(b"gzip")], [coding(b"chunked, gzip")], [coding(b"chunked, chunked")], [coding(b"")],
        [coding(b"chunked"), coding(b"chunked")], [coding(b"xchunked")],
    ],
)  # fmt: skip
def test_request_when_its_headers_contradict_or_do_not_tell_then_is_not_read(headers):
    with pytest.raises(Unreadable):
        request_framing(head(GET, *headers))


def test_message_of_http_1_0_when_it_has_a_coding_then_is_not_read():
    with pytest.raises(Unreadable):
        request_framing(head(b"GET / HTTP/1.0", coding(b"chunked")))
    with pytest.raises(Unreadable):
        response_framing(head(b"HTTP/1.0 200 OK", coding(b"chunked")), b"GET")


@pytest.mark.parametrize(
    ("method", "start", "headers", "framing"),
    [
        (b"GET", OK, [length(b"5")], 5),
        (b"GET", OK, [], "until close"),
        (b"GET", OK, [coding(b"gzip")], "until close"),
        (b"GET", OK, [coding(b"chunked")], "chunked"),
        (b"HEAD", OK, [length(b"5")], 0),
        (b"HEAD", OK, [coding(b"chunked")], 0),
        (b"HEAD", OK, [], 0),
        (b"GET", b"HTTP/1.1 204 No Content", [], 0),
        (b"GET", b"HTTP/1.1 304 Not Modified", [length(b"5")], 0),
        (b"GET", b"HTTP/1.1 103 Early Hints", [], 0),
        (b"GET", b"HTTP/1.1 101 Switching Protocols", [], 0),
        (b"CONNECT", OK, [length(b"5")], 0),
        (b"CONNECT", b"HTTP/1.1 407 No", [length(b"5")], 5),
        (b"POST", b"HTTP/1.1 205 Reset", [length(b"0")], 0),
    ],
)
def test_response_when_its_headers_and_request_tell_then_ends_there(
    method, start, headers, framing
):
    assert response_framing(head(start, *headers), method) == framing


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"CONNECT"])
def test_response_when_its_headers_contradict_then_is_not_read(method):
    with pytest.raises(Unreadable):
        response_framing(head(OK, length(b"1"), coding(b"chunked")), method)
    with pytest.raises(Unreadable):
        response_framing(head(OK, coding(b"chunked, gzip")), method)


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        (b"0\r\n\r\n", b"rest"),
        (b"3\r\nabc\r\n0\r\n\r\n", b"0\r\n\r\n"),
        (b"A ;x=y\r\n0123456789\r\n000\r\n\r\n", b""),
        (b'1;a="b"\r\nx\r\n0;c\r\nTrailer: 1\r\nB: 2\r\n\r\n', b"GET"),
        (b"000000000000001\r\nx\r\n0\r\n\r\n", b""),
    ],
)
def test_chunks_when_the_last_has_come_then_the_body_ends(body, rest):
    assert body_of(body + rest, "chunked") == len(body)


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n", b"x\r\n", b"-1\r\n", b"0x1\r\na\r\n0\r\n\r\n", b"1\na\r\n0\r\n\r\n", b"1\r\nab\r\n0\r\n\r\n",
        b"1\r\na\n0\r\n\r\n", b"1\r\na\n\r0\r\n\r\n", b"1\r\naxx0\r\n\r\n",
        b"0\r\nTrailer\r\n\r\n", b"0\r\n \r\n", b" 1\r\na\r\n0\r\n\r\n",
        b"0000000000000001\r\na\r\n0\r\n\r\n", b"1;\x00\r\na\r\n0\r\n\r\n", b"1 2\r\na\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_chunks_when_malformed_then_are_not_read(body):
    assert body_of(body, "chunked") is None


def test_body_when_it_lasts_as_long_as_the_connection_then_never_ends():
    assert body_of(b"x" * 1000, "until close") is None


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.binary(max_size=9))
def test_chunks_when_made_from_any_bytes_then_are_read_to_their_end(chunks, rest):
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert body_of(body + rest, "chunked") == len(body)
