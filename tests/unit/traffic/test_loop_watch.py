"""The watch on our own lateness, on the real clock: what stood still is seen, and told once."""

import asyncio

import pytest

from harness.model.units import Duration
from harness.traffic import loop_watch
from harness.traffic.loop_watch import LoopWatch
from tests.support.timing import pause
from tests.support.waiting import until


def test_a_loop_when_it_stood_still_then_the_worst_is_told_once() -> None:
    async def main() -> tuple[Duration, Duration]:
        with LoopWatch() as watch:
            watch.worst()
            pause(0.3)
            return watch.worst(), watch.worst()

    worst, after = asyncio.run(main())
    # Its timer was due 100 ms after the watch began; it has not even fired yet.
    assert worst >= Duration.of_ms(190)
    assert after < worst


def test_a_loop_when_its_timer_fired_late_then_that_is_kept_until_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop_watch, "EVERY", Duration.of_ms(5))

    async def main() -> tuple[Duration, Duration]:
        with LoopWatch() as watch:
            pause(0.1)
            due = watch._due
            await until(lambda: watch._due != due, within=Duration.of_s(10), what="it fired")
            return watch.worst(), watch.worst()

    worst, after = asyncio.run(main())
    assert worst >= Duration.of_ms(90)
    assert after < worst


def test_a_watch_when_left_then_no_timer_is_left_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watch, "EVERY", Duration.of_ms(1))

    async def main() -> int:
        with LoopWatch() as watch:
            pass
        due = watch._due
        for _ in range(20):
            await asyncio.sleep(0.001)  # noqa: TID251 - so many of its periods
        return watch._due - due

    assert asyncio.run(main()) == 0
