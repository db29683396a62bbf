"""When links are to be woken: one exact timer of the machine for all of them.

An event loop's own timers are as coarse as its poll, which counts milliseconds. Linux has timers that
can be waited for like a socket and keep to microseconds; elsewhere the loop's must do.
"""

import asyncio
import ctypes
import os
import sys
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

_SECOND = 1_000_000_000
_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
# Alarms that were cancelled are swept out once there are so many, and more of them than others.
_SWEEP = 1024


class Handle(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """What a link needs of an event loop."""

    def call_at(self, when: float, callback: Callable[[], None], /) -> Handle:
        """``when`` in seconds of the monotonic clock."""


class Alarm:
    """One call to come, unless it is cancelled before."""

    __slots__ = ("_alarms", "callback")

    def __init__(self, alarms: "Alarms", callback: Callable[[], None]) -> None:
        self._alarms = alarms
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self._alarms.note_cancelled()


class Alarms:
    """Equal times go off in the order in which they were asked for.

    Raises:
        OSError: this machine has no such timers.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._heap: list[tuple[int, int, Alarm]] = []
        self._numbers = count()
        self._armed = sys.maxsize
        self._cancelled = 0
        self._loop = loop
        self._timer = _Timerfd()
        loop.add_reader(self._timer.descriptor, self._expired)

    def call_at(self, when: float, callback: Callable[[], None], /) -> Alarm:
        alarm = Alarm(self, callback)
        due_ns = int(when * _SECOND)
        heappush(self._heap, (due_ns, next(self._numbers), alarm))
        if due_ns < self._armed:
            self._arm(due_ns)
        return alarm

    def note_cancelled(self) -> None:
        """By the alarm itself; it stays where it is until enough of them are to be swept out."""
        self._cancelled += 1
        if self._cancelled > _SWEEP and self._cancelled > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapify(self._heap)
            self._cancelled = 0

    def close(self) -> None:
        """Nothing goes off any more. Once is enough, and more does no harm."""
        self._heap.clear()
        if self._timer.descriptor >= 0:
            self._loop.remove_reader(self._timer.descriptor)
            self._timer.close()

    def _arm(self, due_ns: int) -> None:
        self._armed = due_ns
        self._timer.set(due_ns)

    def _expired(self) -> None:
        if not self._timer.read():
            return  # set anew since
        self._armed = 0  # whatever is asked for meanwhile is armed below
        # All that are due by now and no more: who asks again for one that is due must not keep the
        # loop from everybody else.
        now_ns = self._clock_ns()
        due: deque[tuple[int, int, Alarm]] = deque()
        while self._heap and self._heap[0][0] <= now_ns:
            due.append(heappop(self._heap))
        try:
            while due:
                self._ring(due.popleft()[2])
        finally:
            for left in due:  # one before them raised
                heappush(self._heap, left)
            self._armed = sys.maxsize
            if self._heap:
                self._arm(self._heap[0][0])

    def _ring(self, alarm: Alarm) -> None:
        callback, alarm.callback = alarm.callback, None
        if callback is None:
            self._cancelled -= 1
        else:
            callback()


class _Timerfd:
    """``timerfd_create(2)`` by the C library; ``os`` has it from Python 3.13 on."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("timerfd is Linux's alone")
        library = ctypes.CDLL(None, use_errno=True)
        self._settime = library.timerfd_settime
        self.descriptor: int = library.timerfd_create(
            _CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC
        )
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        # struct itimerspec: interval, then value, in seconds and nanoseconds each.
        self._spec = (ctypes.c_long * 4)()

    def set(self, due_ns: int) -> None:
        # Zero would disarm it.
        self._spec[2], self._spec[3] = divmod(max(1, due_ns), _SECOND)
        self._settime(self.descriptor, _ABSOLUTE, self._spec, None)

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        os.close(descriptor)

    def read(self) -> bool:
        """True if it has expired since it was set."""
        try:
            os.read(self.descriptor, 8)
        except BlockingIOError:
            return False
        return True
