"""Alarms on a real timer of the machine; what is awaited is an order, never a time."""

import asyncio
import os
import sys
from time import monotonic_ns

import pytest

from harness.proxy.alarms import Alarms

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's alone")

MS = 1_000_000


class Rung:
    """Asks for alarms and notes what went off, in order, and what did too early."""

    def __init__(self) -> None:
        self.began = monotonic_ns()
        self.names: list[str] = []
        self.early: list[str] = []
        self.failures: list[BaseException] = []
        self.last = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.failures.append(context["exception"]))
        self.alarms = Alarms(loop, monotonic_ns)

    def ask(self, name: str, after_ns: int):
        return self.alarms.call_at(
            (self.began + after_ns) / 1e9, lambda: self._note(name, after_ns)
        )

    def _note(self, name: str, after_ns: int) -> None:
        self.names.append(name)
        # A float of seconds is exact to less than a microsecond.
        if monotonic_ns() < self.began + after_ns - 1_000:
            self.early.append(name)
        if name == "last":
            self.last.set()


def rung(asked) -> Rung:
    """What went off until the one named ``last`` did."""

    async def main():
        made = Rung()
        asked(made)
        try:
            async with asyncio.timeout(20):
                await made.last.wait()
        finally:
            made.alarms.close()
        return made

    return asyncio.run(main())


def test_alarms_when_due_then_go_off_in_order_and_never_early():
    def asked(it):
        it.ask("last", 9 * MS)
        it.ask("second", 5 * MS)
        it.ask("third", 5 * MS)
        it.ask("first", -1)

    seen = rung(asked)
    assert seen.names == ["first", "second", "third", "last"]
    assert seen.early == []


def test_alarms_when_cancelled_then_never_go_off():
    def asked(it):
        for alarm in [it.ask("dropped", MS) for _ in range(3000)]:
            alarm.cancel()
            alarm.cancel()
        it.ask("last", 2 * MS)

    assert rung(asked).names == ["last"]


def test_alarms_when_most_were_cancelled_then_are_swept_out():
    def asked(it):
        for alarm in [it.ask("dropped", 3600_000 * MS) for _ in range(3000)]:
            alarm.cancel()
        assert len(it.alarms._heap) < 2000
        it.ask("last", 0)

    assert rung(asked).names == ["last"]


def test_alarms_when_one_asks_for_itself_again_and_again_then_others_have_their_turn():
    async def main():
        it = Rung()

        def again():
            if not it.last.is_set():
                it.alarms.call_at(it.began / 1e9, again)

        again()
        # The loop's own: it comes only if the alarms let go of the loop.
        asyncio.get_running_loop().call_later(0.01, it.last.set)
        async with asyncio.timeout(20):
            await it.last.wait()
        it.alarms.close()

    asyncio.run(main())


def test_alarms_when_closed_then_nothing_goes_off_and_no_descriptor_is_left():
    async def main():
        it = Rung()
        it.ask("never", 0)
        descriptor = it.alarms._timer.descriptor
        it.alarms.close()
        it.alarms.close()
        # The loop's own timer, and a turn of the loop behind it, in which the alarm would go off.
        asyncio.get_running_loop().call_later(0.01, it.last.set)
        await it.last.wait()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
        return it

    assert asyncio.run(main()).names == []


def test_alarms_when_one_asks_for_another_that_is_due_then_it_goes_off_too():
    def asked(it):
        it.alarms.call_at(it.began / 1e9, lambda: it.ask("last", 0))

    assert rung(asked).names == ["last"]


def test_alarms_when_one_fails_then_the_others_go_off_all_the_same():
    def fail():
        raise RuntimeError("broken")

    def asked(it):
        it.alarms.call_at(it.began / 1e9, fail)
        it.ask("last", 1)

    seen = rung(asked)
    assert seen.names == ["last"]
    assert [str(failure) for failure in seen.failures] == ["broken"]
