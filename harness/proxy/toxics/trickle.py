"""Trickle: the head of an HTTP answer passes at once, its body waits, then flows slowly.

So the client sees a server that has answered and does not get on. Bytes are never lost; a rate for
all bytes of any protocol is another toxic's.
"""

from collections import deque
from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from msgspec import Struct

from harness.kinds import params
from harness.model.errors import UserError
from harness.model.units import Duration, Instant, Rate
from harness.proxy.items import CHUNK_OVERHEAD, Action, Chunk, Injected, Item, WakeAt, weight
from harness.proxy.spoken import whole_ms
from harness.proxy.toxic import Direction, Toxic, Trace
from harness.proxy.wire import MOST, Attribute, Value, WireAttribute, milliseconds, span_ns

_NS_PER_S = 1_000_000_000
_PIECES_PER_S = 10


class _Entry(Struct, frozen=True):
    """An item that waits; ``body``: at its rate. ``opens``: a body follows, its delay begins here."""

    item: Item
    came_ns: int
    body: bool = False
    opens: bool = False


class Trickle(Toxic):
    """A queue. What stands in front says when it leaves; all behind waits for it.

    The byte number k of a body leaves ``delay + k / rate`` after its head, or later by as much as
    the server was late with it.
    """

    kind = "trickle"
    summary = "Lets status and headers of an HTTP answer pass, holds its body, then lets it drip."
    wire: ClassVar[tuple[Attribute, ...]] = (
        milliseconds("delay", default=1000),
        WireAttribute(name="rate", least=0, unit="bytes/s"),
    )
    streams: ClassVar[tuple[Direction, ...]] = ("downstream",)
    codecs: ClassVar[tuple[str, ...]] = ("http",)
    framed = True

    @params
    class Params:
        """Without ``rate`` the body comes at full speed once ``delay`` is over."""

        delay: Duration = Duration.of_s(1)
        rate: Rate | None = None

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._queue: deque[_Entry] = deque()
        self._renew()

    def _renew(self) -> None:
        self._queue.clear()
        self._held = 0
        # How much of the first entry has left already.
        self._taken = 0
        # When the head left, and since when so many bytes of its body have flowed. None: a body
        # whose head was not seen here, which passes.
        self._opened_ns: int | None = None
        self._since_ns = 0
        self._flowed = 0

    @property
    def held(self) -> int:
        return self._held

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        for entry in _entries(item, now.ns):
            self._queue.append(entry)
            if isinstance(entry.item, Chunk):
                self._held += weight(entry.item)
        return self._flow(now)

    def wake(self, now: Instant) -> Sequence[Action]:
        return self._flow(now)

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        """The new delay counts from the head, the new rate from now on."""
        self.values = values
        self._since_ns = max(now.ns, self._gate_ns())
        self._flowed = 0
        return self._flow(now)

    def remove(self, now: Instant) -> Sequence[Action]:
        leaving: list[Action] = []
        for entry in self._queue:
            item = entry.item
            if isinstance(item, Chunk):
                item = Chunk(item.data[self._taken :], now, item.turn)
            self._taken = 0
            leaving.append(item)
        self._renew()
        return leaving

    def _flow(self, now: Instant) -> list[Action]:
        """Lets out what is due, and asks to be woken for the next."""
        actions: list[Action] = []
        while self._queue:
            entry = self._queue[0]
            item = entry.item
            if entry.body and isinstance(item, Chunk) and self._opened_ns is not None:
                due_ns, size = self._next(entry, item)
                if due_ns > now.ns:
                    actions.append(WakeAt(Instant(due_ns)))
                    break
                actions.append(self._piece(item, due_ns, size))
            else:
                actions.extend(self._promptly(entry, now))
        return actions

    def _next(self, entry: _Entry, item: Chunk) -> tuple[int, int]:
        """When the next piece of a body leaves, and how long it is."""
        rest, rate = len(item.data) - self._taken, int(self.values["rate"])
        if not rate:
            return self._gate_ns(), rest
        size = min(rest, max(1, rate // _PIECES_PER_S))
        if entry.came_ns > self._since_ns + self._flowed * _NS_PER_S // rate:
            # The server was slower. What it left unused is not made up for.
            self._since_ns, self._flowed = entry.came_ns, 0
        return self._since_ns + (self._flowed + size) * _NS_PER_S // rate, size

    def _piece(self, item: Chunk, due_ns: int, size: int) -> Chunk:
        data = item.data[self._taken : self._taken + size]
        self._taken += size
        self._flowed += size
        self._held -= size
        if self._taken == len(item.data):
            self._held -= CHUNK_OVERHEAD
            self._taken = 0
            self._queue.popleft()
        # Stamped with the instant it was due, so that a late timer does not add up in a chain.
        return Chunk(data, max(item.stamp, Instant(due_ns)), item.turn)

    def _promptly(self, entry: _Entry, now: Instant) -> Sequence[Action]:
        """Heads, closes, and what is no body of ours: at once, as soon as nothing is before it."""
        self._queue.popleft()
        item = entry.item
        if not isinstance(item, Chunk):
            return (item,)
        self._held -= weight(item)
        passing = Chunk(item.data, item.stamp if entry.came_ns == now.ns else now, item.turn)
        if not entry.opens:
            return (passing,)
        self._opened_ns = now.ns
        self._since_ns, self._flowed = self._gate_ns(), 0
        acts = self.values["rate"] or int(self.values["delay"]) > 0
        # Before the head, for its first byte ends the turn for those who look on.
        return (Injected(item.turn, item.request), passing) if acts else (passing,)

    def _gate_ns(self) -> int:
        """Before this instant no byte of the body leaves."""
        return (self._opened_ns or 0) + span_ns(self.values, "delay")

    @classmethod
    def attributes(cls, params: "Trickle.Params") -> dict[str, Value]:
        """Whole milliseconds and bytes a second for the wire.

        Raises:
            UserError: a delay is no whole number of milliseconds, a rate is out of range.
        """
        rate = 0 if params.rate is None else params.rate.bytes_per_second
        if params.rate is not None and not 1 <= rate <= MOST:
            raise UserError(
                f"rate: {params.rate.text()} is out of range, use 1B/s or more, or leave it out."
            )
        return {"delay": whole_ms("delay", params.delay), "rate": rate}

    @classmethod
    def trace(cls, params: "Trickle.Params") -> Trace:
        """An answer without a body is not delayed; one with a body is by its length."""
        return Trace(
            effect="delay",
            longest=params.delay if params.rate is None else None,
        )

    @classmethod
    def words(cls, params: "Trickle.Params") -> str:
        rate = "" if params.rate is None else f" at {params.rate}"
        return f"bodies after {params.delay}{rate}"


def _entries(item: Item, came_ns: int) -> list[_Entry]:
    """A head and the body in the same read are two entries."""
    if not isinstance(item, Chunk) or item.part is None:
        return [_Entry(item, came_ns)]
    head, last = item.part.head, item.part.last
    if head is None:
        return [_Entry(item, came_ns, body=True)]
    body = item.data[head.size :]
    if not body and last:
        return [_Entry(item, came_ns)]  # no body, or an interim answer, which has none
    # It may leave while another answer is fed, so it says itself whose it is.
    leading = Chunk(item.data[: head.size], item.stamp, item.turn, None, item.request)
    entries = [_Entry(leading, came_ns, opens=True)]
    if body:
        entries.append(_Entry(Chunk(body, item.stamp, item.turn), came_ns, body=True))
    return entries
