"""Request bytes: one request on the wire, whatever fills its placeholders."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.units import Duration
from harness.traffic.request import json_bytes, request_bytes

APP = Address("127.0.0.1", 8000)


class Parsed:
    """What a server's parser makes of the bytes; more than one request is an error."""

    def __init__(self, content: bytes) -> None:
        self.url, self.headers, self.body, self.complete = b"", {}, b"", 0
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(content)
        self.method = self._parser.get_method()
        assert self.complete == 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        assert name.lower() not in self.headers
        self.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1


def request(path: str = "/", content: bytes | None = None, **headers: Any) -> Parsed:
    return Parsed(request_bytes("POST", path, headers, content, address=APP))


def test_a_request_when_with_a_body_then_has_length_and_host() -> None:
    parsed = request("/a?b=c", b"{}", Authorization="Bearer x")
    assert (parsed.method, parsed.url, parsed.body) == (b"POST", b"/a?b=c", b"{}")
    assert parsed.headers[b"host"] == b"127.0.0.1:8000"
    assert parsed.headers[b"content-length"] == b"2"
    assert parsed.headers[b"connection"] == b"keep-alive"
    assert parsed.headers[b"authorization"] == b"Bearer x"


def test_a_request_when_without_a_body_then_says_its_length_only_where_one_is_usual() -> None:
    assert request().headers[b"content-length"] == b"0"
    bare = Parsed(request_bytes("GET", "/", {}, None, address=APP))
    assert b"content-length" not in bare.headers


def test_a_header_when_given_then_replaces_ours_once() -> None:
    assert request(Host="shop.example").headers[b"host"] == b"shop.example"


@pytest.mark.parametrize("bad", ["a\r\nX: 1", "a\nb", "a\rb", "a\0b"])
def test_a_header_when_it_would_end_its_line_then_is_refused(bad: str) -> None:
    with pytest.raises(UserError, match="line break"):
        request(Authorization=bad)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Content-Length", "is set by the harness"),
        ("transfer-encoding", "is set by the harness"),
        ("X Y", "no name of a header"),
        ("", "no name of a header"),
    ],
)
def test_a_header_when_not_to_be_set_then_is_refused(name: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        request_bytes("GET", "/", {name: "1"}, None, address=APP)


def test_a_path_when_it_does_not_begin_with_a_slash_then_is_refused() -> None:
    with pytest.raises(UserError, match="write /accounts"):
        request("accounts")


def test_a_method_when_it_is_none_then_is_refused() -> None:
    with pytest.raises(UserError, match="no HTTP method"):
        request_bytes("GET /x", "/", {}, None, address=APP)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_path_when_of_any_text_then_is_still_one_request(path: str) -> None:
    parsed = request("/" + path)
    assert parsed.url.startswith(b"/")
    assert b" " not in parsed.url


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_header_when_of_any_text_then_is_refused_or_is_one_header(value: str) -> None:
    try:
        content = request_bytes("GET", "/", {"X-Value": value}, None, address=APP)
    except UserError:
        return
    head = content.split(b"\r\n")
    assert len([line for line in head if line]) == 6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": Decimal("2.50")}, '{"a": 2.5}'),
        ([Decimal(3), Fraction(1, 2)], "[3, 0.5]"),
        ({"name": "Ödön"}, '{"name": "Ödön"}'),
        ([Duration.of_ms(40)], '["40ms"]'),
        (None, "null"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_json_when_written_then_numbers_are_numbers(value: Any, text: str) -> None:
    assert json_bytes(value).decode() == text
    json.loads(json_bytes(value))


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_json_when_it_cannot_be_written_then_says_so(value: Any) -> None:
    with pytest.raises(UserError, match="JSON body"):
        json_bytes(value)
