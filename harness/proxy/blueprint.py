"""What is asked for, a proxy or a toxic, checked as far as that needs no other proxy and no socket."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.model.breaker import IdCarrier
from harness.proxy import extensions
from harness.proxy.addresses import Listen
from harness.proxy.proxy import Proxy, Surroundings
from harness.proxy.states import (
    ProxySpec,
    Refused,
    ToxicSpec,
    ToxicState,
    checked_name,
    refusal_of,
)
from harness.proxy.toxics import TOXICS
from harness.proxy.wire import Value, WireProblem, completed


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
    observe: IdCarrier | None

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
        proxy.observe(self.observe)
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
        observe=observe(spec.extensions),
    )


def new_toxic(spec: ToxicSpec, taken: Collection[str]) -> ToxicState:
    """Checks in the order in which Toxiproxy complains; then what it does not know.

    Raises:
        Refused: stream, type, name, an attribute or an extension.
    """
    stream = spec.stream
    if stream is not None and stream.lower() not in {"upstream", "downstream"}:
        raise Refused(400, "stream was invalid, can be either upstream or downstream")
    if spec.type is None or spec.type not in TOXICS:
        raise Refused(400, "invalid toxic type")
    kind = TOXICS[spec.type]
    stream = kind.streams[0] if stream is None else stream
    name = checked_name(spec.name or f"{spec.type}_{stream}")
    if name in taken:
        raise Refused(409, "toxic already exists")
    if stream.lower() not in kind.streams:
        raise Refused(
            400, f"stream: {spec.type} cannot be {stream}, use {' or '.join(kind.streams)}"
        )
    try:
        return ToxicState(
            name=name,
            type=spec.type,
            stream=stream,
            toxicity=1.0 if spec.toxicity is None else spec.toxicity,
            attributes=_attributes(spec.type, spec.attributes),
            extensions=extensions.toxic_extensions(kind, spec.extensions),
        )
    except WireProblem as problem:
        raise refusal_of(problem) from None


def changed_toxic(before: ToxicState, spec: ToxicSpec) -> ToxicState:
    """What ``before`` becomes; checked on the values it would have then.

    Raises:
        Refused: an attribute or an extension.
    """
    try:
        return replace(
            before,
            toxicity=before.toxicity if spec.toxicity is None else spec.toxicity,
            attributes=_attributes(before.type, {**before.attributes, **_given(spec.attributes)}),
            extensions=extensions.toxic_extensions(
                TOXICS[before.type], spec.extensions, before.extensions
            ),
        )
    except WireProblem as problem:
        raise refusal_of(problem) from None


def _attributes(kind: str, given: Mapping[str, Any]) -> dict[str, Value]:
    values = completed(TOXICS[kind].wire, given)
    TOXICS[kind].check(values)
    return values


def _given(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Null is as not given."""
    return {name: value for name, value in attributes.items() if value is not None}


def max_connections(given: Mapping[str, Any], before: int | None = None) -> int | None:
    """Raises ``Refused`` (400) unless it is a whole number from 1, or null."""
    try:
        return extensions.max_connections(given, before)
    except WireProblem as problem:
        raise refusal_of(problem) from None


def observe(given: Mapping[str, Any], before: IdCarrier | None = None) -> IdCarrier | None:
    """Raises ``Refused`` (400) unless it names one carrier of ids, or is null."""
    try:
        return extensions.observe(given, before)
    except WireProblem as problem:
        raise refusal_of(problem) from None


def lease(given: Mapping[str, Any]) -> str | None:
    """Raises ``Refused`` (400) unless it is a text, or null."""
    try:
        return extensions.lease(given)
    except WireProblem as problem:
        raise refusal_of(problem) from None
