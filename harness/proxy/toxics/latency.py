"""Latency: holds each chunk for its own draw, counted from its arrival; nothing is lost or reordered.

Cutting and dropping are other toxics. The clock and the socket are the link's.
"""

from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from math import sqrt
from random import Random
from typing import Any, ClassVar, Literal

from harness.kinds import params
from harness.model.units import Duration, Instant
from harness.proxy.items import Action, Chunk, Injected, Item, WakeAt, weight
from harness.proxy.spoken import whole_ms
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import NS_PER_MS, Attribute, TextAttribute, Value, milliseconds

# Where the two draws without a bound are cut, in jitters above latency. A normal draw goes beyond
# once in a billion, a pareto draw once in ten thousand.
_NORMAL_MOST = 6
_PARETO_MOST = 100


class Latency(Toxic):
    """A queue. Each entry has the instant it is due, never before the entry in front of it."""

    kind = "latency"
    summary = "Holds every chunk for a time (latency, and jitter around it); order is kept."
    wire: ClassVar[tuple[Attribute, ...]] = (
        milliseconds("latency"),
        milliseconds("jitter"),
        TextAttribute(name="distribution", default=None, choices=("uniform", "normal", "pareto")),
    )

    # What is under way on a long line is in nobody's buffer, so only memory bounds it. Toxiproxy takes
    # in 33.75 MiB before a sender blocks.
    room: ClassVar[int] = 32 * 1024 * 1024

    @params
    class Params:
        """``jitter`` says how far a chunk's delay lies from ``latency``, by ``distribution``.

        ``uniform``: so far at most. ``normal``: it is the deviation. ``pareto``: ``latency`` is the
        least, and the mean is larger by ``jitter``.
        """

        latency: Duration
        jitter: Duration = Duration.ZERO
        distribution: Literal["uniform", "normal", "pareto"] = "uniform"

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._queue: deque[tuple[int, Item]] = deque()
        self._held = 0
        self._read_values()

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
        self._read_values()
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
        if not self._jitter:
            return self._latency * NS_PER_MS
        return max(0, self._draw(self.draws, self._latency, self._jitter))

    def _read_values(self) -> None:
        """Once for all chunks, until they change."""
        self._latency = max(0, int(self.values["latency"]))
        self._jitter = max(0, int(self.values["jitter"]))
        self._draw = _DRAWS[str(self.values.get("distribution", "uniform"))]

    @classmethod
    def attributes(cls, params: "Latency.Params") -> dict[str, Value]:
        """Whole milliseconds for the wire.

        Raises:
            UserError: a duration is no whole number of milliseconds, negative, or far too long.
        """
        values: dict[str, Value] = {
            "latency": whole_ms("latency", params.latency),
            "jitter": whole_ms("jitter", params.jitter),
        }
        if params.distribution != "uniform":
            values["distribution"] = params.distribution
        return values

    @classmethod
    def trace(cls, params: "Latency.Params") -> Trace:
        latency, jitter = params.latency, params.jitter
        if not jitter:
            return Trace(effect="delay", least=latency, usual=latency, longest=latency)
        least, usual, most = {
            "uniform": (max(Duration.ZERO, latency - jitter), latency, 1),
            "normal": (Duration.ZERO, latency, _NORMAL_MOST),
            "pareto": (latency, latency + jitter, _PARETO_MOST),
        }[params.distribution]
        return Trace(effect="delay", least=least, usual=usual, longest=latency + jitter * most)

    @classmethod
    def words(cls, params: "Latency.Params") -> str:
        if not params.jitter:
            return f"{params.latency} latency"
        sign = "+" if params.distribution == "pareto" else "±"
        drawn = "" if params.distribution == "uniform" else f" ({params.distribution})"
        return f"{params.latency} {sign} {params.jitter} latency{drawn}"


def _restamped(item: Item, stamp: Instant) -> Item:
    return Chunk(item.data, stamp, item.turn) if isinstance(item, Chunk) else item


def _uniform(draws: Random, latency: int, jitter: int) -> int:
    """Nanoseconds; ``latency`` and ``jitter`` in ms. Whole ms in [-jitter, jitter), as Toxiproxy."""
    return (latency + draws.randrange(-jitter, jitter)) * NS_PER_MS


def _normal(draws: Random, latency: int, jitter: int) -> int:
    """Nanoseconds; ``latency`` (the mean) and ``jitter`` (the deviation) in ms. May be below 0."""
    beyond = min(draws.normalvariate(), _NORMAL_MOST)
    return latency * NS_PER_MS + round(jitter * NS_PER_MS * beyond)


def _pareto(draws: Random, latency: int, jitter: int) -> int:
    """Nanoseconds; ``latency`` (the least) and ``jitter`` in ms.

    ``latency + jitter * L``, L of the Pareto type II or Lomax distribution (K. S. Lomax, Business
    Failures, JASA 49, 1954) with tail index 2 and scale 1: it exceeds x with probability
    ``(1 + x) ** -2``, so ``(1 - u) ** -0.5 - 1`` draws it from a uniform u, and its mean is
    ``1 / (2 - 1) = 1``. Cut at 100, what lies beyond counts as 100 and the mean is the integral of
    that probability from 0 to 100: ``1 - 1 / 101``, one percent less.
    """
    beyond = min(1 / sqrt(1 - draws.random()) - 1, _PARETO_MOST)
    return latency * NS_PER_MS + round(jitter * NS_PER_MS * beyond)


_DRAWS: Mapping[str, Callable[[Random, int, int], int]] = {
    "uniform": _uniform,
    "normal": _normal,
    "pareto": _pareto,
}
