"""Answers from bytes: whole and byte by byte alike, and never more than one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traffic import response as response_module
from harness.traffic.response import MOST_HEADER, TOO_MANY_HEADERS, ResponseReader

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


def read(*parts: bytes, end: bool = False, method: str = "GET") -> ResponseReader:
    reader = ResponseReader(method=method)
    for part in parts:
        reader.feed(part)
    if end:
        reader.feed_end()
    return reader


@pytest.mark.parametrize(
    ("content", "status", "body"),
    [
        pytest.param(OK, 200, b"ok", id="length"),
        pytest.param(CHUNKED, 201, b"ok", id="chunked"),
        pytest.param(CLOSE, 200, b"ok", id="to-the-end"),
        pytest.param(CONTINUE + OK, 200, b"ok", id="after-continue"),
        pytest.param(EMPTY, 204, b"", id="no-content"),
    ],
)
@given(data=st.data())
def test_an_answer_when_split_anywhere_then_is_the_same(
    content: bytes, status: int, body: bytes, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    edges = [0, *cuts, len(content)]
    parts = [content[a:b] for a, b in pairwise(edges)]
    for reader in (
        read(*parts, end=True),
        read(*(content[i : i + 1] for i in range(len(content))), end=True),
    ):
        assert (reader.complete, reader.broken) == (True, None)
        assert (reader.status, reader.body) == (status, body)


def test_headers_when_sent_twice_then_joined_and_found_in_any_spelling() -> None:
    headers = read(OK).headers
    assert headers["X-a"] == "1, 2"
    assert "X-A" in headers
    assert headers.get("X-A") == "1, 2"
    assert headers.get("X-B") is None
    with pytest.raises(KeyError):
        headers["X-B"]


@given(st.integers(0, len(OK) - 1))
def test_an_answer_when_cut_then_is_never_complete(at: int) -> None:
    reader = read(OK[:at], end=True)
    assert not reader.complete
    assert reader.broken in (response_module.CLOSED, response_module.CUT)


@pytest.mark.parametrize(
    "second", [OK, b"x", EMPTY, CONTINUE], ids=["same", "junk", "empty", "100"]
)
@pytest.mark.parametrize("apart", [True, False], ids=["apart", "in-one"])
@pytest.mark.parametrize("first", [OK, CHUNKED, EMPTY], ids=["length", "chunked", "empty"])
def test_an_answer_when_a_second_one_follows_then_is_broken(
    first: bytes, second: bytes, apart: bool
) -> None:
    reader = read(first, second) if apart else read(first + second)
    assert reader.broken == response_module.TWICE


def test_an_answer_when_to_head_then_has_no_body_though_it_has_a_length() -> None:
    reader = read(OK[:-2], method="HEAD")
    assert (reader.complete, reader.broken, reader.body) == (True, None, b"")


@pytest.mark.parametrize(
    "junk", [b"SSH-2.0\r\n", b"\0\0\0", b"HTTP/9 x\r\n", b"GET / HTTP/1.1\r\n"]
)
def test_bytes_when_no_http_then_broken(junk: bytes) -> None:
    assert read(junk).broken == response_module.NOT_HTTP


def test_a_body_when_too_large_then_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_module, "MOST_BODY", 1)
    assert read(OK).broken == response_module.TOO_LARGE


def test_keep_alive_when_the_server_closes_then_false() -> None:
    assert read(OK).keep_alive
    assert not read(CLOSE, end=True).keep_alive


@given(st.binary())
def test_any_bytes_when_read_then_nothing_raises(content: bytes) -> None:
    reader = read(content, end=True)
    assert reader.complete or reader.broken


@pytest.mark.parametrize("name", ["X-Same", "X-{}"], ids=["the same", "many"])
def test_headers_when_they_never_end_then_the_answer_is_broken_before_memory_is(name):
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 200 OK\r\n")
    fed = 0
    while reader.broken is None and fed < 4 * MOST_HEADER:
        line = f"{name.format(fed)}: {'x' * 1000}\r\n".encode()
        reader.feed(line)
        fed += len(line)
    assert reader.broken == TOO_MANY_HEADERS
    assert fed < 2 * MOST_HEADER
