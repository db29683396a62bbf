"""The generic turn of one connection: client bytes, then the server's answer, whatever they mean.

Only who sent when enters here; the bytes themselves do not, so any protocol that is not pipelined
is read alike. Telling a protocol's messages apart belongs to a codec of its own beside this one.

A turn begins with client bytes while no turn is open. It is **answered** when the first server byte
taken in since then is passed on to the client, **abandoned** when the connection ends and the
client had closed first, **cut** when it ends otherwise. How the bytes were split never matters.
"""

from typing import Literal

from msgspec import Struct

from harness.model.units import Instant

End = Literal["answered", "abandoned", "cut", "open"]

NO_TURN = 0
"""The turn of bytes that belong to none: a server's greeting, the rest of an answer."""


class Turn(Struct, frozen=True, kw_only=True, gc=False):
    """One turn. ``seq`` counts from 1 on its connection, ``conn`` from 1 on its proxy.

    ``upstream`` is when the first byte of the answer came from the server, before any toxic.
    ``injected`` names the toxics that had acted on the turn by the time it ended.
    """

    conn: int
    seq: int
    arrived: Instant
    upstream: Instant | None
    ended: Instant
    end: End
    injected: tuple[str, ...] = ()


class TurnCodec:
    """Follows one connection. Each call that can end a turn returns the turn, or None."""

    __slots__ = ("_answer_from", "_arrived", "_conn", "_injected", "_left", "_seq")

    def __init__(self, conn: int) -> None:
        self._conn = conn
        self._seq = 0
        self._arrived: Instant | None = None
        self._answer_from: Instant | None = None
        self._injected: tuple[str, ...] = ()
        self._left: Instant | None = None

    @property
    def latest(self) -> int:
        """The turn that is open, or was last; 0 before the first."""
        return self._seq

    @property
    def idle_for_good(self) -> bool:
        """The client sent its last byte, and has an answer to all it asked."""
        return self._left is not None and self._arrived is None

    def client_sent(self, now: Instant) -> int:
        """Client bytes were taken in; returns the turn they belong to."""
        if self._arrived is None:
            self._arrived = now
            self._seq += 1
        return self._seq

    def server_sent(self, now: Instant) -> int:
        """Server bytes were taken in; returns the turn they answer, or ``NO_TURN``."""
        if self._arrived is None:
            return NO_TURN
        if self._answer_from is None:
            self._answer_from = now
        return self._seq

    def passed_on(self, turn: int, now: Instant) -> Turn | None:
        """Server bytes of ``turn`` are handed to the client's socket."""
        if turn != self._seq or self._arrived is None:
            return None
        return self._close("answered", now)

    def injected(self, turn: int, toxic: str) -> None:
        """``toxic`` acted on bytes of ``turn``; said too late (the turn has ended) it is ignored."""
        if turn == self._seq and self._arrived is not None and toxic not in self._injected:
            self._injected = (*self._injected, toxic)

    def client_closed(self, now: Instant) -> None:
        """The client sent its last byte. An answer may still be on its way, so nothing ends yet."""
        if self._left is None:
            self._left = now

    def connection_ended(self, now: Instant) -> Turn | None:
        """No answer can reach the client any more."""
        if self._arrived is None:
            return None
        if self._left is not None:
            return self._close("abandoned", max(self._left, self._arrived))
        return self._close("cut", now)

    def unfinished(self, now: Instant) -> Turn | None:
        """The turn that is open, as it stands at ``now``."""
        return None if self._arrived is None else self._turn("open", now)

    def _close(self, end: End, now: Instant) -> Turn:
        turn = self._turn(end, now)
        self._arrived = self._answer_from = None
        self._injected = ()
        return turn

    def _turn(self, end: End, now: Instant) -> Turn:
        assert self._arrived is not None
        return Turn(
            conn=self._conn,
            seq=self._seq,
            arrived=self._arrived,
            upstream=self._answer_from,
            ended=now,
            end=end,
            injected=self._injected,
        )
