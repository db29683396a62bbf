"""A toxic on a hop, as a fault: intend, apply, undo, verify. The same for every toxic.

Bytes are ``proxy/toxics/``; the talk with the proxy is ``proxy/client.py``. What undoing needs is
in the intention, so that the guardian can do it from the journal alone.
"""

from collections.abc import Sequence
from typing import Any

from harness.faults.fault import LAPSED, Fault, HopOnProxy, Terms, now
from harness.faults.trace import Promise, Window, may_leave_no_turn, seen
from harness.kinds import to_params
from harness.model.events import FaultApplied, FaultIntended, FaultSeen, FaultUndone
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.protocols.turn import Turn
from harness.proxy.client import (
    UNDO_LIMIT,
    ProxyCallFailed,
    ProxyServer,
    ProxyUnreachable,
)
from harness.proxy.commands import removal_command
from harness.proxy.toxics import TOXICS

_NOT_FOUND = 404


class ToxicFault:
    """One fault step in one round."""

    def __init__(self, step: FaultStep, hop: HopOnProxy, *, round: int) -> None:
        self.step = step
        self.round = round
        self._hop = hop
        self._kind = TOXICS[step.kind]
        self._params: Any = to_params(self._kind.Params, step.params)
        self._trace = self._kind.trace(self._params)
        # '#' is no character a Toxiproxy client can put into a path unescaped.
        self._toxic = step.id.replace("#", ".")
        self._terms = Terms(seed=0)
        self._lapses = 0
        self._as_applied: object = None
        self._since: Instant | None = None
        self._until: Instant | None = None
        self._counted_before: int | None = None
        self._counted: int | None = None
        self._looked = False

    def intend(self) -> FaultIntended:
        return FaultIntended(
            fault=self.step.id,
            kind="toxic",
            on=self.step.on,
            phase=self.step.phase,
            outage=self.step.outage,
            round=self.round,
            params=self.step.params,
            words=self._kind.words(self._params),
            undo={"admin": self._hop.admin, "proxy": self._hop.proxy, "toxic": self._toxic},
        )

    def apply(self, terms: Terms) -> FaultApplied:
        """Adds the toxic."""
        self._terms, self._lapses = terms, terms.lapses()
        asked = now()
        server = ProxyServer(self._hop.admin)
        self._counted_before = self._count(server)
        server.add_toxic(
            self._hop.proxy,
            name=self._toxic,
            type=self.step.kind,
            stream=self.step.stream or "downstream",
            toxicity=self.step.toxicity,
            attributes=self._kind.attributes(self._params),
            extensions=self._extensions(),
        )
        # As the server tells it, which may round; the same question is asked before the undo.
        self._as_applied = self._found_on(server)
        self._since = confirmed = now()
        return FaultApplied(fault=self.step.id, round=self.round, asked=asked, confirmed=confirmed)

    @property
    def asks_before_release(self) -> bool:
        return self._hop.observed == "here" and may_leave_no_turn(self._trace)

    def before_release(self) -> None:
        # An undo that is due meanwhile waits for it.
        self._counted_before = self._count(ProxyServer(self._hop.admin, timeout=UNDO_LIMIT))
        self._looked = True

    def undo(self) -> FaultUndone:
        """Removes the toxic; says whether it was still there, and still as it was applied."""
        asked = now()
        server = ProxyServer(self._hop.admin, timeout=UNDO_LIMIT)
        try:
            as_applied = self._found_on(server) == self._as_applied
        except ProxyCallFailed:
            as_applied = False  # nobody can tell; it is to be removed all the same
        found = server.remove_toxic(self._hop.proxy, self._toxic)
        self._until = asked
        undone = FaultUndone(
            fault=self.step.id,
            round=self.round,
            asked=asked,
            confirmed=now(),
            found=found,
            as_applied=as_applied or not found,
            why="" if found or self._terms.lapses() == self._lapses else LAPSED,
        )
        # Behind the undo, which must not wait for it: what is gone stays counted.
        self._counted = self._count(server)
        return undone

    def gone(self, why: str = "") -> FaultUndone:
        at = now()
        return FaultUndone(
            fault=self.step.id, round=self.round, asked=at, confirmed=at, found=False, why=why
        )

    def verify(
        self,
        turns: Sequence[Turn],
        others: Sequence[Fault],
        *,
        released: Instant | None = None,
    ) -> FaultSeen:
        """Pure but for what ``apply`` and ``undo`` noted."""
        return seen(
            Promise(
                toxic=self._toxic,
                trace=self._trace,
                certain=self._spares_none,
                sure=self._hits_some,
                where=f"hop {self.step.on}",
                what=self._kind.words(self._params),
                beside=_beside(self, others),
            ),
            turns,
            self.window,
            reported=self._hop.observed == "here",
            fault=self.step.id,
            round=self.round,
            counted=self._counted_since(released),
            released=released,
        )

    @property
    def window(self) -> Window:
        since = self._since or Instant.of_ns(0)
        return Window(since=since, until=self._until or since)

    @property
    def delays_all_by(self) -> Duration:
        delays = self._spares_none and self._trace.effect == "delay"
        return self._trace.least if delays else Duration.ZERO

    @property
    def ends_with_the_run(self) -> bool:
        return self._hop.observed == "here"

    @property
    def remains(self) -> tuple[str, str]:
        what = f"toxic {self._toxic} on proxy {self._hop.proxy} of {self._hop.admin}"
        return what, removal_command(self._hop.admin, self._hop.proxy, self._toxic)

    @property
    def _spares_none(self) -> bool:
        """Whether it acts on every message, whoever sends it and whatever is in it."""
        step = self.step
        whom = (step.per, step.codec, step.skip, step.first, step.match)
        return step.toxicity >= 1 and all(each is None for each in whom)

    @property
    def _hits_some(self) -> bool:
        """Whether it acts on the first that comes, at the least: no draw, no count, no reading decides."""
        step = self.step
        return step.toxicity >= 1 and not step.skip and step.codec is None and step.match is None

    def _extensions(self) -> dict[str, Any]:
        """The keys beyond Toxiproxy's; none where the server knows none and the step asks for none.

        A proxy that stands among containers, or is somebody else's, was not started with the run's
        seed; whichever has leases is told it, so that there, too, the same run draws the same.
        """
        step, match, terms = self.step, self.step.match, self._terms
        seed = step.seed
        if seed is None and terms.lease is not None:
            seed = terms.seed
        given = {
            "seed": seed,
            "per": step.per,
            "codec": step.codec,
            "skip": step.skip,
            "first": step.first,
            "match": match and {"header": match.header, "values": list(match.values)},
            "lease": terms.lease,
        }
        return {key: value for key, value in given.items() if value is not None}

    def _found_on(self, server: ProxyServer) -> object:
        """The toxic as the server tells it; None when it, or its proxy, is not there."""
        try:
            toxics = server.toxics(self._hop.proxy)
        except ProxyCallFailed as problem:
            if problem.status == _NOT_FOUND:
                return None
            raise
        return next((toxic for toxic in toxics if toxic.name == self._toxic), None)

    def _count(self, server: ProxyServer) -> int | None:
        """How often the proxy says the toxic has acted so far; None where it does not say so."""
        if not self.asks_before_release:
            return None
        try:
            acted = server.counts(self._hop.proxy).acted
        except (ProxyCallFailed, ProxyUnreachable):
            return None  # evidence that is missing is missed later; it must not keep from undoing
        return None if acted is None else acted.get(self._toxic, 0)

    def _counted_since(self, released: Instant | None) -> int | None:
        if self._counted is None or self._counted_before is None:
            return None
        if released is not None and not self._looked:
            return None  # what warmed up is in it, and nobody knows how much that was
        return self._counted - self._counted_before


def _beside(fault: Fault, others: Sequence[Fault]) -> Duration:
    """What others add to every message for as long as this one was in force."""
    mine = fault.window
    return sum(
        (
            other.delays_all_by
            for other in others
            if other.window.since <= mine.since and mine.until <= other.window.until
        ),
        Duration.ZERO,
    )


def undo_from(event: FaultIntended, *, limit: Duration = UNDO_LIMIT) -> bool:
    """Takes back what ``event`` announced; False when it was not there. For the guardian.

    Raises:
        ProxyCallFailed, ProxyUnreachable: it may still be there.
    """
    server = ProxyServer(str(event.undo["admin"]), timeout=limit)
    return server.remove_toxic(str(event.undo["proxy"]), str(event.undo["toxic"]))
