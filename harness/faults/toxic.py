"""A toxic on a hop, as a fault: intend, apply, undo, verify. The same for every toxic.

Bytes are ``proxy/toxics/``; the talk with the proxy is ``proxy/client.py``. What undoing needs is
in the intention, so that the guardian can do it from the journal alone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.faults.trace import Promise, Turn, seen
from harness.kinds import to_params
from harness.model.events import FaultApplied, FaultIntended, FaultSeen, FaultUndone
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.proxy.client import UNDO_LIMIT, ProxyCallFailed, ProxyServer, removal_command
from harness.proxy.toxics import TOXICS

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class HopOnProxy:
    """Where the toxic goes: the proxy ``proxy`` of the server at ``admin``, serving hop ``hop``."""

    hop: str
    admin: str
    proxy: str
    observed: Literal["here", "before"]


class ToxicFault:
    """One fault step in one round. All methods block; callers give them a thread."""

    def __init__(self, step: FaultStep, hop: HopOnProxy, *, round: int) -> None:
        self.step = step
        self._hop = hop
        self.round = round
        self._kind = TOXICS[step.kind]
        self._params: Any = to_params(self._kind.Params, step.params)
        # '#' is no character a Toxiproxy client can put into a path unescaped.
        self._toxic = step.id.replace("#", ".")
        self._as_applied: object = None
        self._in_force_since: Instant | None = None
        self._in_force_until: Instant | None = None

    def intend(self) -> FaultIntended:
        return FaultIntended(
            fault=self.step.id,
            kind="toxic",
            on=self.step.on,
            round=self.round,
            params=self.step.params,
            words=self._kind.words(self._params),
            undo={"admin": self._hop.admin, "proxy": self._hop.proxy, "toxic": self._toxic},
        )

    def apply(self) -> FaultApplied:
        """Adds the toxic.

        Raises:
            ProxyCallFailed: the server refused it.
            ProxyUnreachable: the server did not answer; whether it is there is not known.
        """
        asked = _now()
        server = ProxyServer(self._hop.admin)
        server.add_toxic(
            self._hop.proxy,
            name=self._toxic,
            type=self.step.kind,
            stream=self.step.stream,
            toxicity=self.step.toxicity,
            attributes=self._kind.attributes(self._params),
        )
        # As the server tells it, which may round; the same question is asked before the undo.
        self._as_applied = self._found_on(server)
        self._in_force_since = confirmed = _now()
        return FaultApplied(fault=self.step.id, round=self.round, asked=asked, confirmed=confirmed)

    def undo(self) -> FaultUndone:
        """Removes the toxic; says whether it was still there, and still as it was applied.

        Raises:
            ProxyCallFailed, ProxyUnreachable: it may still be there.
        """
        asked = _now()
        server = ProxyServer(self._hop.admin, timeout=UNDO_LIMIT)
        as_applied = self._found_on(server) == self._as_applied
        found = server.remove_toxic(self._hop.proxy, self._toxic)
        self._in_force_until = asked
        return FaultUndone(
            fault=self.step.id,
            round=self.round,
            asked=asked,
            confirmed=_now(),
            found=found,
            as_applied=as_applied or not found,
        )

    def _found_on(self, server: ProxyServer) -> object:
        """The toxic as the server tells it; None when it, or its proxy, is not there."""
        try:
            toxics = server.toxics(self._hop.proxy)
        except ProxyCallFailed as problem:
            if problem.status == _NOT_FOUND:
                return None
            raise
        return next((toxic for toxic in toxics if toxic.name == self._toxic), None)

    @property
    def ends_with_the_run(self) -> bool:
        """True on our own proxy, which the run stops in any case, and its toxics with it."""
        return self._hop.observed == "here"

    def gone(self) -> FaultUndone:
        """What is said when the proxy that held it does not answer any more."""
        at = _now()
        return FaultUndone(
            fault=self.step.id, round=self.round, asked=at, confirmed=at, found=False
        )

    def verify(self, turns: Sequence[Turn]) -> FaultSeen:
        """What the wire says of it, from the turns of its hop in this round. Pure but for state."""
        since = self._in_force_since or Instant.of_ns(0)
        until = self._in_force_until or since
        least = self._kind.expectation(self._params)
        usual = self._kind.usual(self._params)
        return seen(
            Promise(
                toxic=self._toxic,
                least=least,
                usual=usual,
                certain=self.step.toxicity >= 1 and bool(least),
                where=f"hop {self.step.on}",
                what=self._kind.words(self._params),
            ),
            turns,
            since=since,
            until=until,
            reported=self._hop.observed == "here",
            fault=self.step.id,
            round=self.round,
        )

    @property
    def remains(self) -> tuple[str, str]:
        """What is left when undoing failed, and the command that removes it."""
        what = f"toxic {self._toxic} on proxy {self._hop.proxy} of {self._hop.admin}"
        return what, removal_command(self._hop.admin, self._hop.proxy, self._toxic)


def undo_from(event: FaultIntended, *, limit: Duration = UNDO_LIMIT) -> bool:
    """Takes back what ``event`` announced; False when it was not there. For the guardian.

    Raises:
        ProxyCallFailed, ProxyUnreachable: it may still be there.
    """
    server = ProxyServer(str(event.undo["admin"]), timeout=limit)
    return server.remove_toxic(str(event.undo["proxy"]), str(event.undo["toxic"]))


def _now() -> Instant:
    return Instant.of_ns(time.monotonic_ns())
