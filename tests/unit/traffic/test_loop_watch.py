"""The watch on our own lateness: what stood still is seen, told once, and left behind by nobody."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from harness.model.units import Duration
from harness.traffic import loop_watch
from harness.traffic.loop_watch import LoopWatch
from harness.traffic.timers import Timers, exact_timers
from tests.support.waiting import until

LIMIT = Duration.of_s(10)


class Clock:
    """Runs as the real one does, and so much ahead of it as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = Duration.ZERO
        monkeypatch.setattr(loop_watch, "time", self)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() + self.ahead.ns


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_loop_when_it_stood_still_then_the_worst_is_told_once(clock: Clock) -> None:
    async def main() -> tuple[Duration, Duration]:
        with LoopWatch() as watch:
            watch.worst()
            clock.ahead = Duration.of_s(60)
            return watch.worst(), watch.worst()

    worst, after = asyncio.run(main())
    # Its timer was due 100 ms after the watch began; it has not even fired yet.
    assert worst >= Duration.of_s(59)
    assert after < worst


def test_a_loop_when_its_timer_fired_late_then_that_is_kept_until_asked(clock: Clock) -> None:
    async def main() -> tuple[Duration, Duration]:
        with LoopWatch() as watch:
            due = watch._due
            clock.ahead = Duration.of_s(60)
            await until(lambda: watch._due != due, within=LIMIT, what="it fired")
            return watch.worst(), watch.worst()

    worst, after = asyncio.run(main())
    assert worst >= Duration.of_s(59)
    assert after < worst


@contextlib.contextmanager
def the_loops_own() -> Iterator[Timers]:
    """As where the machine has none that are more exact; nothing takes these back but who set them."""
    yield asyncio.get_running_loop()


@pytest.mark.parametrize("timers", [exact_timers, the_loops_own], ids=["exact", "loop"])
def test_a_watch_when_left_then_no_timer_is_left_either(
    monkeypatch: pytest.MonkeyPatch, timers: Callable[[], AbstractContextManager[Timers]]
) -> None:
    monkeypatch.setattr(loop_watch, "EVERY", Duration.of_ms(1))
    monkeypatch.setattr(loop_watch, "exact_timers", timers)

    async def main() -> int:
        with LoopWatch() as watch:
            pass
        due = watch._due
        with LoopWatch() as witness:
            # Begun later, with the same period: when it has fired, so would the other have.
            for _ in range(20):
                seen = witness._due
                await until(lambda: witness._due != seen, within=LIMIT, what="it fired")  # noqa: B023 - awaited here
        return watch._due - due

    assert asyncio.run(main()) == 0
