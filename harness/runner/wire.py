"""Reads what the hops saw: turns and bytes, by hop, since the last look.

The hop's own process keeps them; this room only fetches, journals and counts. What a turn proves
is decided in ``faults/`` and ``judge/``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.connections.blocking import in_thread
from harness.model.events import AnyEvent, HopCounted, HopRequestArrived, HopRequestEnded
from harness.model.units import Instant
from harness.proxy.client import ProxyServer, Turn, TurnPage

Record = Callable[[AnyEvent], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The proxy of ours that sees a hop's traffic: the hop itself, or the one before a foreign one."""

    hop: str
    admin: str
    proxy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """One look at all hops: equal ``moved`` twice and nothing ``held`` mean that the wire was quiet.

    ``held`` is known of our own hops alone; what a foreign proxy keeps back nobody tells.
    """

    moved: int
    held: int


@dataclass(slots=True)
class _Seen:
    next: int = 0
    turns: list[Turn] = field(default_factory=list)
    page: TurnPage | None = None
    base: TurnPage | None = None


class Wire:
    """All watched hops of a run. ``begin`` starts a round, ``finish`` journals what it saw."""

    def __init__(self, watched: Mapping[str, Watched]) -> None:
        self._watched = watched
        self._seen = {hop: _Seen() for hop in watched}

    async def begin(self) -> None:
        """Forgets all turns so far and counts bytes from here."""
        await self._fetch()
        for seen in self._seen.values():
            seen.turns.clear()
            seen.base = seen.page

    async def look(self) -> Quiet:
        """How much has passed all hops since they were made, and what their toxics keep back now."""
        await self._fetch()
        pages = [seen.page for seen in self._seen.values() if seen.page]
        return Quiet(
            moved=sum(page.bytes_up + page.bytes_down for page in pages),
            held=sum(page.held for page in pages),
        )

    async def finish(self, *, round: int, since: Instant, record: Record) -> None:
        """Journals the turns that began at ``since`` or later, and the round's counts."""
        await self._fetch()
        for hop, seen in self._seen.items():
            turns = self.turns(hop, since=since)
            for turn in turns:
                _journal_turn(hop, turn, record)
            if seen.page is not None and seen.base is not None:
                record(_counted(hop, round, len(turns), seen.base, seen.page))

    def turns(self, hop: str, *, since: Instant) -> list[Turn]:
        """The turns of this round that began at ``since`` or later, the open ones last."""
        seen = self._seen[hop]
        still_open = [t for t in (seen.page.turns if seen.page else ()) if t.end == "open"]
        return [turn for turn in (*seen.turns, *still_open) if turn.arrived >= since]

    async def _fetch(self) -> None:
        for hop, watched in self._watched.items():
            seen = self._seen[hop]
            server = ProxyServer(watched.admin)
            page = await in_thread(lambda: server.turns(watched.proxy, seen.next))  # noqa: B023 - awaited here
            seen.turns.extend(t for t in page.turns if t.end != "open")
            seen.page, seen.next = page, page.next


def _counted(hop: str, round: int, turns: int, base: TurnPage, page: TurnPage) -> HopCounted:
    return HopCounted(
        hop=hop,
        round=round,
        connections=page.connections - base.connections,
        bytes_up=page.bytes_up - base.bytes_up,
        bytes_down=page.bytes_down - base.bytes_down,
        turns=turns,
        dropped=page.dropped - base.dropped,
    )


def _journal_turn(hop: str, turn: Turn, record: Record) -> None:
    record(HopRequestArrived(hop=hop, conn=turn.conn, seq=turn.seq, arrived=turn.arrived))
    if turn.end == "open":
        return
    record(
        HopRequestEnded(
            hop=hop,
            conn=turn.conn,
            seq=turn.seq,
            end=turn.end,
            ended=turn.ended,
            upstream=turn.upstream,
            injected=turn.injected,
        )
    )
