"""What a codec gives: heads that can be asked, parts that say little by default."""

import pytest

from harness.protocols.exchange import NO_REQUEST, Head, Part

HEAD = Head(
    b"GET / HTTP/1.1",
    ((b"accept", b"text/html"), (b"x-request-id", b"7"), (b"accept", b"caf\xe9")),
    64,
)


def test_values_when_a_header_is_repeated_then_are_all_of_them_in_order():
    assert HEAD.values("Accept") == ["text/html", "café"]
    assert HEAD.values("X-REQUEST-ID") == ["7"]


@pytest.mark.parametrize("name", ["", "x", "x-request-id ", "größe", "名前", "???"])
def test_values_when_there_is_no_such_header_then_none(name):
    assert HEAD.values(name) == []


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"HTTP/1.1 200 OK", 200),
        (b"HTTP/1.0 404", 404),
        (b"HTTP/1.1 103 Early Hints", 103),
        (b"GET /HTTP/1.1/200 HTTP/1.1", None),
    ],
)
def test_status_when_the_head_is_of_a_response_then_is_its_number(start, status):
    assert Head(start, (), 0).status == status


@pytest.mark.parametrize(
    ("start", "interim"),
    [
        (b"HTTP/1.1 100 Continue", True),
        (b"HTTP/1.1 103 Early Hints", True),
        (b"HTTP/1.1 101 Switching Protocols", False),
        (b"HTTP/1.1 200 OK", False),
        (b"GET / HTTP/1.1", False),
    ],
)
def test_interim_when_another_response_follows_then_is_true(start, interim):
    assert Head(start, (), 0).interim is interim


def test_part_when_nothing_else_is_said_then_is_of_the_middle_of_a_message():
    part = Part(b"x", NO_REQUEST)
    assert (part.first, part.last, part.head) == (False, False, None)
