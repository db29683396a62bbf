"""Reading a probe: stamped before and after, and named in whatever goes wrong."""

import asyncio
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.connections.pool import Connections
from harness.expressions.plain import Plain, plain
from harness.journal import lines
from harness.model.errors import TargetError
from harness.model.events import ProbeRead
from harness.observe.read import Probe


class Asked:
    """A question with a canned answer."""

    def __init__(self, answer: Plain | TargetError) -> None:
        self.answer = answer
        self.at = 0

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:
        self.at = time.monotonic_ns()
        if isinstance(self.answer, TargetError):
            raise self.answer
        return self.answer


def probe(question: Asked) -> Probe:
    return Probe(name="balance", on="postgres", question=question, values={})


def test_a_reading_when_made_then_lies_between_its_instants() -> None:
    question = Asked(Plain("12.30", exact=True))
    reading = asyncio.run(probe(question).read(Connections({})))
    assert reading.asked.ns <= question.at <= reading.answered.ns
    assert (reading.probe, reading.value, reading.exact) == ("balance", "12.30", True)
    assert reading.exact_value == Decimal("12.30")


def test_a_reading_when_told_to_the_journal_then_keeps_its_instants_and_its_exact_value() -> None:
    reading = asyncio.run(probe(Asked(Plain("1/3", exact=True))).read(Connections({})))
    event = reading.as_event(purpose="at-end", round=3)
    assert (event.probe, event.purpose, event.round) == ("balance", "at-end", 3)
    assert (event.asked, event.answered) == (reading.asked, reading.answered)
    assert (event.value, event.exact) == ("1/3", True)
    assert reading.as_event(purpose="steady-before", round=None).round is None


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("service postgres", "probe balance: gave 0 rows"),
        ("service other", "probe balance: service other: gave 0 rows"),
    ],
)
def test_a_reading_when_it_fails_then_the_probe_is_named(what: str, message: str) -> None:
    question = Asked(TargetError(what, "gave 0 rows", "Look at it."))
    with pytest.raises(TargetError) as raised:
        asyncio.run(probe(question).read(Connections({})))
    assert str(raised.value) == f"{message}\nLook at it."


@given(
    st.lists(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
        max_size=5,
    )
)
def test_a_list_when_told_to_the_journal_then_comes_back_as_it_was_read(value: list[Any]) -> None:
    """Texts stay apart from numbers: ``"1"`` and ``1`` are two keys."""
    reading = asyncio.run(probe(Asked(plain(value))).read(Connections({})))
    written = lines.encode(reading.as_event(purpose="at-end", round=1))
    event = lines.decode(written)
    assert isinstance(event, ProbeRead)
    assert (event.value, event.exact) == (value, False)
    assert [type(each) for each in event.value] == [type(each) for each in value]


def test_a_list_when_it_holds_exact_numbers_then_they_are_texts_with_every_digit() -> None:
    value = plain([Decimal("12.30"), 2**64])
    assert (value.value, value.exact) == (["12.30", str(2**64)], False)
