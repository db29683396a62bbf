"""Bandwidth: lets bytes through at a rate, for each connection or for all of them together.

A chunk takes its size over the rate. What takes more than 100 ms leaves in pieces, one every
100 ms. Pieces keep the stamp of their chunk, so a latency behind this toxic overlaps with it.
At rate 0 everything is held for good; a close is then told at once, and what is held is dropped.
"""

from collections import deque
from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.kinds import params
from harness.model.units import Instant, Rate
from harness.proxy.items import CHUNK_OVERHEAD, Action, Chunk, Injected, Item, WakeAt, weight
from harness.proxy.spoken import whole_kilobytes_per_second
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import NS_PER_MS, Attribute, FlagAttribute, Value, WireAttribute

_MS_PER_PIECE = 100


class Bandwidth(Toxic):
    """A queue before a clock that tells when the line is free.

    Only the piece that leaves next has its time booked. Where the clock is shared, connections
    therefore take turns piece by piece, however much one of them holds, and one that ends leaves
    no more than its piece's time unused.
    """

    kind = "bandwidth"
    summary = "Lets bytes pass at a rate; what comes faster is held."
    wire: ClassVar[tuple[Attribute, ...]] = (
        # KB/s of 1,000 bytes, which is also bytes a millisecond.
        WireAttribute(name="rate", least=0, unit="KB/s"),
        FlagAttribute(name="shared", default=None),
    )

    @params
    class Params:
        """``shared``: one rate for all connections of the proxy, otherwise each has its own."""

        rate: Rate
        shared: bool = False

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._queue: deque[Item] = deque()
        self._left = 0  # so many bytes of the first chunk have left
        self._due: int | None = None  # when its next piece leaves; None: never, the rate is 0
        self._held = 0
        self._own: MutableMapping[str, Any] = {}

    @property
    def held(self) -> int:
        return self._held

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if not isinstance(item, Chunk):
            return self._close_behind(item)
        waits = bool(self._queue)
        self._queue.append(item)
        self._held += weight(item)
        if not waits:
            self._book(now.ns)
            if self._due is not None and self._due <= now.ns:
                return self._release(now)
        timer = () if waits or self._due is None else (WakeAt(Instant(self._due)),)
        return (Injected(item.turn), *timer)

    def wake(self, now: Instant) -> Sequence[Action]:
        return self._release(now)

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        """The rest of the first chunk leaves, what is behind it books anew."""
        self.values = values
        self._own.clear()
        if not self._queue:
            return ()
        leaving: list[Action] = [self._rest_of_first()]
        last = self._queue[-1] if self._queue else None
        if last is not None and not isinstance(last, Chunk) and not self._rate():
            leaving.append(last)
            self._forget()
        elif last is not None:
            self._book(now.ns)
            leaving.extend(self._release(now))
        return leaving

    def remove(self, now: Instant) -> Sequence[Action]:
        leaving = [self._rest_of_first(), *self._queue] if self._queue else []
        self._forget()
        self._own.clear()
        return leaving

    def _close_behind(self, close: Item) -> Sequence[Action]:
        if not self._queue:
            return (close,)
        if not self._rate():
            # Held bytes would keep the close, and so both sockets, for ever.
            self._forget()
            return (close,)
        self._queue.append(close)
        return ()

    def _release(self, now: Instant) -> Sequence[Action]:
        queue = self._queue
        leaving: list[Action] = []
        while queue and self._due is not None and self._due <= now.ns:
            leaving.append(self._next_piece())
            if queue:
                # From when the last one was due: a late timer costs no bandwidth.
                self._book(self._due)
        if queue and self._due is not None:
            leaving.append(WakeAt(Instant(self._due)))
        return leaving

    def _book(self, ready: int) -> None:
        """Gives the next piece its time on the line, which it can use from ``ready`` on."""
        first, rate = self._queue[0], self._rate()
        if not isinstance(first, Chunk):
            self._due = ready
        elif not rate:
            self._due = None
        else:
            line = self._line(ready)
            # Whole nanoseconds, rounded down: so large a rate that a chunk takes none is no limit.
            took = self._piece_size(first) * NS_PER_MS // rate
            self._due = line["free_at"] = max(line["free_at"], ready) + took

    def _line(self, ready: int) -> MutableMapping[str, Any]:
        """When the line is free. What was booked at another rate does not count."""
        line = self.common if self.values.get("shared") else self._own
        if line.get("rate") != self._rate():
            line.update(rate=self._rate(), free_at=ready)
        return line

    def _piece_size(self, first: Chunk) -> int:
        return min(len(first.data) - self._left, self._rate() * _MS_PER_PIECE)

    def _next_piece(self) -> Item:
        first = self._queue[0]
        if not isinstance(first, Chunk):
            return self._queue.popleft()
        size = self._piece_size(first)
        if self._left + size == len(first.data):
            return self._rest_of_first()
        piece = Chunk(first.data[self._left : self._left + size], first.stamp, first.turn)
        self._left += size
        self._held -= size
        return piece

    def _rest_of_first(self) -> Item:
        first = self._queue.popleft()
        if not isinstance(first, Chunk):
            return first
        left, self._left = self._left, 0
        self._held -= len(first.data) - left + CHUNK_OVERHEAD
        return Chunk(first.data[left:], first.stamp, first.turn) if left else first

    def _forget(self) -> None:
        self._queue.clear()
        self._left = 0
        self._due = None
        self._held = 0

    def _rate(self) -> int:
        return int(self.values["rate"])

    @classmethod
    def attributes(cls, params: "Bandwidth.Params") -> dict[str, Value]:
        """KB/s for the wire.

        Raises:
            UserError: the rate is no whole number of KB/s, or negative.
        """
        rate = whole_kilobytes_per_second("rate", params.rate)
        return {"rate": rate, "shared": True} if params.shared else {"rate": rate}

    @classmethod
    def trace(cls, params: "Bandwidth.Params") -> Trace:
        # A message of one byte takes next to no time, one of many bytes any time.
        return Trace(effect="delay", longest=None)

    @classmethod
    def words(cls, params: "Bandwidth.Params") -> str:
        return f"{params.rate} bandwidth{', shared' if params.shared else ''}"
