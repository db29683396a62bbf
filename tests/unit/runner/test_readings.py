"""Readings become events and values without losing exactness."""

import asyncio
from fractions import Fraction
from typing import Any

from harness.model.events import AnyEvent, ProbeRead
from harness.observe.read import Reading
from harness.runner.readings import read_all, values
from tests.support.readings import reading


class AProbe:
    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self._value = value

    async def read(self, _connections: object) -> Reading:
        return reading(self.name, self._value)


def test_read_all_when_two_probes_are_read_then_both_are_journalled_in_order():
    events: list[AnyEvent] = []
    found = asyncio.run(
        read_all(
            [AProbe("a", 1), AProbe("b", 2)],  # type: ignore[list-item]  # a probe by its shape
            None,  # type: ignore[arg-type]  # these probes ask nobody
            purpose="settle",
            round=3,
            record=events.append,
        )
    )
    assert {name: r.value for name, r in found.items()} == {"a": 1, "b": 2}
    assert [(e.probe, e.purpose, e.round) for e in events if isinstance(e, ProbeRead)] == [
        ("a", "settle", 3),
        ("b", "settle", 3),
    ]


def test_as_event_when_a_reading_is_exact_then_the_event_says_so():
    exact = Reading(
        probe="balance",
        value="0.1",
        exact=True,
        asked=reading("x", 1).asked,
        answered=reading("x", 1).answered,
    )
    assert exact.as_event(purpose="at-end", round=1).exact
    assert values({"balance": exact})["balance"] == Fraction(1, 10)
