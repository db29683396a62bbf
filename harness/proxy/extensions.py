"""The keys beyond Toxiproxy's, of toxics and of proxies: read, checked, shown. Nothing acts here.

A key is shown only when it was set, so that an old client sees the bytes it knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.model.breaker import IdCarrier
from harness.proxy.states import Extensions, Match
from harness.proxy.toxic import Toxic
from harness.proxy.wire import Attribute, TextAttribute, WireAttribute, WireProblem, described

TOXIC_KEYS = ("seed", "per", "codec", "skip", "first", "match", "duration", "lease")
PROXY_KEYS = ("max_connections", "lease", "observe")

MOST_DURATION_MS = 86_400_000
_MOST_CONNECTIONS = 2**31 - 1

_LEASE = TextAttribute(name="lease", default=None)
_MAX_CONNECTIONS = WireAttribute(
    name="max_connections", default=None, least=1, most=_MOST_CONNECTIONS
)
_PLAIN: dict[str, Attribute] = {
    "seed": WireAttribute(name="seed", default=None),
    "per": TextAttribute(name="per", default=None, choices=("connection", "request")),
    "skip": WireAttribute(name="skip", default=None, least=0),
    "first": WireAttribute(name="first", default=None, least=1),
    "duration": WireAttribute(
        name="duration", default=None, least=1, most=MOST_DURATION_MS, unit="ms"
    ),
    "lease": _LEASE,
}

_UNSET = Extensions()


def toxic_extensions(
    kind: type[Toxic], given: Mapping[str, Any], before: Extensions = _UNSET
) -> Extensions:
    """What is set once ``given`` (keys as the caller sent them, null takes one away) is applied.

    Raises:
        WireProblem: a value of the wrong type, out of range, or one that does not go with another.
    """
    readers: dict[str, Callable[[Any], Any]] = {
        **{key: attribute.read for key, attribute in _PLAIN.items()},
        "codec": TextAttribute(name="codec", default=None, choices=kind.codecs).read,
        "match": _read_match,
    }
    after = replace(
        before,
        **{
            key: None if given[key] is None else readers[key](given[key])
            for key in TOXIC_KEYS
            if key in given
        },
    )
    _check_match(kind, after)
    return after


def shown(extensions: Extensions) -> dict[str, Any]:
    """The keys that are set, in the order of the contract."""
    found: dict[str, Any] = {}
    for key in TOXIC_KEYS:
        value = getattr(extensions, key)
        if isinstance(value, Match):
            value = {"header": value.header, "values": list(value.values)}
        if value is not None:
            found[key] = value
    return found


def max_connections(given: Mapping[str, Any], before: int | None = None) -> int | None:
    """The bound of a proxy once ``given`` is applied; None for none.

    Raises:
        WireProblem: no whole number from 1.
    """
    if "max_connections" not in given:
        return before
    value = given["max_connections"]
    return None if value is None else _MAX_CONNECTIONS.read(value)


def observe(given: Mapping[str, Any], before: IdCarrier | None = None) -> IdCarrier | None:
    """What carries the ids of observed requests once ``given`` is applied; None: none are observed.

    Raises:
        WireProblem: not exactly one carrier, or not one that there is.
    """
    if "observe" not in given:
        return before
    value = given["observe"]
    return None if value is None else _read_observe(value)


def observe_shown(carrier: IdCarrier) -> dict[str, Any]:
    """``observe`` as the API takes and shows it."""
    return {carrier.where: carrier.name if carrier.where in _NAMED else True}


def lease(given: Mapping[str, Any]) -> str | None:
    """The lease that is asked for; None for null and for no word about it.

    Raises:
        WireProblem: no text.
    """
    value = given.get("lease")
    return None if value is None else _LEASE.read(value)


_NAMED = ("header", "query")
"""Carriers that have a name; the others are there once."""


def _read_observe(given: Any) -> IdCarrier:
    if not isinstance(given, dict):
        raise WireProblem(f"observe: cannot unmarshal {described(given)} into an object")
    named = {key: value for key, value in given.items() if value is not None}
    if len(named) != 1:
        found = " and ".join(named) or "nothing"
        raise WireProblem(f"observe: has {found}, use one of header, traceparent, query and path")
    ((where, value),) = named.items()
    if where in _NAMED:
        if not isinstance(value, str) or not value:
            raise WireProblem(f"observe.{where}: {_found(value)}, use its name")
        return IdCarrier(where=where, name=value)
    if where not in {"traceparent", "path"}:
        raise WireProblem(f"observe: has {where}, use one of header, traceparent, query and path")
    if value is not True:
        raise WireProblem(f"observe.{where}: is {described(value)}, use true")
    return IdCarrier(where=where)


def _read_match(given: Any) -> Match:
    if not isinstance(given, dict):
        raise WireProblem(
            f"match: cannot unmarshal {described(given)} into an object with header and values"
        )
    header, values = given.get("header"), given.get("values")
    if not isinstance(header, str) or not header:
        raise WireProblem(f"match.header: {_found(header)}, use the name of a header")
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(value, str) for value in values)
    ):
        raise WireProblem(f"match.values: {_found(values)}, use a list of one or more texts")
    return Match(header=header, values=tuple(values))


def _found(value: Any) -> str:
    if value is None:
        return "is missing"
    if isinstance(value, str | list) and not value:
        return "is empty"
    if isinstance(value, list):
        odd = next(described(each) for each in value if not isinstance(each, str))
        return f"has {odd} in it"
    return f"is {described(value)}"


def _check_match(kind: type[Toxic], extensions: Extensions) -> None:
    if extensions.match is None:
        return
    if "http" not in kind.codecs:
        raise WireProblem(
            f"match: needs codec http, but {kind.kind} has {' and '.join(kind.codecs)}"
        )
    if extensions.codec not in {None, "http"}:
        raise WireProblem(f"match: needs codec http, but codec is {extensions.codec}")
    if extensions.per == "connection":
        raise WireProblem(
            "match: acts on requests, but per is connection; use request or leave per out"
        )
