"""Corrupt: changes one byte in each run of so many, at a drawn place. Lengths never change.

How the stream was split into chunks does not matter: the same draws change the same bytes.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar, Literal

from harness.kinds import params
from harness.model.errors import UserError
from harness.model.units import Instant, Size
from harness.proxy.items import Action, Chunk, Injected, Item
from harness.proxy.spoken import whole_bytes
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import Attribute, TextAttribute, Value, WireAttribute


class Corrupt(Toxic):
    """Each run draws its place, a bit and a mask as it begins, whatever ``how`` needs of them.

    ``flip`` turns one bit over; ``random`` gives any of the 255 other values; ``zero`` gives 0, so a
    byte that is 0 already stays as it is. Where a toxic acts on requests, a message begins a run.
    """

    kind = "corrupt"
    summary = "Changes one byte in each run of so many: one bit, to zero, or to anything."
    wire: ClassVar[tuple[Attribute, ...]] = (
        WireAttribute(name="every", default=1000, least=1, unit="bytes"),
        TextAttribute(name="how", default="flip", choices=("flip", "zero", "random")),
    )

    @params
    class Params:
        """One byte in each ``every``."""

        every: Size = Size(1000)
        how: Literal["flip", "zero", "random"] = "flip"

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._renew()

    def _renew(self) -> None:
        # Bytes from here to the end of the run, and to its place (below 0: behind us).
        self._left = 0
        self._ahead = 0
        self._bit = 0
        self._mask = 0

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if not isinstance(item, Chunk):
            return (item,)
        if item.part is not None and item.part.first:
            self._left = 0
        data = self._corrupted(item.data)
        if data == item.data:
            return (item,)
        return (Injected(item.turn), Chunk(data, item.stamp, item.turn))

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        """Another ``every`` begins a new run with the next byte."""
        if values["every"] != self.values["every"]:
            self._left = 0
        self.values = values
        return ()

    def remove(self, now: Instant) -> Sequence[Action]:
        self._renew()
        return ()

    def _corrupted(self, data: bytes) -> bytes:
        changed: bytearray | None = None
        at = 0
        while at < len(data):
            if not self._left:
                self._begin_run()
            taken = min(self._left, len(data) - at)
            if 0 <= self._ahead < taken:
                changed = bytearray(data) if changed is None else changed
                place = at + self._ahead
                changed[place] = self._other(data[place])
            self._ahead -= taken
            self._left -= taken
            at += taken
        return data if changed is None else bytes(changed)

    def _begin_run(self) -> None:
        self._left = int(self.values["every"])
        self._ahead = self.draws.randrange(self._left)
        self._bit = self.draws.randrange(8)
        self._mask = self.draws.randrange(1, 256)

    def _other(self, value: int) -> int:
        match self.values["how"]:
            case "flip":
                return value ^ (1 << self._bit)
            case "random":
                return value ^ self._mask
            case _:
                return 0

    @classmethod
    def attributes(cls, params: "Corrupt.Params") -> dict[str, Value]:
        """Bytes for the wire.

        Raises:
            UserError: runs of no byte.
        """
        every = whole_bytes("every", params.every)
        if every < 1:
            raise UserError(f"every: {params.every.text()} is out of range, use 1B or more.")
        return {"every": every, "how": params.how}

    @classmethod
    def trace(cls, params: "Corrupt.Params") -> Trace:
        return Trace(effect="unseen")

    @classmethod
    def words(cls, params: "Corrupt.Params") -> str:
        done = {"flip": "bit flipped", "zero": "byte zeroed", "random": "byte replaced"}
        return f"one {done[params.how]} in every {params.every}"
