"""Calls in flight to one service, on connections that are kept between calls, as clients do.

A look asks one selector of its own, stamps all that is there with one instant, and then reads. It is
made when the loop says so and once behind each sending: an answer that is found there may have come
before it, and is stamped so that the two are never taken for calls in flight together.
"""

import asyncio
import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from harness.model.errors import TargetError
from harness.model.units import Duration
from harness.traffic.connection import (
    READ_SIZE,
    Place,
    accepted_at_once,
    first_to_accept,
    send_what_goes,
)
from harness.traffic.flight import LEFT, Flight, How, Line
from harness.traffic.receiver import RESET
from harness.traffic.timers import Timers

# A server may close a connection that idles; the shortest such time among common ones is 2 s
# (gunicorn). What is younger than this is not likely to meet its end on the way.
IDLE_LIMIT = Duration.of_s(1)

# No server's doing: this machine has no port or no descriptor left.
_OURS = frozenset({errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

# Whatever is spoken on the connection from there on, it is not what we speak.
_SWITCHING = 101

F = TypeVar("F", bound=Flight)


class Flights(Generic[F]):
    """Sends, receives, gives up; what happened stands in ``news``. ``close`` it whatever happens.

    ``spawn`` owns the tasks that wait for a connection; ``wake`` is called when there are news.
    """

    def __init__(
        self,
        places: tuple[Place, ...],
        *,
        what: str,
        timers: Timers,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        wake: Callable[[], None],
    ) -> None:
        self._places = places
        self._what = what
        self._timers = timers
        self._spawn = spawn
        self._wake = wake
        self._selector = selectors.DefaultSelector()
        self._idle: dict[Line, None] = {}
        """The one that idles longest first."""
        self._flying: dict[F, None] = {}
        self._connecting: dict[F, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._selector, self.look)
        self.news: deque[F] = deque()
        """Each flight once when it was sent and once when it ended, in that order."""

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    @property
    def flying(self) -> tuple[F, ...]:
        """Those that have not ended, the earliest first."""
        return tuple(self._flying)

    @property
    def idle(self) -> int:
        """How many connections are kept without a call on them."""
        return len(self._idle)

    def begin(self, flight: F) -> None:
        """Writes it at once, on a connection that idles or a new one; or as soon as there is one."""
        flight.begun = time.monotonic_ns()
        self._flying[flight] = None
        line = self._idle_line(flight.begun) or self._new_line()
        if line is not None:
            self._write(line, flight)
            return
        self._set_alarm(flight, flight.begun + flight.timeout.ns, self._too_late)
        self._connecting[flight] = self._spawn(self._connect(flight))

    def look(self, *, unseen_since: int = 0) -> None:
        """Reads all that is there. What came at an unknown moment since then is stamped with it."""
        ready = self._selector.select(0)
        if not ready:
            return
        now = time.monotonic_ns()
        for key, mask in ready:
            line: Line = key.data
            if line.flight is None:
                # Closed by the server, or it talks out of turn: nothing is written on it any more.
                self._drop(line)
                continue
            if mask & selectors.EVENT_WRITE:
                self._write_rest(line)
            if mask & selectors.EVENT_READ and line.flight is not None:
                self._read(line, unseen_since or now)

    def give_up(self, flight: F, how: How, because: str) -> None:
        """Closes our side of it, unless its end has come already."""
        self.look()
        if flight.how:
            return
        waiting = self._connecting.pop(flight, None)
        if waiting is not None:
            waiting.cancel()
            self._never_sent(flight)
        self._end(flight, how, because)

    def close(self) -> None:
        """Closes all connections; what is still under way is cut, and its end stays unknown."""
        self._loop.remove_reader(self._selector)
        for waiting in self._connecting.values():
            waiting.cancel()
        for flight in self._flying:
            _cancel_alarms(flight)
        for key in tuple(self._selector.get_map().values()):
            self._drop(key.data)
        self._selector.close()
        self._flying.clear()

    def _idle_line(self, now: int) -> Line | None:
        while self._idle:
            oldest = next(iter(self._idle))
            if now - oldest.since <= IDLE_LIMIT.ns:
                break
            self._drop(oldest)
        while self._idle:
            line, _ = self._idle.popitem()
            if _is_silent(line.socket):
                return line
            self._drop(line)
        return None

    def _new_line(self) -> Line | None:
        sock = accepted_at_once(self._places[0])
        return None if sock is None else self._taken(sock)

    def _taken(self, sock: socket.socket) -> Line:
        line = Line(sock)
        self._selector.register(sock, selectors.EVENT_READ, line)
        return line

    async def _connect(self, flight: F) -> None:
        try:
            sock = await first_to_accept(self._places)
        except OSError as error:
            if error.errno in _OURS:
                raise TargetError(self._what, f"no further connection: {error.strerror}") from error
            self._connecting.pop(flight, None)
            self._never_sent(flight)
            self._end(flight, "refused", f"no connection: {error.strerror or error}")
            return
        self._connecting.pop(flight, None)
        _cancel_alarms(flight)
        self._write(self._taken(sock), flight)
        self._wake()

    def _never_sent(self, flight: F) -> None:
        flight.sent = flight.begun
        self.news.append(flight)

    def _write(self, line: Line, flight: F) -> None:
        line.flight, flight.line = flight, line
        flight.sent = time.monotonic_ns()
        try:
            gone = send_what_goes(line.socket, flight.content)
        except OSError:
            self.news.append(flight)
            self._end(flight, "reset", RESET)
            return
        self.news.append(flight)
        if gone < len(flight.content):
            line.rest = memoryview(flight.content)[gone:]
            self._selector.modify(line.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, line)
        self.look(unseen_since=flight.sent)
        if flight.how:
            return
        self._set_alarm(flight, flight.sent + flight.timeout.ns, self._too_late)
        if flight.leave_after is not None:
            self._set_alarm(flight, flight.sent + flight.leave_after.ns, self._leave)

    def _write_rest(self, line: Line) -> None:
        if line.rest is None:
            return
        try:
            line.rest = line.rest[send_what_goes(line.socket, line.rest) :]
        except OSError:
            # What the server still said, if anything, is there to be read.
            line.rest = line.rest[:0]
        if not line.rest:
            line.rest = None
            self._selector.modify(line.socket, selectors.EVENT_READ, line)

    def _read(self, line: Line, first: int) -> None:
        flight: F = line.flight
        reader = flight.reader
        try:
            data = line.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            self._end(flight, "reset", RESET)
            return
        if not data:
            reader.feed_end()
            ended: How = "answered" if reader.complete and reader.broken is None else "eof"
            self._end(flight, ended, keep=False)
            return
        flight.first = flight.first or first
        reader.feed(data)
        if reader.broken is not None:
            self._end(flight, "eof")
        elif reader.complete:
            keep = reader.keep_alive and line.rest is None and reader.status != _SWITCHING
            self._end(flight, "answered", keep=keep)

    def _end(self, flight: F, how: How, because: str = "", *, keep: bool = False) -> None:
        line, flight.line = flight.line, None
        if line is not None:
            line.flight = None
            if not keep:
                self._drop(line)
        flight.last = time.monotonic_ns()
        flight.how, flight.because = how, because
        if line is not None and keep:
            line.since = flight.last
            self._idle[line] = None
        _cancel_alarms(flight)
        self._flying.pop(flight, None)
        self.news.append(flight)
        self._wake()

    def _drop(self, line: Line) -> None:
        self._idle.pop(line, None)
        self._selector.unregister(line.socket)
        line.socket.close()

    def _set_alarm(self, flight: F, at: int, then: Callable[[F], None]) -> None:
        flight.alarms.append(self._timers.call_at(at / 1e9, partial(then, flight)))

    def _too_late(self, flight: F) -> None:
        self.look()
        what = "whole answer" if flight.first else "answer"
        self.give_up(flight, "deadline", f"no {what} within {flight.timeout}")

    def _leave(self, flight: F) -> None:
        self.give_up(flight, "left", LEFT)


def _cancel_alarms(flight: Flight) -> None:
    for alarm in flight.alarms:
        alarm.cancel()
    flight.alarms.clear()


def _is_silent(sock: socket.socket) -> bool:
    """False once its end, or anything else, is there to be read: nobody was asked anything."""
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
