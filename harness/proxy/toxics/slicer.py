"""Slicer: cuts chunks into small pieces, with a pause after each; nothing is lost or reordered.

With a pause of 0 the pieces leave one right behind the other, so it is up to the reader's kernel
whether they arrive apart.
"""

from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.kinds import params
from harness.model.errors import UserError
from harness.model.units import Duration, Instant, Size
from harness.proxy.items import CHUNK_OVERHEAD, Action, Chunk, Injected, Item, WakeAt, weight
from harness.proxy.spoken import whole_bytes, whole_us
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import MOST_MS, NS_PER_MS, Attribute, Value, WireAttribute, WireProblem

_NS_PER_US = 1_000
# Pieces that leave in one go. A read of 256 KiB in bytes would keep everybody else waiting for a
# second; the rest goes on in the next turn of the loop.
_BURST = 4096


class Slicer(Toxic):
    """A queue of chunks, of which the first is being cut."""

    kind = "slicer"
    summary = "Cuts chunks into small pieces, with a pause after each."
    wire: ClassVar[tuple[Attribute, ...]] = (
        WireAttribute(name="average_size", least=1, unit="bytes"),
        WireAttribute(name="size_variation", unit="bytes"),
        WireAttribute(name="delay", most=MOST_MS * 1_000, unit="us"),
    )

    @params
    class Params:
        """Pieces are about ``average_size`` long, and differ by up to ``size_variation``.

        ``delay`` is the pause after each piece.
        """

        average_size: Size
        size_variation: Size = Size(0)
        delay: Duration = Duration.ZERO

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._queue: deque[tuple[Item, int]] = deque()  # each with the seed of its cuts
        self._cuts: Iterator[int] | None = None  # of the first chunk, once its cutting has begun
        self._left = 0  # so many bytes of it have left
        self._due = 0  # the next piece leaves then, not before
        self._held = 0

    @property
    def held(self) -> int:
        return self._held

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if not isinstance(item, Chunk):
            if not self._queue:
                return (item,)
            self._queue.append((item, 0))
            return ()
        behind, paused = bool(self._queue), now.ns < self._due
        # Drawn here, so that the cuts do not depend on when this chunk's turn comes.
        self._queue.append((item, self.draws.getrandbits(64) if self._variation() else 0))
        self._held += weight(item)
        if behind:
            return (Injected(item.turn),)
        if paused:
            return (Injected(item.turn), WakeAt(Instant(self._due)))
        self._due = now.ns
        cut = len(item.data) > self._whole()
        return (Injected(item.turn), *self._release(now)) if cut else self._release(now)

    def wake(self, now: Instant) -> Sequence[Action]:
        return self._release(now)

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        """The rest of the chunk that is being cut leaves in one piece."""
        self.values = values
        self._due = now.ns
        leaving: list[Action] = [] if self._cuts is None else [self._rest_of_first()]
        return [*leaving, *self._release(now)]

    def remove(self, now: Instant) -> Sequence[Action]:
        leaving = [] if self._cuts is None else [self._rest_of_first()]
        leaving.extend(item for item, _ in self._queue)
        self._queue.clear()
        self._due = 0
        self._held = 0
        return leaving

    def _release(self, now: Instant) -> Sequence[Action]:
        queue, pause = self._queue, self._pause_ns()
        leaving: list[Action] = []
        while queue and self._due <= now.ns and len(leaving) < _BURST:
            leaving.append(self._next_piece())
            # A timer may be late by a millisecond where the machine has none that is exact. Shorter
            # pauses count from when the piece was due, or a thousand of 10 us would take a second;
            # longer ones are never cut short.
            self._due = (self._due if pause < NS_PER_MS else now.ns) + pause
            if queue and not isinstance(queue[0][0], Chunk):
                leaving.append(queue.popleft()[0])
        if queue:
            leaving.append(WakeAt(Instant(max(self._due, now.ns))))
        return leaving

    def _next_piece(self) -> Item:
        first, seed = self._queue[0]
        assert isinstance(first, Chunk)  # a close leaves together with what it is behind
        if self._cuts is None:
            average, variation = int(self.values["average_size"]), self._variation()
            draws = Random(seed)  # noqa: S311 - repeatable is the point
            self._cuts = cuts(len(first.data), average, variation, draws)
        end = next(self._cuts)
        if end == len(first.data):
            return self._rest_of_first()
        piece = Chunk(first.data[self._left : end], first.stamp, first.turn)
        self._held -= end - self._left
        self._left = end
        return piece

    def _rest_of_first(self) -> Item:
        first, _ = self._queue.popleft()
        assert isinstance(first, Chunk)
        left, self._left = self._left, 0
        self._cuts = None
        self._held -= len(first.data) - left + CHUNK_OVERHEAD
        return Chunk(first.data[left:], first.stamp, first.turn) if left else first

    def _variation(self) -> int:
        return max(0, int(self.values["size_variation"]))

    def _whole(self) -> int:
        """Chunks up to this size are left whole."""
        return int(self.values["average_size"]) + self._variation()

    def _pause_ns(self) -> int:
        return max(0, int(self.values["delay"])) * _NS_PER_US

    @classmethod
    def check(cls, values: Mapping[str, Value]) -> None:
        average, variation = int(values["average_size"]), int(values["size_variation"])
        if average < 1:
            raise WireProblem(f"average_size: {average} bytes are no piece, use 1 or more")
        if variation > average:
            raise WireProblem(
                f"size_variation: {variation} is more than average_size, use 0 to {average} bytes"
            )

    @classmethod
    def attributes(cls, params: "Slicer.Params") -> dict[str, Value]:
        """Bytes and whole microseconds for the wire.

        Raises:
            UserError: the delay is no whole number of microseconds, negative, or far too long; a
                size is out of range, or the variation larger than the average.
        """
        values: dict[str, Value] = {
            "average_size": whole_bytes("average_size", params.average_size),
            "size_variation": whole_bytes("size_variation", params.size_variation),
            "delay": whole_us("delay", params.delay),
        }
        try:
            cls.check(values)
        except WireProblem as problem:
            raise UserError(f"{problem}.") from problem
        return values

    @classmethod
    def trace(cls, params: "Slicer.Params") -> Trace:
        # A message that fits into one piece is not delayed; others are by a pause for each piece.
        return Trace(effect="delay", longest=None if params.delay else Duration.ZERO)

    @classmethod
    def words(cls, params: "Slicer.Params") -> str:
        around = f" ± {params.size_variation}" if params.size_variation != Size(0) else ""
        apart = f", {_pause_words(params.delay)} apart" if params.delay else ""
        return f"slices of {params.average_size}{around}{apart}"


def cuts(size: int, average: int, variation: int, draws: Random) -> Iterator[int]:
    """Where the pieces of ``size`` bytes end, the last one being ``size``. All lengths in bytes.

    Toxiproxy's own way: what is longer than ``average`` and ``variation`` together is halved, and
    the cut moved by a draw from [-variation, variation); then each half in turn. Without variation
    pieces are therefore more than half an average long, and an average at most. Ours never makes an
    empty piece, which the original does when the variation is as large as the average.
    """
    ahead = [(0, size)]
    while ahead:
        start, end = ahead.pop()
        if end - start - average <= variation:
            yield end
            continue
        middle = start + (end - start) // 2
        if variation:
            middle = max(start + 1, middle + draws.randrange(-variation, variation))
        ahead += [(middle, end), (start, middle)]


def _pause_words(pause: Duration) -> str:
    return f"{pause.ns // _NS_PER_US} µs" if pause.ns < NS_PER_MS else str(pause)
