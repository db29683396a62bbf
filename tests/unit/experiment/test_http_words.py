"""The first line of a request and its headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from harness.experiment.http_words import Headers, HttpLine, Line, LineText


def taken(hint, value):
    return TypeAdapter(hint).validate_python(value)


@pytest.mark.parametrize(
    ("text", "method", "path"),
    [
        ("GET /healthz", "GET", "/healthz"),
        ("  POST   /a/{b}?c={d e}  ", "POST", "/a/{b}?c={d e}"),
        ("DELETE {path}", "DELETE", "{path}"),
        ("PUT /%20", "PUT", "/%20"),
    ],
)
def test_line_when_right_then_is_method_and_path(text, method, path):
    assert taken(Line, text) == HttpLine(method=method, path=path)
    assert taken(LineText, text) == f"{method} {path}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/healthz", "a method"),
        ("GET", "a method"),
        ("get /a", "not in capitals"),
        ("GET a", "does not begin with /"),
        ("GET https://127.0.0.1/", "https is not supported yet"),
        ("GET http://127.0.0.1/", "a method and a path"),
        ("GET /a b", "a space"),
        ("GET /é", "outside ASCII"),
        ("GET /a#b", "holds a #"),
        ("FETCH /a", "a method"),
        (3, "the number 3"),
    ],
)
def test_line_when_wrong_then_is_refused(text, says):
    with pytest.raises(ValidationError) as raised:
        taken(Line, text)
    context = raised.value.errors()[0]["ctx"]
    assert says in f"{context['found']} {context['expected']}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("X Y", "a"),
        ("", "a"),
        ("A", "b\r\nC: d"),
    ],
)
def test_header_when_it_would_break_the_request_then_is_refused(name, value):
    with pytest.raises(ValidationError):
        taken(Headers, {name: value})


def test_header_when_right_then_is_taken():
    assert taken(Headers, {"Authorization": "Bearer {token}"}) == {
        "Authorization": "Bearer {token}"
    }


@given(st.text())
def test_line_when_any_text_then_is_taken_or_refused(text):
    try:
        line = taken(Line, text)
    except ValidationError:
        return
    assert line.path[0] in "/{"
