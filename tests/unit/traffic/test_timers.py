"""Timers for whoever sends at planned instants: the machine's, or the loop's where it has none."""

import asyncio
import time
from typing import Any

import pytest

from harness.proxy.alarms import Alarms
from harness.traffic import timers as module
from harness.traffic.timers import exact_timers


async def fired(timers: Any) -> int:
    """How many nanoseconds behind its time an alarm went off."""
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    due = time.monotonic_ns() + 3_000_000
    timers.call_at(due / 1e9, lambda: done.set_result(time.monotonic_ns()))
    return await done - due


def test_timers_when_asked_for_then_none_goes_off_early() -> None:
    async def main() -> int:
        with exact_timers() as timers:
            return await fired(timers)

    assert asyncio.run(main()) >= -1_000


def test_timers_when_the_machine_has_none_then_the_loop_s_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(*_: object) -> Alarms:
        raise OSError("no timerfd")

    monkeypatch.setattr(module, "Alarms", none)

    async def main() -> tuple[bool, int]:
        with exact_timers() as timers:
            return timers is asyncio.get_running_loop(), await fired(timers)

    is_loop, late = asyncio.run(main())
    assert is_loop
    assert late >= -1_000
