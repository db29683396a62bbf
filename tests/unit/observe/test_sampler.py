"""The sampler: at once, in step, never piled up, once more at the end."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.connections.pool import Connections
from harness.expressions.plain import Plain
from harness.model.errors import TargetError
from harness.model.events import ProbeRead
from harness.model.units import Duration
from harness.observe.read import Probe
from harness.observe.sampler import Sampler, next_beat
from tests.support.waiting import until


class Counting:
    """A question that answers how often it was asked."""

    def __init__(self, on_read: Callable[[int], Any] = lambda count: None) -> None:
        self.count = 0
        self.reading = 0
        self.most = 0
        self.on_read = on_read

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:
        self.count += 1
        self.reading += 1
        self.most = max(self.most, self.reading)
        try:
            if (wait := self.on_read(self.count)) is not None:
                await wait
        finally:
            self.reading -= 1
        return Plain(self.count)


def sampler(question: Counting, record: Callable[[Any], object], every: Duration) -> Sampler:
    probe = Probe(name="balance", on="db", question=question, values={})
    return Sampler([probe], Connections({}), every=every, round=3, record=record)


def test_a_sampler_when_entered_then_reads_until_it_is_left_and_once_more() -> None:
    events: list[Any] = []

    async def main() -> None:
        async with sampler(Counting(), events.append, Duration.of_ms(1)):
            await until(lambda: len(events) >= 5, within=Duration.of_s(30), what="five readings")
            before = len(events)
        assert len(events) > before

    asyncio.run(main())
    assert [event.value for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert isinstance(event, ProbeRead)
        assert (event.probe, event.purpose, event.round) == ("balance", "always", 3)
        assert event.asked <= event.answered


def test_a_sampler_when_left_between_beats_then_does_not_wait_for_the_next() -> None:
    events: list[Any] = []

    async def main() -> None:
        async with asyncio.timeout(30), sampler(Counting(), events.append, Duration.of_s(3600)):
            await until(lambda: bool(events), within=Duration.of_s(30), what="a first reading")

    asyncio.run(main())
    assert len(events) == 2


def test_readings_when_slower_than_the_beat_then_never_pile_up() -> None:
    async def main() -> Counting:
        hold = asyncio.Event()
        question = Counting(lambda count: hold.wait() if count == 1 else None)
        events: list[Any] = []
        async with sampler(question, events.append, Duration.of_ms(0.1)):
            await until(
                lambda: question.count == 1, within=Duration.of_s(30), what="a first reading"
            )
            hold.set()
            await until(lambda: len(events) > 5, within=Duration.of_s(30), what="more readings")
        return question

    assert asyncio.run(main()).most == 1


def test_a_reading_when_it_fails_then_ends_the_body_with_its_error() -> None:
    class Broken(Counting):
        async def read(self, *arguments: Any) -> Plain:
            raise TargetError("service db", "no such table")

    async def main() -> None:
        async with asyncio.timeout(30), sampler(Broken(), print, Duration.of_ms(1)):
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(main())
    assert str(raised.value.exceptions[0]) == "probe balance: no such table"


def test_the_body_when_it_raises_then_its_error_comes_out_and_sampling_ends() -> None:
    question = Counting()

    async def main() -> None:
        async with sampler(question, lambda event: None, Duration.of_ms(1)):
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(main())
    assert isinstance(raised.value.exceptions[0], ZeroDivisionError)
    assert question.reading == 0


@given(st.integers(1, 10**9), st.integers(0, 1000), st.integers(0, 10**12))
def test_the_next_beat_when_some_are_over_then_is_the_first_that_is_not(
    every: int, beat: int, passed: int
) -> None:
    following = next_beat(7, Duration.of_ns(every), beat, 7 + passed)
    assert following > beat
    assert following * every >= passed
    assert following == beat + 1 or (following - 1) * every < passed
