"""The probe ``http``, with answers as a client would give them."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from harness.connections.answer import Headers
from harness.connections.http import HttpAnswer
from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.model.units import Duration
from harness.observe import PROBES
from harness.observe.http import Http
from harness.observe.read import Reading
from tests.support.sources import sources_at


class Answering:
    """Connections whose only service answers the same, and keeps what it was asked."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.body = body
        self.status = status
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []

    async def http(self, service: str) -> "Answering":
        return self

    async def call(
        self, method: str, url: str, *, headers: Mapping[str, str], body: object, within: Duration
    ) -> HttpAnswer:
        self.asked.append((method, url, headers))
        return HttpAnswer(
            status=self.status,
            headers=Headers({"x-a": "1"}),
            body=self.body,
            elapsed=Duration.of_ms(2),
        )


def read(service: Answering, params: dict[str, Any], **values: Any) -> Reading:
    plan = ProbePlan(name="left", kind="http", on="app", params=params)
    return asyncio.run(Http.make(plan, values, sources_at()).read(cast("Connections", service)))


def test_the_kind_when_looked_up_then_is_found_under_its_word() -> None:
    assert PROBES["http"] is Http


@pytest.mark.parametrize(
    ("value", "expected", "exact"),
    [
        ("json.left", 7, False),
        ("json.price", "0.1", True),
        ("json.price + 0.2", "0.3", True),
        ("json.left / 3", "7/3", True),
        ("len(json.items)", 2, False),
        ("json.items", [1, 2], False),
        ("status", 200, False),
        ("headers['x-a']", "1", False),
        ("headers['X-A']", "1", False),
        ("elapsed < 1s", True, False),
        ("'left' in body", True, False),
    ],
)
def test_a_value_when_taken_from_an_answer_then_is_exact(
    value: str, expected: Any, exact: bool
) -> None:
    service = Answering(b'{"left": 7, "price": 0.10, "items": [1, 2]}')
    reading = read(service, {"http": "GET /stock", "value": value})
    assert (reading.value, reading.exact) == (expected, exact)


def test_a_request_when_it_has_placeholders_then_they_are_filled() -> None:
    service = Answering(b"1")
    read(
        service,
        {"http": "post /a/{name}", "value": "json", "headers": {"X-Run": "{run}"}},
        name="b c/d",
        run="r1",
    )
    assert service.asked == [("POST", "/a/b%20c%2Fd", {"X-Run": "r1"})]


@pytest.mark.parametrize(
    ("status", "body", "value", "message"),
    [
        (500, b'{"left": 7}', "json.left", "probe left: answered 500: '{\"left\": 7}'"),
        (200, b"<html>", "json.left", "the body of the answer is not JSON; answered 200: '<html>'"),
        (200, b"{}", "json.left", "probe left: json.left has no value"),
        (200, b"{}", "1 / 0", "divides by zero"),
    ],
)
def test_an_answer_when_without_the_value_then_says_what_came(
    status: int, body: bytes, value: str, message: str
) -> None:
    with pytest.raises(TargetError) as raised:
        read(Answering(body, status), {"http": "GET /stock", "value": value})
    assert message in str(raised.value)


def test_an_error_when_the_value_asks_for_the_status_then_is_a_value() -> None:
    assert read(Answering(b"", 503), {"http": "GET /", "value": "status"}).value == 503


@pytest.mark.parametrize(
    "params",
    [
        {"http": "/stock", "value": "json"},
        {"http": "GET stock", "value": "json"},
        {"http": "GET /stock", "value": "json."},
        {"http": "GET /{", "value": "json"},
    ],
)
def test_a_probe_when_it_cannot_be_read_then_is_named(params: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="probe left: "):
        read(Answering(b""), params)
