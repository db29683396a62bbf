"""Slow close: holds back the end of a stream; its bytes pass untouched.

An abort is no end that could be late: a source that sent a RST is gone, so a RST passes at once.
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


class SlowClose(Toxic):
    """At most one close waits. Its wait counts from when it came, anew with each change."""

    kind = "slow_close"
    summary = "Holds the close of a stream for a time; bytes pass untouched."
    wire: ClassVar[tuple[Attribute, ...]] = (milliseconds("delay"),)

    @params
    class Params:
        """``delay`` is how long a close is held."""

        delay: Duration

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._waiting: Close | None = None
        self._due = 0

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if isinstance(item, Chunk) or item.how == "reset" or not self._delay_ns():
            return (item,)
        self._waiting = item
        self._due = now.ns + self._delay_ns()
        return (Injected(NO_TURN), WakeAt(Instant(self._due)))

    def wake(self, now: Instant) -> Sequence[Action]:
        if self._waiting is None:
            return ()
        if now.ns < self._due:
            return (WakeAt(Instant(self._due)),)
        return self.remove(now)

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        self.values = values
        self._due = now.ns + self._delay_ns()
        return self.wake(now)

    def remove(self, now: Instant) -> Sequence[Action]:
        waiting, self._waiting = self._waiting, None
        return () if waiting is None else (waiting,)

    def _delay_ns(self) -> int:
        return span_ns(self.values, "delay")

    @classmethod
    def attributes(cls, params: "SlowClose.Params") -> dict[str, Value]:
        """Whole milliseconds for the wire.

        Raises:
            UserError: the delay is no whole number of milliseconds, negative, or far too long.
        """
        return {"delay": whole_ms("delay", params.delay)}

    @classmethod
    def trace(cls, params: "SlowClose.Params") -> Trace:
        # No turn that is told by its bytes shows it. A message that ends with its connection does
        # arrive later, so who waits for the last effect has to wait that long.
        return Trace(effect="unseen", longest=params.delay)

    @classmethod
    def words(cls, params: "SlowClose.Params") -> str:
        return f"closes delayed by {params.delay}"
