"""Limit data: ends the connection, both ways, right behind the last byte that is allowed.

Here bytes are counted. When the end reaches the sockets is the link's business.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.kinds import params
from harness.model.units import Instant, Size
from harness.proxy.items import Action, Chunk, Close, Injected, Item
from harness.proxy.spoken import whole_bytes
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import Attribute, Value, WireAttribute


class LimitData(Toxic):
    """A counter. It starts when the toxic comes to the connection, and a change keeps it."""

    kind = "limit_data"
    summary = "Ends the connection exactly behind so many bytes."
    wire: ClassVar[tuple[Attribute, ...]] = (WireAttribute(name="bytes"),)

    @params
    class Params:
        """With ``bytes`` 0 the connection ends at its first byte, not before."""

        bytes: Size

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._passed = 0
        self._ended = False

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if self._ended:
            return ()
        if not isinstance(item, Chunk):
            return (item,)
        # Less than nothing is left when the limit was lowered below what has passed.
        left = max(0, int(self.values["bytes"]) - self._passed)
        size = len(item.data)
        if size < left or not size:
            self._passed += size
            return (item,)
        self._ended = True
        if not left:
            return (Injected(item.turn), Close("end"))
        allowed = item if size == left else Chunk(item.data[:left], item.stamp, item.turn)
        return (Injected(item.turn), allowed, Close("end"))

    def remove(self, now: Instant) -> Sequence[Action]:
        self._passed = 0
        self._ended = False
        return ()

    @classmethod
    def attributes(cls, params: "LimitData.Params") -> dict[str, Value]:
        """Bytes for the wire.

        Raises:
            UserError: the size is negative or beyond 64 bits.
        """
        return {"bytes": whole_bytes("bytes", params.bytes)}

    @classmethod
    def trace(cls, params: "LimitData.Params") -> Trace:
        return Trace(effect="end")

    @classmethod
    def words(cls, params: "LimitData.Params") -> str:
        return f"cut after {params.bytes}"
