"""Hours pass in no time, timers keep their order, and a deadlock does not hang the build."""

import asyncio
import time

import pytest

from harness.model.units import Duration
from tests.support import virtual_time


def test_hour_when_waited_for_then_passes_at_once():
    async def main():
        before = virtual_time.now()
        await asyncio.sleep(3600)  # noqa: TID251 - virtual
        return virtual_time.now() - before

    began = time.monotonic()
    assert virtual_time.run(main()) == Duration.of_s(3600)
    assert time.monotonic() - began < 60


def test_timers_when_due_then_fire_in_order_at_their_own_times():
    fired = []

    async def after(seconds):
        await asyncio.sleep(seconds)  # noqa: TID251 - virtual
        fired.append((seconds, virtual_time.now().ns // 1_000_000_000))

    async def main():
        async with asyncio.TaskGroup() as group:
            for seconds in (7200, 60, 3600):
                group.create_task(after(seconds))

    virtual_time.run(main())
    assert fired == [(60, 60), (3600, 3600), (7200, 7200)]


def test_timeout_when_it_passes_then_is_raised():
    async def main():
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        virtual_time.run(main())


def test_tasks_when_nothing_can_wake_them_then_are_told_as_deadlocked():
    async def main():
        await asyncio.Event().wait()

    with pytest.raises(virtual_time.Deadlocked):
        virtual_time.run(main())
