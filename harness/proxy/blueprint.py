"""A proxy that is asked for, checked as far as that needs no other proxy and no socket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.proxy import extensions
from harness.proxy.addresses import Listen
from harness.proxy.proxy import Proxy, Surroundings, new_toxic
from harness.proxy.states import ProxySpec, Refused, ToxicState, checked_name, refusal_of
from harness.proxy.wire import WireProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """``listen`` is as it was given. ``names_lease`` tells null from no word about a lease."""

    name: str
    upstream: str
    listen: str
    enabled: bool
    toxics: tuple[ToxicState, ...]
    max_connections: int | None
    lease: str | None
    names_lease: bool

    def leases(self) -> tuple[str | None, ...]:
        """All that must run when the proxy is made."""
        return (self.lease, *(state.extensions.lease for state in self.toxics))

    def built(self, address: Listen, around: Surroundings) -> Proxy:
        """The proxy, which does not listen yet."""
        proxy = Proxy(
            self.name, listen=self.listen, address=address, upstream=self.upstream, around=around
        )
        proxy.max_connections = self.max_connections
        proxy.lease = self.lease
        proxy.put_toxics(list(self.toxics))
        return proxy


def checked(spec: ProxySpec, where: str = "") -> Blueprint:
    """``where`` stands behind the message about a missing field.

    Raises:
        Refused: name, upstream, a toxic or an extension.
    """
    if not spec.name:
        raise Refused(400, f"missing required field: name{where}")
    if not spec.upstream:
        raise Refused(400, f"missing required field: upstream{where}")
    toxics: dict[str, ToxicState] = {}
    for toxic in spec.toxics:
        state = new_toxic(toxic, toxics)
        toxics[state.name] = state
    return Blueprint(
        name=checked_name(spec.name),
        upstream=spec.upstream,
        listen=spec.listen or "",
        enabled=spec.enabled is not False,
        toxics=tuple(toxics.values()),
        max_connections=max_connections(spec.extensions),
        lease=lease(spec.extensions),
        names_lease="lease" in spec.extensions,
    )


def max_connections(given: Mapping[str, Any], before: int | None = None) -> int | None:
    """Raises ``Refused`` (400) unless it is a whole number from 1, or null."""
    try:
        return extensions.max_connections(given, before)
    except WireProblem as problem:
        raise refusal_of(problem) from None


def lease(given: Mapping[str, Any]) -> str | None:
    """Raises ``Refused`` (400) unless it is a text, or null."""
    try:
        return extensions.lease(given)
    except WireProblem as problem:
        raise refusal_of(problem) from None
