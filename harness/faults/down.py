"""Down: the hop's proxy listens no more, as a fault. Connections end with it, and who dials is refused.

Nobody sees who dials a port that is closed. So on our own proxy the trace are the connections that
were open and ended as it began; before a foreign one, the hop of ours also sees who dialled in vain.
"""

from collections.abc import Sequence

from harness.faults.fault import LAPSED, Fault, HopOnProxy, Terms, now
from harness.faults.trace import Window, never_met
from harness.kinds import params
from harness.model.events import FaultApplied, FaultIntended, FaultSeen, FaultUndone
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.protocols.turn import Turn
from harness.proxy.client import (
    UNDO_LIMIT,
    Counts,
    ProxyCallFailed,
    ProxyServer,
    ProxyUnreachable,
)
from harness.proxy.commands import enabling_command

_CONFLICT = 409


class Down:
    """One fault step in one round."""

    kind = "down"
    summary = "The hop refuses connections, and those that are open end."

    @params
    class Params:
        """No attributes."""

    @classmethod
    def words(cls, _params: object) -> str:
        return "down"

    def __init__(self, step: FaultStep, hop: HopOnProxy, *, round: int) -> None:
        self.step = step
        self.round = round
        self._hop = hop
        self._since: Instant | None = None
        self._until: Instant | None = None
        self._asked: Instant | None = None
        self._terms = Terms(seed=0)
        self._lapses = 0
        self._were_open: int | None = None
        self._dialled_before: int | None = None
        self._dialled: int | None = None
        self._looked = False

    def intend(self) -> FaultIntended:
        return FaultIntended(
            fault=self.step.id,
            kind="down",
            on=self.step.on,
            phase=self.step.phase,
            outage=self.step.outage,
            round=self.round,
            params=self.step.params,
            words=self.words(None),
            undo={"admin": self._hop.admin, "proxy": self._hop.proxy},
        )

    def apply(self, terms: Terms) -> FaultApplied:
        """Disables the proxy. One that is disabled already is refused: then it is not ours to undo."""
        self._terms, self._lapses = terms, terms.lapses()
        server = ProxyServer(self._hop.admin)
        first_look = self._open_connections()
        there = server.proxy(self._hop.proxy)
        if there is not None and not there.enabled:
            raise ProxyCallFailed(_CONFLICT, f"the proxy {self._hop.proxy} is down already")
        # Those that were about to end anyway are gone by the second look.
        self._were_open = _fewer(first_look, self._open_connections())
        self._dialled_before = self._dials()
        self._asked = asked = now()
        server.disable(self._hop.proxy, lease=terms.lease)
        self._since = confirmed = now()
        return FaultApplied(fault=self.step.id, round=self.round, asked=asked, confirmed=confirmed)

    @property
    def asks_before_release(self) -> bool:
        return self._hop.observed == "before"

    def before_release(self) -> None:
        self._dialled_before = self._dials()
        self._looked = True

    def undo(self) -> FaultUndone:
        """Lets the proxy listen again; says whether it was still down."""
        asked = now()
        # First, for who dials from here on finds it listening.
        self._dialled = self._dials()
        found = _enabled(ProxyServer(self._hop.admin, timeout=UNDO_LIMIT), self._hop.proxy)
        self._until = asked
        return FaultUndone(
            fault=self.step.id,
            round=self.round,
            asked=asked,
            confirmed=now(),
            found=found,
            why="" if found or self._terms.lapses() == self._lapses else LAPSED,
        )

    def gone(self, why: str = "") -> FaultUndone:
        at = now()
        return FaultUndone(
            fault=self.step.id, round=self.round, asked=at, confirmed=at, found=False, why=why
        )

    def verify(
        self,
        turns: Sequence[Turn],
        _others: Sequence[Fault],
        *,
        released: Instant | None = None,
    ) -> FaultSeen:
        """The connections that show it. On our own proxy those it ended, else those made in vain."""
        here = self._hop.observed == "here"
        what, where = "down", f"hop {self.step.on}"
        if self.window.was_over_at(released):
            return never_met(self.step.id, self.round, what=what, where=where, of="connection")
        ended = max(self._were_open or 0, self._messages_cut(turns))
        hit = ended if here else ended + self._in_vain(released)
        connections = "1 connection" if hit == 1 else f"{hit} connections"
        unseen = ""
        if not hit:
            unseen = _NOBODY_HERE if here else "nobody dialled it, and no message was under way"
        return FaultSeen(
            fault=self.step.id,
            round=self.round,
            messages=hit,
            hit=hit,
            missed=0,
            median=None,
            summary=f"{what} seen on {connections} of {where}" if hit else f"{where}: {unseen}",
            of="connection",
            unseen=unseen,
        )

    @property
    def window(self) -> Window:
        since = self._since or Instant.of_ns(0)
        return Window(since=since, until=self._until or since)

    @property
    def delays_all_by(self) -> Duration:
        return Duration.ZERO

    @property
    def ends_with_the_run(self) -> bool:
        return self._hop.observed == "here"

    @property
    def remains(self) -> tuple[str, str]:
        what = f"proxy {self._hop.proxy} of {self._hop.admin} is down"
        return what, enabling_command(self._hop.admin, self._hop.proxy)

    def _messages_cut(self, turns: Sequence[Turn]) -> int:
        """Messages that were under way when it began, and were cut by it."""
        if self._asked is None:
            return 0
        cut = [turn for turn in turns if turn.end == "cut" and turn.arrived <= self.window.since]
        return sum(self._asked <= turn.ended <= self.window.until for turn in cut)

    def _in_vain(self, released: Instant | None) -> int:
        if self._dialled is None or self._dialled_before is None:
            return 0
        if released is not None and not self._looked:
            return 0  # who warmed up is among them
        # A hop that was made anew meanwhile counts from 0 again.
        return max(0, self._dialled - self._dialled_before)

    def _open_connections(self) -> int | None:
        """On our own proxy: how many clients it is about to lose."""
        found = self._counts() if self._hop.observed == "here" else None
        return None if found is None else found.open

    def _dials(self) -> int | None:
        """Before a foreign proxy: how often somebody has dialled the hop so far."""
        found = self._counts() if self._hop.observed == "before" else None
        return None if found is None else found.connections

    def _counts(self) -> Counts | None:
        """Evidence that is missing is missed later; it must not keep from undoing."""
        try:
            return ProxyServer(self._hop.watch_admin, timeout=UNDO_LIMIT).counts(
                self._hop.watch_proxy
            )
        except (ProxyCallFailed, ProxyUnreachable):
            return None


_NOBODY_HERE = (
    "no connection was open when it began, and nobody sees who dials a closed port; let a burst come "
    "first, or take reset_peer: 0s, which shows each connection that it ends"
)


def _fewer(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else min(first, second)


def undo_from(event: FaultIntended, *, limit: Duration = UNDO_LIMIT) -> bool:
    """Takes back what ``event`` announced; False when it was not down. For the guardian.

    Raises:
        ProxyCallFailed, ProxyUnreachable: it may still be down.
    """
    server = ProxyServer(str(event.undo["admin"]), timeout=limit)
    return _enabled(server, str(event.undo["proxy"]))


def _enabled(server: ProxyServer, proxy: str) -> bool:
    """True if it was down, and listens now."""
    there = server.proxy(proxy)
    if there is None or there.enabled:
        return False
    server.enable(proxy)
    return True
