"""The lag of a loop in virtual time: what a jump shows, and who is asked when."""

import asyncio

from harness.model.units import Duration
from harness.proxy.lag import PERIOD, Lag
from tests.support import virtual_time


def played(act):
    async def main():
        loop = asyncio.get_running_loop()
        return await act(loop, Lag(loop, virtual_time.now))

    return virtual_time.run(main())


def ms(value):
    return Duration.of_ms(value)


async def wait(milliseconds):
    await asyncio.sleep(milliseconds / 1_000)  # noqa: TID251 - virtual time


def test_lag_when_the_loop_is_on_time_then_is_nothing():
    async def act(_loop, lag):
        lag.start()
        await wait(1_000)
        return lag.worst()

    assert played(act) < ms(0.001)


def test_lag_when_the_loop_stood_still_then_is_the_worst_since_the_last_question():
    async def act(loop, lag):
        lag.start()
        lag.start()
        for jump in (130, 180, 110):
            loop.jump(ms(jump))
            await wait(0)
            await wait(0)
        found = [lag.worst(), lag.worst()]
        lag.stop()
        lag.stop()
        return found

    worst, after = played(act)
    assert ms(79) < worst < ms(81)
    assert after == Duration.ZERO


def test_lag_when_the_timer_is_late_already_then_counts_before_it_fires():
    async def act(loop, lag):
        lag.start()
        loop.jump(PERIOD + ms(40))
        return lag.worst()

    assert ms(39) < played(act) < ms(41)


def test_lag_when_nobody_looks_then_is_nothing_and_no_timer_is_left():
    async def act(loop, lag):
        lag.start()
        lag.stop()
        loop.jump(ms(500))
        await wait(500)
        return lag.worst(), [handle for handle in loop._scheduled if not handle.cancelled()]

    assert played(act) == (Duration.ZERO, [])
