"""Reads request bodies as Toxiproxy does: keys in any case, the last one wins, types are strict.

Whether the values make sense is the server's business.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from harness.model.units import Duration
from harness.proxy.extensions import PROXY_KEYS, TOXIC_KEYS
from harness.proxy.leases import LONGEST_MS, SHORTEST_MS
from harness.proxy.states import LONGEST_NAME, ProxySpec, Refused, ToxicSpec
from harness.proxy.wire import WireAttribute, WireProblem, described

# The largest 32-bit float, which is what the original reads a toxicity into.
_LARGEST_TOXICITY = Decimal("3.4028234663852886e38")
_TTL = WireAttribute(name="ttl", default=None, least=SHORTEST_MS, most=LONGEST_MS, unit="ms")


def proxy_spec(body: bytes) -> ProxySpec:
    """Raises ``Refused`` (400) for what is no object or has a key of the wrong type."""
    return _proxy_spec(_object(_parsed(body)))


def proxy_specs(body: bytes) -> list[ProxySpec]:
    """The list that ``/populate`` takes; ``null`` is an empty one."""
    parsed = _parsed(body)
    if parsed is None:
        return []
    if not isinstance(parsed, list):
        _bad(f"cannot unmarshal {described(parsed)} into a list of proxies")
    return [_proxy_spec(_object(entry)) for entry in parsed]


def proxy_entry(parsed: Any) -> ProxySpec:
    """One entry of such a list, as ``DECODER`` reads it."""
    try:
        _refuse_half_pairs(parsed)
    except ValueError as problem:
        _bad(str(problem))
    return _proxy_spec(_object(parsed))


def toxic_spec(body: bytes) -> ToxicSpec:
    """Raises ``Refused`` (400) for what is no object or has a key of the wrong type."""
    return _toxic_spec(_object(_parsed(body)))


def new_lease(body: bytes) -> tuple[str, Duration]:
    """Owner and ttl. Raises ``Refused`` (400) for no ttl, or one out of range."""
    given = _object(_parsed(body))
    owner = _text(given, "owner") or ""
    if len(owner.encode()) > LONGEST_NAME:
        _bad(f"owner is longer than {LONGEST_NAME} bytes")
    ttl = _ttl(given)
    if ttl is None:
        raise Refused(400, "missing required field: ttl")
    return owner, ttl


def renewed_lease(body: bytes) -> Duration | None:
    """The new ttl; None keeps the one there is. Raises ``Refused`` (400) for one out of range."""
    return _ttl(_object(_parsed(body)))


def _ttl(given: Mapping[str, Any]) -> Duration | None:
    if given.get("ttl") is None:
        return None
    try:
        return Duration.of_ms(_TTL.read(given["ttl"]))
    except WireProblem as problem:
        _bad(str(problem))


def _proxy_spec(given: Mapping[str, Any]) -> ProxySpec:
    toxics = given.get("toxics")
    if toxics is None:
        toxics = []
    if not isinstance(toxics, list):
        _bad(f"cannot unmarshal {described(toxics)} into toxics, a list")
    enabled = given.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        _bad(f"cannot unmarshal {described(enabled)} into enabled, true or false")
    return ProxySpec(
        name=_text(given, "name"),
        listen=_text(given, "listen"),
        upstream=_text(given, "upstream"),
        enabled=enabled,
        toxics=tuple(_toxic_spec(_object(toxic)) for toxic in toxics),
        extensions={key: given[key] for key in PROXY_KEYS if key in given},
    )


def _toxic_spec(given: Mapping[str, Any]) -> ToxicSpec:
    attributes = _object(given.get("attributes"))
    return ToxicSpec(
        name=_text(given, "name"),
        type=_text(given, "type"),
        stream=_text(given, "stream"),
        toxicity=_toxicity(given.get("toxicity")),
        attributes=attributes,
        extensions={key: given[key] for key in TOXIC_KEYS if key in given},
    )


def _parsed(body: bytes) -> Any:
    if not body.strip():
        _bad("EOF")
    try:
        parsed = DECODER.decode(body.decode())
        if b"\\u" in body:  # only an escape can bring one
            _refuse_half_pairs(parsed)
    except (ValueError, RecursionError) as problem:
        _bad(str(problem) or type(problem).__name__)
    return parsed


def _folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name.lower(): value for name, value in pairs}


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} has an exponent that no number can have") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


# Made once; the hooks are those of every body.
DECODER = json.JSONDecoder(
    object_pairs_hook=_folded, parse_float=_decimal, parse_constant=_no_constant
)


def _refuse_half_pairs(value: Any) -> None:
    """Half a surrogate pair can be read and never be written again, so it is let in nowhere."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("a text holds half a surrogate pair") from None
    elif isinstance(value, dict):
        for pair in value.items():
            _refuse_half_pairs(list(pair))
    elif isinstance(value, list):
        for each in value:
            _refuse_half_pairs(each)


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _bad(f"cannot unmarshal {described(value)} into an object")
    return value


def _text(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        _bad(f"cannot unmarshal {described(value)} into {key}, a text")
    return value


def _toxicity(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        _bad(f"cannot unmarshal {described(value)} into toxicity, a number")
    if not -_LARGEST_TOXICITY <= Decimal(value) <= _LARGEST_TOXICITY:
        _bad("toxicity is too large")
    return float(value)


def _bad(reason: str) -> NoReturn:
    raise Refused(400, f"bad request body: {reason}")
