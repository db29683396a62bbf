"""One direction of a connection: what one socket gave goes through the chain to the other socket.

Here are the timer, the back-pressure and the order of writes. Which bytes leave when is decided in
the chain; joining the two directions and ending them is the connection's business.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from harness.model.units import Instant
from harness.proxy.alarms import Handle, Timers
from harness.proxy.chain import Chain
from harness.proxy.items import Chunk, Close, Crossing, Injection, Item, Output, Skip, weight

# Kept while the other side is being dialled.
PENDING_BOUND = 64 * 1024


class Ends(Protocol):
    """What a link tells the connection it is part of."""

    def passing(self, turn: int, data: bytes, now: Instant) -> None:
        """``data`` of ``turn`` is about to be written."""

    def injected(self, turn: int, toxic: str, request: int) -> None:
        """``toxic`` acted on bytes of ``turn``; and of which request, 0 if that is not known."""

    def skipped(self, toxic: str) -> None:
        """``toxic`` cannot read this connection and leaves it alone."""

    def crossing(self, item: Item, toxic: str) -> None:
        """``toxic`` sends ``item`` into the other direction."""

    def failed(self) -> None:
        """A toxic raised; the exception is the current one."""

    def delivered(self) -> None:
        """Toxics were fed; those of the other direction may have heard it."""

    def finished(self, now: Instant) -> None:
        """The last byte and the FIN behind it were written."""

    def ending(self, sink: asyncio.Transport, *, reset: bool) -> None:
        """A close for both directions has come to the end of the chain."""


class _Nobody:
    """The ends of a connection that is over."""

    def passing(self, turn: int, data: bytes, now: Instant) -> None:
        pass

    def injected(self, turn: int, toxic: str, request: int) -> None:
        pass

    def skipped(self, toxic: str) -> None:
        pass

    def crossing(self, item: Item, toxic: str) -> None:
        pass

    def failed(self) -> None:
        pass

    def delivered(self) -> None:
        pass

    def finished(self, now: Instant) -> None:
        pass

    def ending(self, sink: asyncio.Transport, *, reset: bool) -> None:
        pass


_NOBODY = _Nobody()


class Link:
    """``take`` and ``take_close`` are called by the source's side, ``pause`` by the sink's."""

    __slots__ = (
        "_blocked", "_clock", "_ends", "_pending", "_sink_full", "_timer", "_timer_ns",
        "_timers", "chain", "done", "sink", "source",
    )  # fmt: skip

    def __init__(
        self,
        ends: Ends,
        *,
        timers: Timers,
        clock: Callable[[], Instant],
    ) -> None:
        self._ends = ends
        self._timers = timers
        self._clock = clock
        self.chain = Chain()
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self.done = False
        """Nothing more will be written: finished or stopped."""
        self._pending: list[Chunk | Close] = []
        self._blocked = False
        self._sink_full = False
        self._timer: Handle | None = None
        self._timer_ns = 0

    def take(self, data: bytes, turn: int, now: Instant, request: int = 0) -> None:
        """The source sent bytes; the first is of that request, if anybody knows."""
        if self.chain.transparent and self.sink is not None and not self.done:
            # The common case costs one call; ``attach`` has emptied what was pending.
            self._ends.passing(turn, data, now)
            self.sink.write(data)
            return
        self.deliver(self.chain.feed(Chunk(data, now, turn, None, request), now))

    def take_close(self, close: Close, now: Instant) -> None:
        """The source's stream ended."""
        self.deliver(self.chain.feed(close, now))

    def attach(self, sink: asyncio.Transport) -> None:
        """The other side is there; what waited for it goes first."""
        self.sink = sink
        waiting, self._pending = self._pending, []
        self.deliver(list(waiting))

    def deliver(self, outputs: list[Output], now: Instant | None = None) -> None:
        """Acts on what left the chain, then sets the timer and the back-pressure anew.

        ``now`` is for callers who have just read the clock.
        """
        crossings: list[Crossing] = []
        for output in outputs:
            if type(output) is Chunk:  # first, for most are, and a match asks slowly
                self._let_out(output, now)
                continue
            match output:
                case Injection(turn, toxic, request):
                    self._ends.injected(turn, toxic, request)
                case Crossing():
                    crossings.append(output)
                case Skip(toxic):
                    self._ends.skipped(toxic)
                case _:
                    self._let_out(output, now)
        if not self.done:
            self._set_timer()
            self._balance()
        # Behind the rest: the other direction may answer into this one, or end both.
        for crossing in crossings:
            self._ends.crossing(crossing.item, crossing.toxic)
        self._ends.delivered()

    def _let_out(self, item: Item, now: Instant | None) -> None:
        sink = self.sink
        if self.done:
            # The FIN has passed before; the other direction may be open, and shall end too.
            if isinstance(item, Close) and item.how != "eof" and sink is not None:
                self._close(item, sink)
        elif sink is None:
            self._pending.append(item)
        elif isinstance(item, Chunk):
            self._ends.passing(item.turn, item.data, now or self._clock())
            sink.write(item.data)
        else:
            self._close(item, sink)

    def look(self) -> None:
        """A toxic of this direction may have asked to be woken while it heard the other one."""
        if not self.done:
            self._set_timer()

    def pause(self, *, full: bool) -> None:
        """The sink's buffer is full, or has room again."""
        self._sink_full = full
        self._balance()

    def stop(self) -> None:
        """Drops what is held, now and for good; the sink is gone or going."""
        self.done = True
        self.sink = None
        self._pending.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.source is not None and not self.source.is_closing():
            self.source.pause_reading()

    def retire(self) -> None:
        """The connection is over: nothing will be told to anybody."""
        self.stop()
        self.source = None
        self._ends = _NOBODY

    def _close(self, close: Close, sink: asyncio.Transport) -> None:
        if close.how != "eof":
            self._ends.ending(sink, reset=close.how == "reset")
            return
        self.done = True
        now = self._clock()  # first: no end is stamped later than it can be seen
        if sink.can_write_eof() and not sink.is_closing():
            sink.write_eof()
        self._ends.finished(now)

    def _set_timer(self) -> None:
        due = self.chain.due_ns
        if due is None or (self._timer is not None and self._timer_ns <= due):
            return  # an earlier timer looks again by itself
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ns = due
        self._timer = self._timers.call_at(due / 1e9, self._wake)

    def _wake(self) -> None:
        # Timers may fire a little early; the chain looks at the clock, and lets out only what is
        # due. One timer for the whole queue: equal deadlines on the loop keep no order.
        self._timer = None
        now = self._clock()
        try:
            outputs = self.chain.wake(now)
        except Exception:
            # A toxic that fails, perhaps somebody else's: without its timer this would hang in silence.
            self._ends.failed()
            return
        self.deliver(outputs, now)

    def _balance(self) -> None:
        """Reads from the source only while there is room for what it sends."""
        source = self.source
        if source is None or self.chain.closed or self.done:
            return
        blocked = (
            self._sink_full
            or self.chain.full
            or (bool(self._pending) and self._waiting() > PENDING_BOUND)
        )
        if blocked != self._blocked:
            self._blocked = blocked
            if blocked:
                source.pause_reading()
            else:
                source.resume_reading()

    def _waiting(self) -> int:
        """What is kept for the side that is being dialled, by ``weight``."""
        return sum(weight(item) for item in self._pending if isinstance(item, Chunk))
