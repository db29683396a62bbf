"""Reset peer: from the first byte or close on nothing passes; after a time both sides get a RST.

A connection on which nothing moves is left alone.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.kinds import params
from harness.model.units import Duration, Instant
from harness.protocols.turn import NO_TURN
from harness.proxy.items import Action, Chunk, Close, Injected, Item, WakeAt
from harness.proxy.spoken import whole_ms
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import Attribute, Value, milliseconds, span_ns


class ResetPeer(Toxic):
    """A timer that the first item starts. Once it runs, a change of the attributes comes too late."""

    kind = "reset_peer"
    summary = "Takes the first bytes in, and resets the connection after a time."
    lasting = True
    wire: ClassVar[tuple[Attribute, ...]] = (milliseconds("timeout"),)

    @params
    class Params:
        """``timeout`` counts from the first byte; 0 resets at once."""

        timeout: Duration

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._due: int | None = None
        self._ended = False

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if self._ended:
            return ()
        injected = Injected(item.turn if isinstance(item, Chunk) else NO_TURN)
        if self._due is not None:
            return (injected,)
        self._due = now.ns + span_ns(self.values, "timeout")
        return (injected, *self.wake(now))

    def wake(self, now: Instant) -> Sequence[Action]:
        if self._ended or self._due is None:
            return ()
        if now.ns < self._due:
            return (WakeAt(Instant(self._due)),)
        self._ended = True
        return (Close("reset"),)

    def remove(self, now: Instant) -> Sequence[Action]:
        # Bytes are gone already, so the connection cannot go on as if nothing had been.
        pending = self._due is not None and not self._ended
        self._due = None
        self._ended = False
        return (Close("reset"),) if pending else ()

    @classmethod
    def attributes(cls, params: "ResetPeer.Params") -> dict[str, Value]:
        """Whole milliseconds for the wire.

        Raises:
            UserError: the time is no whole number of milliseconds, negative, or far too long.
        """
        return {"timeout": whole_ms("timeout", params.timeout)}

    @classmethod
    def trace(cls, params: "ResetPeer.Params") -> Trace:
        return Trace(effect="end")

    @classmethod
    def words(cls, params: "ResetPeer.Params") -> str:
        return f"reset after {params.timeout}"
