"""Timeout: drops every byte; after a time without any it ends the connection, both ways.

As bytes are missing from the stream, taking the toxic off ends the connection too.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.kinds import params
from harness.model.units import Duration, Instant
from harness.proxy.items import Action, Chunk, Close, Injected, Item, WakeAt
from harness.proxy.spoken import whole_ms
from harness.proxy.toxic import Toxic, Trace
from harness.proxy.wire import Attribute, Value, milliseconds, span_ns


class Timeout(Toxic):
    """A timer. It starts with the toxic, and again with each chunk and each change."""

    kind = "timeout"
    summary = "Drops all bytes, and ends the connection after a time without any."
    lasting = True
    wire: ClassVar[tuple[Attribute, ...]] = (milliseconds("timeout"),)

    @params
    class Params:
        """With ``timeout`` 0 the connection stays open and silent."""

        timeout: Duration

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._due: int | None = None
        self._ended = False

    def start(self, now: Instant) -> Sequence[Action]:
        return self._restart(now)

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if self._ended:
            return ()
        if not isinstance(item, Chunk):
            self._ended = True
            return (item,)
        return (Injected(item.turn), *self._restart(now))

    def wake(self, now: Instant) -> Sequence[Action]:
        if self._ended or self._due is None:
            return ()
        if now.ns < self._due:
            return (WakeAt(Instant(self._due)),)
        self._ended = True
        return (Injected(0), Close("end"))

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        self.values = values
        return () if self._ended else self._restart(now)

    def remove(self, now: Instant) -> Sequence[Action]:
        ended = self._ended
        self._ended = False
        self._due = None
        return () if ended else (Close("end"),)

    def _restart(self, now: Instant) -> Sequence[Action]:
        timeout = span_ns(self.values, "timeout")
        if not timeout:
            self._due = None
            return ()
        self._due = now.ns + timeout
        return (WakeAt(Instant(self._due)),)

    @classmethod
    def attributes(cls, params: "Timeout.Params") -> dict[str, Value]:
        """Whole milliseconds for the wire.

        Raises:
            UserError: the time is no whole number of milliseconds, negative, or far too long.
        """
        return {"timeout": whole_ms("timeout", params.timeout)}

    @classmethod
    def trace(cls, params: "Timeout.Params") -> Trace:
        return Trace(effect="end" if params.timeout else "silence")

    @classmethod
    def words(cls, params: "Timeout.Params") -> str:
        after = f" (closed after {params.timeout} without data)" if params.timeout else ""
        return f"silence{after}"
