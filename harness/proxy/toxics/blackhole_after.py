"""Blackhole: some requests are answered; the next one is taken in, and nothing ever comes back.

Not even the end of the server's stream: the client is left waiting until it goes, or ``timeout`` is
over. Losing bytes at a place or an instant, and saying so by ending the connection, is ``cut``.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar

from harness.kinds import params
from harness.model.errors import UserError
from harness.model.units import Duration, Instant
from harness.proxy.items import Across, Action, Answered, Chunk, Close, Injected, Item, WakeAt
from harness.proxy.spoken import whole_ms
from harness.proxy.toxic import Direction, Toxic, Trace
from harness.proxy.wire import Attribute, FlagAttribute, Value, WireAttribute, milliseconds


class BlackholeAfter(Toxic):
    """Dark from the request behind the last one it lets have its answer."""

    kind = "blackhole_after"
    summary = "Answers so many requests, then takes in what comes and never answers again."
    wire: ClassVar[tuple[Attribute, ...]] = (
        WireAttribute(name="requests", least=0),
        FlagAttribute(name="forward", default=True),
        milliseconds("timeout"),
    )
    streams: ClassVar[tuple[Direction, ...]] = ("downstream",)
    framed = True
    hears: ClassVar[bool] = True

    @params
    class Params:
        """``forward``: the server sees what is not answered. ``timeout`` zero: it never closes."""

        requests: int = 0
        forward: bool = True
        timeout: Duration = Duration.ZERO

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._renew()

    def _renew(self) -> None:
        self._latest = 0
        self._answered = 0
        self._dark_from: int | None = None
        self._passes_on = True
        self._due: Instant | None = None
        self._lost = False
        self._kept: Close | None = None
        self._client_left = False

    def hear(self, item: Item, now: Instant) -> Sequence[Action]:
        if not isinstance(item, Chunk):
            return self._client_closes(item)
        part = item.part
        if self._dark_from is not None or part is None:
            return self._take_in(item)
        if part.request > self._latest:
            self._latest = part.request
            if self._answered >= int(self.values["requests"]):
                self._dark_from = part.request
                return (Injected(item.turn), *self._time(now), *self._take_in(item))
            self._answered += 1
        return (item,)

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        return self._give_back(item)

    def bypass(self, item: Item, now: Instant, *, heard: bool) -> Sequence[Action]:
        # An answer that comes after one that never does would be taken for that one.
        if not heard:
            return self._give_back(item)
        return self._take_in(item) if isinstance(item, Chunk) else self._client_closes(item)

    def wake(self, now: Instant) -> Sequence[Action]:
        if self._due is None:
            return ()
        if now < self._due:
            return (WakeAt(self._due),)
        self._due = None
        return (Close("end"),)

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        """The time begins anew; what is dark stays dark."""
        timeout_changed = values["timeout"] != self.values["timeout"]
        self.values = values
        return self._time(now) if self._dark_from is not None and timeout_changed else ()

    def remove(self, now: Instant) -> Sequence[Action]:
        """Ends the connection if bytes are missing from it, or their end was kept back."""
        kept = Close("end") if self._lost else self._kept
        self._renew()
        return () if kept is None else (kept,)

    def needs_upstream(self) -> bool:
        return bool(self.values["forward"]) or int(self.values["requests"]) > 0

    def _take_in(self, item: Chunk) -> Sequence[Action]:
        """Bytes of the client. Whether the server sees a request is decided where it begins."""
        if self._dark_from is None:
            return (item,)
        part = item.part
        if part is not None and part.first:
            self._passes_on = bool(self.values["forward"])
        # A server that sent its last byte would answer more with a RST.
        if self._passes_on and self._kept is None:
            return (item,)
        self._lost = True
        return (Answered(part.request),) if part is not None and part.first else ()

    def _give_back(self, item: Item) -> Sequence[Action]:
        """Bytes of the server, or their end."""
        if self._dark_from is None:
            return (item,)
        if isinstance(item, Chunk):
            if item.part is not None and 0 < item.part.request < self._dark_from:
                return (item,)
            self._lost = True
            return ()
        if item.how != "eof" or self._client_left:
            # A connection that is gone, or that both sides are done with, must not stay here.
            return (item,)
        self._kept = item
        return ()

    def _client_closes(self, item: Close) -> Sequence[Action]:
        self._client_left = True
        if not self.needs_upstream() and self._kept is None:
            return (item, Across(Close("end")))  # no server is there to end the other direction
        kept, self._kept = self._kept, None
        return (item,) if kept is None else (item, Across(kept))

    def _time(self, now: Instant) -> Sequence[Action]:
        timeout = int(self.values["timeout"])
        self._due = now + Duration.of_ms(timeout) if timeout > 0 else None
        return () if self._due is None else (WakeAt(self._due),)

    @classmethod
    def attributes(cls, params: "BlackholeAfter.Params") -> dict[str, Value]:
        """Whole milliseconds for the wire.

        Raises:
            UserError: fewer than no requests; a duration that is no whole number of milliseconds.
        """
        if params.requests < 0:
            raise UserError(f"requests: {params.requests} is out of range, use 0 or more.")
        return {
            "requests": params.requests,
            "forward": params.forward,
            "timeout": whole_ms("timeout", params.timeout),
        }

    @classmethod
    def trace(cls, params: "BlackholeAfter.Params") -> Trace:
        return Trace(effect="silence")

    @classmethod
    def words(cls, params: "BlackholeAfter.Params") -> str:
        plural = "" if params.requests == 1 else "s"
        notes = [] if params.forward else ["the server gets none of it"]
        notes += [f"closed after {params.timeout}"] if params.timeout else []
        told = f" ({', '.join(notes)})" if notes else ""
        return f"nothing answered after {params.requests} request{plural}{told}"
