"""Latency: holds each chunk for its own draw, counted from its arrival; nothing is lost or reordered.

Cutting and dropping are other toxics. The clock and the socket are the link's.
"""

from collections import deque
from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.kinds import params
from harness.model.units import Duration, Instant
from harness.proxy.items import Action, Chunk, Injected, Item, WakeAt, weight
from harness.proxy.spoken import whole_ms
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import Attribute, Value, milliseconds

_NS_PER_MS = 1_000_000


class Latency(Toxic):
    """A queue. Each entry has the instant it is due, never before the entry in front of it."""

    kind = "latency"
    summary = "Holds every chunk for a time (latency, and jitter around it); order is kept."
    wire: ClassVar[tuple[Attribute, ...]] = (milliseconds("latency"), milliseconds("jitter"))

    @params
    class Params:
        """``jitter`` is the most that a chunk's delay differs from ``latency``."""

        latency: Duration
        jitter: Duration = Duration.ZERO

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._queue: deque[tuple[int, Item]] = deque()
        self._held = 0

    @property
    def held(self) -> int:
        return self._held

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        queue = self._queue
        if not isinstance(item, Chunk):
            if not queue:
                return (item,)
            queue.append((queue[-1][0], item))
            return ()
        delay = self._draw_ns()
        if not delay and not queue:
            return (item,)
        due = item.stamp.ns + delay
        if queue:
            queue.append((max(due, queue[-1][0]), item))
            self._held += weight(item)
            return (Injected(item.turn),)
        if due <= now.ns:
            # Late already, by another toxic's wait or a timer: its time here counts all the same.
            return (Injected(item.turn), Chunk(item.data, Instant(due), item.turn))
        queue.append((due, item))
        self._held += weight(item)
        return (Injected(item.turn), WakeAt(Instant(due)))

    def wake(self, now: Instant) -> Sequence[Action]:
        queue = self._queue
        leaving: list[Action] = []
        while queue and queue[0][0] <= now.ns:
            due, item = queue.popleft()
            # Stamped with the instant it was due, so that a late timer does not add up in a chain.
            leaving.append(self._released(item, Instant(due)))
        if queue:
            leaving.append(WakeAt(Instant(queue[0][0])))
        return leaving

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        self.values = values
        waiting = [item for _, item in self._queue]
        self._queue.clear()
        self._held = 0
        if not waiting:
            return ()
        # What is being waited for leaves; the rest counts the new delay from its own arrival.
        actions: list[Action] = [_restamped(waiting[0], now)]
        for item in waiting[1:]:
            actions.extend(self.feed(item, now))
        return actions

    def remove(self, now: Instant) -> Sequence[Action]:
        leaving = [_restamped(item, now) for _, item in self._queue]
        self._queue.clear()
        self._held = 0
        return leaving

    def _released(self, item: Item, stamp: Instant) -> Item:
        if isinstance(item, Chunk):
            self._held -= weight(item)
        return _restamped(item, stamp)

    def _draw_ns(self) -> int:
        delay, jitter = int(self.values["latency"]), int(self.values["jitter"])
        if jitter > 0:
            # Whole milliseconds in [-jitter, jitter), as Toxiproxy draws them.
            delay += self.draws.randrange(-jitter, jitter)
        return max(0, delay) * _NS_PER_MS

    @classmethod
    def attributes(cls, params: "Latency.Params") -> dict[str, Value]:
        """Whole milliseconds for the wire.

        Raises:
            UserError: a duration is no whole number of milliseconds, negative, or far too long.
        """
        return {
            "latency": whole_ms("latency", params.latency),
            "jitter": whole_ms("jitter", params.jitter),
        }

    @classmethod
    def trace(cls, params: "Latency.Params") -> Trace:
        return Trace(
            effect="delay",
            least=max(Duration.ZERO, params.latency - params.jitter),
            usual=params.latency,
            longest=params.latency + params.jitter,
        )

    @classmethod
    def words(cls, params: "Latency.Params") -> str:
        around = f" ± {params.jitter}" if params.jitter else ""
        return f"{params.latency}{around} latency"


def _restamped(item: Item, stamp: Instant) -> Item:
    return Chunk(item.data, stamp, item.turn) if isinstance(item, Chunk) else item
