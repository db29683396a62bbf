"""The runner's clock is the loop's: virtual where that is virtual, else the machine's monotonic one."""

import asyncio
import time

from harness.model.units import Duration
from harness.runner.clock import now
from tests.support.virtual_time import run


def test_now_when_time_is_virtual_then_a_sleep_moves_it_by_just_that():
    async def scenario() -> Duration:
        before = now()
        await asyncio.sleep(3600)  # noqa: TID251 - virtual
        return now() - before

    assert run(scenario()) == Duration.of_s(3600)


def test_now_when_time_is_real_then_it_lies_between_two_looks_at_the_monotonic_clock():
    async def scenario() -> tuple[int, int, int]:
        return time.monotonic_ns(), now().ns, time.monotonic_ns()

    before, seen, after = asyncio.run(scenario())
    # A float of seconds rounds to a few nanoseconds at most.
    assert before - 1000 <= seen <= after + 1000
