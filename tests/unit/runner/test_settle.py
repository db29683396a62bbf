"""Settled: quiet wire and equal readings; never settled names the probe."""

import itertools
from collections.abc import Awaitable, Callable, Mapping

from harness.model.events import AnyEvent, NeverSettled, Settled
from harness.model.units import Duration
from harness.observe.read import Reading
from harness.runner.settle import settle
from tests.support.readings import answers, counts
from tests.support.virtual_time import run

ms = Duration.of_ms


def settled(
    read: Callable[[], Awaitable[Mapping[str, Reading]]],
    moved: Callable[[], Awaitable[int]],
    must: tuple[str, ...] = ("balance", "clock"),
) -> tuple[Mapping[str, Reading] | None, AnyEvent]:
    events: list[AnyEvent] = []
    readings = run(
        settle(
            round=3,
            read=read,
            must=must,
            bytes_moved=moved,
            gap=ms(100),
            limit=ms(1000),
            record=events.append,
        )
    )
    (event,) = events
    return readings, event


def test_settle_when_two_readings_are_equal_and_the_wire_is_quiet_then_they_are_given():
    readings, event = settled(answers(balance=[30, 20, 20]), counts(7))
    assert readings is not None and readings["balance"].value == 20
    assert isinstance(event, Settled) and event.after >= ms(200)


def test_settle_when_readings_differ_to_the_limit_then_the_probe_is_named():
    read = answers(balance=[20], clock=itertools.islice(itertools.count(), 1000))
    readings, event = settled(read, counts(7))
    assert readings is None
    assert isinstance(event, NeverSettled) and event.probes == ("clock",)


def test_settle_when_bytes_still_move_then_equal_readings_are_not_enough():
    readings, event = settled(answers(balance=[20, 20, 20, 10, 10]), counts(1, 2, 3, 4, 4))
    assert readings is not None and readings["balance"].value == 10
    assert isinstance(event, Settled)


def test_settle_when_the_wire_is_never_quiet_then_readings_equal_all_along_are_accepted():
    readings, event = settled(answers(balance=[20]), counts(*range(1000)))
    assert readings is not None and readings["balance"].value == 20
    assert isinstance(event, Settled) and event.after >= ms(1000)


def test_settle_when_only_another_probe_moves_then_it_is_waited_for_and_then_left_moving():
    read = answers(balance=[20], clock=itertools.islice(itertools.count(), 1000))
    readings, event = settled(read, counts(7), must=("balance",))
    assert readings is not None and readings["balance"].value == 20
    assert isinstance(event, Settled) and event.after >= ms(1000)
