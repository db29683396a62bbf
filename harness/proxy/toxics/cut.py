"""Cut: its stream forwards exactly so much, or runs so long, then both sides are ended.

What ends the connection for good and all is here; silence without an end is ``blackhole_after``.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar, Literal

from harness.kinds import params
from harness.model.errors import UserError
from harness.model.units import Duration, Instant, Size
from harness.protocols.exchange import Part
from harness.proxy.items import Action, Chunk, Close, Injected, Item, WakeAt
from harness.proxy.spoken import whole_bytes, whole_ms
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import (
    Attribute,
    TextAttribute,
    Value,
    WireAttribute,
    WireProblem,
    milliseconds,
)

_LIMITS = ("bytes", "messages", "after_ms")


class Cut(Toxic):
    """Counts bytes, or messages, or waits; once it has ended the stream, nothing passes."""

    kind = "cut"
    summary = "Ends both sides after so many bytes or messages of its stream, or after a time."
    wire: ClassVar[tuple[Attribute, ...]] = (
        WireAttribute(name="bytes", default=None, least=0),
        WireAttribute(name="messages", default=None, least=0),
        milliseconds("after_ms", default=None, least=0),
        TextAttribute(name="how", default="reset", choices=("reset", "close")),
    )

    @params
    class Params:
        """One of ``bytes``, ``messages`` and ``after``."""

        bytes: Size | None = None
        messages: int | None = None
        after: Duration | None = None
        how: Literal["reset", "close"] = "reset"

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        # Bytes and time count whatever the stream means, so no codec may let any of it pass by.
        self.framed = "messages" in values
        self._renew()

    def _renew(self) -> None:
        self._passed = 0
        self._inside = False
        self._began: Instant | None = None
        self._turn = 0
        self._over = False

    def start(self, now: Instant) -> Sequence[Action]:
        self._began = now
        return self._timer()

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if self._over:
            return ()
        if not isinstance(item, Chunk):
            self._over = True
            return (item,)
        self._turn = item.turn
        if "bytes" in self.values:
            return self._count(item, int(self.values["bytes"]))
        if "messages" in self.values and item.part is not None:
            return self._count_messages(item, item.part, int(self.values["messages"]))
        return (item,)

    def wake(self, now: Instant) -> Sequence[Action]:
        due = self._due()
        if due is None or self._over:
            return ()
        return self._ended(self._turn) if now >= due else (WakeAt(due),)

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        """What has passed stays counted, and the time counts from when it began."""
        self.values = values
        return self._timer()

    def remove(self, now: Instant) -> Sequence[Action]:
        self._renew()
        return ()

    def _count(self, item: Chunk, limit: int) -> Sequence[Action]:
        left = max(0, limit - self._passed)
        data = item.data[:left]
        self._passed += len(data)
        if self._passed < limit:
            return (item,)
        if not data:
            return self._ended(item.turn)
        return self._ended(item.turn, Chunk(data, item.stamp, item.turn))

    def _count_messages(self, item: Chunk, part: Part, limit: int) -> Sequence[Action]:
        # The final answer follows: both are one message here.
        interim = part.head is not None and part.head.interim
        if part.first and not interim:
            # Where nobody knows the end of a message, it is the beginning of the next one.
            self._passed += self._inside
            self._inside = True
        if self._passed >= limit:
            return self._ended(item.turn)
        if part.last and not interim:
            self._passed += 1
            self._inside = False
            if self._passed >= limit:
                return self._ended(item.turn, item)
        return (item,)

    def _ended(self, turn: int, *before: Chunk) -> Sequence[Action]:
        self._over = True
        return (
            Injected(turn), *before, Close("end" if self.values["how"] == "close" else "reset")
        )  # fmt: skip

    def _due(self) -> Instant | None:
        if self._began is None or "after_ms" not in self.values:
            return None
        return self._began + Duration.of_ms(int(self.values["after_ms"]))

    def _timer(self) -> Sequence[Action]:
        due = self._due()
        return () if due is None or self._over else (WakeAt(due),)

    @classmethod
    def check(cls, values: Mapping[str, Value]) -> None:
        """One limit, no more and no less.

        Raises:
            WireProblem: none is given, or several are.
        """
        given = [name for name in _LIMITS if name in values]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise WireProblem(f"bytes, messages, after_ms: {found} given, give exactly one of them")

    @classmethod
    def attributes(cls, params: "Cut.Params") -> dict[str, Value]:
        """The one limit and how, for the wire.

        Raises:
            UserError: not exactly one limit, or it is out of range.
        """
        given: dict[str, Value] = {}
        if params.bytes is not None:
            given["bytes"] = whole_bytes("bytes", params.bytes)
        if params.messages is not None:
            given["messages"] = params.messages
        if params.after is not None:
            given["after_ms"] = whole_ms("after", params.after)
        if len(given) != 1:
            found = " and ".join("after" if name == "after_ms" else name for name in given)
            raise UserError(
                f"cut: {found or 'none'} given of bytes, messages and after. Give exactly one."
            )
        if params.messages is not None and params.messages < 0:
            raise UserError(f"messages: {params.messages} is out of range, use 0 or more.")
        return given | {"how": params.how}

    @classmethod
    def trace(cls, params: "Cut.Params") -> Trace:
        return Trace(effect="end")

    @classmethod
    def words(cls, params: "Cut.Params") -> str:
        after = str(params.after if params.bytes is None else params.bytes)
        if params.messages is not None:
            after = f"{params.messages} message{'' if params.messages == 1 else 's'}"
        return f"{params.how} after {after}"
