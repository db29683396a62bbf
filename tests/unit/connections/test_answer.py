"""Answers as expressions see them: rules, captures and probes alike."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.connections.answer import Headers, NotJson, Seen, start_of
from harness.expressions.evaluate import evaluate
from harness.expressions.parse import parse
from harness.model.units import Duration


def seen(body: bytes = b'{"price": 0.10}', **headers: str) -> Seen:
    kept = Headers()
    for name, value in headers.items():
        kept.append(name.replace("_", "-"), value)
    return Seen(status=200, headers=kept, body=body, elapsed=Duration.of_ms(2))


def test_values_when_asked_for_then_numbers_keep_their_digits() -> None:
    values = seen()
    assert values["json"] == {"price": Decimal("0.10")}
    assert values["status"] == 200
    assert values["body"] == '{"price": 0.10}'
    assert values["elapsed"] == Duration.of_ms(2)
    assert set(values) == {"status", "headers", "body", "elapsed", "json"}
    assert "cookies" not in values


@pytest.mark.parametrize("body", [b"no json", b"", b"\xff", b"[" * 100_000])
def test_json_when_the_body_is_none_then_says_so_only_if_asked(body: bytes) -> None:
    values = seen(body)
    assert values["status"] == 200
    with pytest.raises(NotJson, match="the body of the answer is not JSON"):
        values["json"]


def test_json_when_a_guard_stands_before_it_then_the_guard_decides() -> None:
    assert evaluate(parse("status == 200 or json.ok"), seen(b"<html>")) is True


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_a_header_when_spelt_in_any_way_then_is_found(name: str) -> None:
    values = seen(Content_Type="text/plain")
    assert evaluate(parse(f"headers['{name}'] == 'text/plain'"), values) is True
    assert evaluate(parse(f"'{name}' in headers"), values) is True


def test_a_header_when_sent_twice_then_is_joined() -> None:
    headers = Headers()
    headers.append("X-Twice", "1")
    headers.append("x-twice", "2")
    assert headers["X-TWICE"] == headers.get("x-Twice") == "1, 2"
    assert headers.get("none") is None
    with pytest.raises(KeyError):
        headers["none"]


@given(st.binary(max_size=2_000))
def test_the_start_of_a_body_when_shown_then_is_short_and_one_line(body: bytes) -> None:
    shown = start_of(body)
    assert eval(shown).removesuffix("…") in body.decode(errors="replace")
    assert len(eval(shown)) <= 201
    assert shown.isprintable()
