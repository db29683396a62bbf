"""Receives the answers of a burst: stamps all that are there at one look with one instant.

A look asks one selector of its own, stamps, and only then reads and parses. Reading each answer in a
callback of its own would stamp the last of fifty half a millisecond late.
"""

import asyncio
import contextlib
import selectors
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Failure
from harness.traffic.connection import READ_SIZE
from harness.traffic.response import ResponseReader

RESET = "connection reset"


@dataclass(slots=True, eq=False)
class Awaited:
    """One answer to come. ``failure`` or ``last`` (nanoseconds, both) ends the waiting."""

    socket: socket.socket
    reader: ResponseReader
    timeout: Duration
    sent: int = 0
    first: int | None = None
    last: int | None = None
    failure: str | None = None
    late: bool = False

    @property
    def deadline(self) -> int:
        return self.sent + self.timeout.ns

    @property
    def _how(self) -> Literal["deadline", "reset", "eof"]:
        if self.late:
            return "deadline"
        return "eof" if self.failure is None and self.reader.broken is not None else "reset"

    def result(self) -> Answer | Failure | None:
        """What came; None while it is still awaited."""
        if self.last is None:
            return None
        first = None if self.first is None else Instant.of_ns(self.first)
        last, status = Instant.of_ns(self.last), self.reader.status
        because = self.failure or self.reader.broken
        if because is not None or status is None or first is None:
            return Failure(
                because=because or RESET, how=self._how, status=status, first=first, last=last
            )
        return Answer(
            status=status,
            headers=self.reader.headers,
            body=self.reader.body,
            sent=Instant.of_ns(self.sent),
            first=first,
            last=last,
        )


class Receiver:
    """Waits for many answers. ``close`` it in the loop that ``attach`` was called in.

    With ``ends_ours`` it ends our side of a connection once its answer is there.
    """

    def __init__(self, awaited: Iterable[Awaited], *, ends_ours: bool = True) -> None:
        self._ends_ours = ends_ours
        self._selector = selectors.DefaultSelector()
        self._pending: set[Awaited] = set()
        self._done = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        for one in awaited:
            self._selector.register(one.socket, selectors.EVENT_READ, one)
            self._pending.add(one)

    def ready(self) -> list[Awaited]:
        """Those of which something is there to be read, be it their end."""
        return [key.data for key, _ in self._selector.select(0)]

    def attach(self) -> None:
        """From here on the loop calls ``look``."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._selector, self.look)

    def look(self, *, first_unseen: bool = False) -> None:
        """Reads all that is there.

        ``first_unseen``: nobody looked since the requests went out, so what is there may have come
        at any moment since; it is stamped with the earliest one, its own sending.
        """
        ready = self.ready()
        now = time.monotonic_ns()
        for one in ready:
            self._read(one, now, one.sent if first_unseen else now)

    def give_up(self, one: Awaited, because: str, at: int) -> None:
        """Nothing more is awaited from it."""
        one.failure = one.failure or because
        self._end(one, at)
        self._forget(one)

    async def wait(self) -> None:
        """Returns when nothing is awaited any more, each within its own time-out."""
        while self._pending:
            next_deadline = min(one.deadline for one in self._pending)
            left = (next_deadline - time.monotonic_ns()) / 1e9
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(left, 0) + 0.001):
                    await self._done.wait()
            self.look()
            now = time.monotonic_ns()
            for one in [one for one in self._pending if one.deadline <= now]:
                what = "whole answer" if one.first is not None else "answer"
                one.late = True
                self.give_up(one, f"no {what} within {one.timeout}", now)

    def close(self) -> None:
        """Lets go of the loop; the sockets are their owners'."""
        if self._loop is not None:
            self._loop.remove_reader(self._selector)
            self._loop = None
        self._selector.close()

    def _read(self, one: Awaited, now: int, first: int) -> None:
        try:
            data = one.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            if one.last is None:
                self.give_up(one, RESET, now)
            else:
                self._forget(one)
            return
        if not data:
            one.reader.feed_end()
            self._end(one, now)
            self._forget(one)
            return
        if one.first is None:
            one.first = first
        was_complete = one.reader.complete
        one.reader.feed(data)
        if one.reader.broken is not None:
            self._end(one, now)
            self._forget(one)
        elif one.reader.complete and not was_complete:
            self._end(one, now)
            if self._ends_ours:
                # Frees a worker that would wait for a next request; a second answer is still seen.
                with contextlib.suppress(OSError):
                    one.socket.shutdown(socket.SHUT_WR)

    def _end(self, one: Awaited, at: int) -> None:
        if one.last is None:
            one.last = at
        self._pending.discard(one)
        if not self._pending:
            self._done.set()

    def _forget(self, one: Awaited) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(one.socket)
