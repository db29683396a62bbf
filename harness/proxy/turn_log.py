"""The turns of one proxy that have ended, the newest of them kept, and the page a caller reads."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from harness.model.units import Instant
from harness.protocols.turn import End, Turn
from harness.proxy.newest import Newest

KEPT = 100_000


class TurnPage(Struct, frozen=True, kw_only=True):
    """Turns from number ``after`` on, as asked for, then those still open (``end`` is ``open``).

    ``next`` is what to ask for next: it counts the turns that have ended, so an open one comes
    again. All other counts are totals since the proxy was made: ``dropped`` of the turns that were
    asked for when they were no longer kept, the bytes as they are taken in. ``held`` is what toxics
    keep back at this moment, in bytes with what keeping each piece costs; ``open`` counts the
    connections of this moment, ``acted`` by toxic the turns (or closes) it acted on.
    """

    turns: tuple[Turn, ...]
    next: int
    dropped: int
    connections: int
    bytes_up: int
    bytes_down: int
    held: int = 0
    open: int = 0
    acted: dict[str, int] = {}


class _Kept(Struct, frozen=True, gc=False):
    """A turn while it is kept. Bare numbers: a collection need not look at a hundred thousand of them.

    An ``Instant`` is an object that the collector follows; with three in each turn, a full
    collection stopped the proxy for 16 ms.
    """

    conn: int
    seq: int
    arrived: int
    upstream: int | None
    ended: int
    end: End
    injected: tuple[str, ...]

    def turn(self) -> Turn:
        return Turn(
            conn=self.conn,
            seq=self.seq,
            arrived=Instant(self.arrived),
            upstream=None if self.upstream is None else Instant(self.upstream),
            ended=Instant(self.ended),
            end=self.end,
            injected=self.injected,
        )


class TurnLog:
    """Numbers turns from 0 in the order in which they ended.

    ``bytes_up`` and ``bytes_down`` were taken in from the client and from the server, ``sent_up``
    and ``sent_down`` handed to the server's socket and to the client's.
    """

    __slots__ = ("_turns", "bytes_down", "bytes_up", "connections", "sent_down", "sent_up")

    def __init__(self, *, kept: int = KEPT) -> None:
        self._turns: Newest[_Kept] = Newest(kept)
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.sent_up = 0
        self.sent_down = 0

    def append(self, turn: Turn) -> None:
        upstream = None if turn.upstream is None else turn.upstream.ns
        self._turns.append(
            _Kept(
                turn.conn,
                turn.seq,
                turn.arrived.ns,
                upstream,
                turn.ended.ns,
                turn.end,
                turn.injected,
            )
        )

    def page(
        self,
        after: int,
        still_open: Iterable[Turn],
        *,
        held: int = 0,
        open_now: int = 0,
        acted: Mapping[str, int] | None = None,
    ) -> TurnPage:
        ended, following = self._turns.since(after)
        return TurnPage(
            turns=(*(kept.turn() for kept in ended), *still_open),
            next=following,
            dropped=self._turns.dropped,
            connections=self.connections,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            held=held,
            open=open_now,
            acted=dict(acted or {}),
        )
