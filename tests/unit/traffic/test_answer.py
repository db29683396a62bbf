"""Answers as rules see them."""

from decimal import Decimal

import pytest

from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Headers, NotJson


def answer(body: bytes = b'{"price": 0.10}') -> Answer:
    return Answer(
        status=200,
        headers=Headers(),
        body=body,
        sent=Instant.of_ns(1_000),
        first=Instant.of_ns(2_000),
        last=Instant.of_ns(3_000),
    )


def test_values_when_all_are_asked_for_then_numbers_keep_their_digits() -> None:
    values = answer().values()
    assert values["json"] == {"price": Decimal("0.10")}
    assert values["status"] == 200
    assert values["body"] == '{"price": 0.10}'
    assert values["elapsed"] == Duration.of_ns(2_000)


def test_values_when_json_is_not_named_then_it_is_not_decoded() -> None:
    assert "json" not in answer(b"no json").values(("status",))


def test_values_when_json_is_named_and_the_body_is_none_then_says_so() -> None:
    for body in (b"no json", b"", b"\xff", b"[" * 100_000):
        with pytest.raises(NotJson, match="the body of the answer is not JSON"):
            answer(body).values(("json",))
    assert answer(b"no json").values()["json"] is None
