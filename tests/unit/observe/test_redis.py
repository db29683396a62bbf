"""The probe ``redis``, with replies as a client would give them."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.model.units import Duration
from harness.observe import PROBES
from harness.observe.read import Reading
from harness.observe.redis import Redis, as_numbers
from tests.support.sources import sources_at


class Replying:
    """Connections whose only service replies the same, and keeps what it was asked."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.asked: list[Sequence[str]] = []

    async def redis(self, service: str) -> "Replying":
        return self

    async def call(self, words: Sequence[str], *, within: Duration) -> Any:
        self.asked.append(words)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def read(
    service: Replying, command: str = "GET points", *, text: bool = False, **values: Any
) -> Reading:
    params = {"redis": command, "text": text}
    plan = ProbePlan(name="points", kind="redis", on="cache", params=params)
    probe = Redis.make(plan, values, sources_at())
    return asyncio.run(probe.read(cast("Connections", service)))


def test_the_kind_when_looked_up_then_is_found_under_its_word() -> None:
    assert PROBES["redis"] is Redis
    assert Redis.speaks == "redis"


@pytest.mark.parametrize(
    ("reply", "value", "exact"),
    [
        (None, None, False),
        (7, 7, False),
        ("100", 100, False),
        ("-3", -3, False),
        ("12.30", "12.30", True),
        ("9" * 25, "9" * 25, True),
        ("007", "007", False),
        ("+7", "+7", False),
        ("1e3", "1e3", False),
        ("٧", "٧", False),
        ("", "", False),
        (["1", "b", None, "12.5"], [1, "b", None, "12.5"], False),
    ],
)
def test_a_reply_when_read_then_numbers_are_numbers(reply: Any, value: Any, exact: bool) -> None:
    reading = read(Replying(reply))
    assert (reading.value, reading.exact) == (value, exact)


def test_a_reply_when_texts_are_to_stay_then_they_do() -> None:
    assert read(Replying("100"), text=True).value == "100"
    assert read(Replying(["1", 2]), text=True).value == ["1", 2]


@given(
    st.integers(-(10**29), 10**29)
    | st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**20), max_value=10**20
    )
)
def test_a_number_when_kept_as_text_then_comes_back_as_that_number(number: int | Decimal) -> None:
    assert as_numbers(f"{number:f}" if isinstance(number, Decimal) else str(number)) == number


def test_a_command_when_filled_then_no_value_becomes_a_second_word() -> None:
    service = Replying(1)
    read(service, "HGET 'user {n}' {field}", n=7, field="a b")
    assert service.asked == [["HGET", "user 7", "a b"]]


def test_a_command_when_refused_then_the_servers_own_words() -> None:
    refused = TargetError("service cache", "GET: WRONGTYPE Operation against a key")
    with pytest.raises(TargetError, match=r"^probe points: GET: WRONGTYPE"):
        read(Replying(refused))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "probe points: the command is empty"),
        ("GET 'a", "probe points: .*Close every quote"),
        ("GET {", "probe points: "),
        ("GET {other}", "'other' has no value"),
    ],
)
def test_a_command_when_it_cannot_be_read_then_says_why(command: str, message: str) -> None:
    with pytest.raises(UserError, match=f"(?s){message}"):
        read(Replying(1), command)
