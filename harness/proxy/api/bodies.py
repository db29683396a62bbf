"""Reads request bodies as Toxiproxy does: keys in any case, the last one wins, types are strict.

Whether the values make sense is the server's business.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from harness.proxy.states import ProxySpec, Refused, ToxicSpec

# The largest 32-bit float, which is what the original reads a toxicity into.
_LARGEST_TOXICITY = Decimal("3.4028234663852886e38")


def proxy_spec(body: bytes) -> ProxySpec:
    """Raises ``Refused`` (400) for what is no object or has a key of the wrong type."""
    return _proxy_spec(_object(_parsed(body)))


def proxy_specs(body: bytes) -> list[ProxySpec]:
    """The list that ``/populate`` takes; ``null`` is an empty one."""
    parsed = _parsed(body)
    if parsed is None:
        return []
    if not isinstance(parsed, list):
        _bad(f"cannot unmarshal {_kind(parsed)} into a list of proxies")
    return [_proxy_spec(_object(entry)) for entry in parsed]


def toxic_spec(body: bytes) -> ToxicSpec:
    """Raises ``Refused`` (400) for what is no object or has a key of the wrong type."""
    return _toxic_spec(_object(_parsed(body)))


def _proxy_spec(given: Mapping[str, Any]) -> ProxySpec:
    toxics = given.get("toxics")
    if toxics is None:
        toxics = []
    if not isinstance(toxics, list):
        _bad(f"cannot unmarshal {_kind(toxics)} into toxics, a list")
    enabled = given.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        _bad(f"cannot unmarshal {_kind(enabled)} into enabled, true or false")
    return ProxySpec(
        name=_text(given, "name"),
        listen=_text(given, "listen"),
        upstream=_text(given, "upstream"),
        enabled=enabled,
        toxics=tuple(_toxic_spec(_object(toxic)) for toxic in toxics),
    )


def _toxic_spec(given: Mapping[str, Any]) -> ToxicSpec:
    attributes = _object(given.get("attributes"))
    return ToxicSpec(
        name=_text(given, "name"),
        type=_text(given, "type"),
        stream=_text(given, "stream"),
        toxicity=_toxicity(given.get("toxicity")),
        attributes=attributes,
    )


def _parsed(body: bytes) -> Any:
    if not body.strip():
        _bad("EOF")
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_folded,
            parse_float=Decimal,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as problem:
        _bad(str(problem) or type(problem).__name__)


def _folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name.lower(): value for name, value in pairs}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _bad(f"cannot unmarshal {_kind(value)} into an object")
    return value


def _text(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        _bad(f"cannot unmarshal {_kind(value)} into {key}, a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        _bad(f"{key} holds half a surrogate pair")
    return value


def _toxicity(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        _bad(f"cannot unmarshal {_kind(value)} into toxicity, a number")
    if not -_LARGEST_TOXICITY <= Decimal(value) <= _LARGEST_TOXICITY:
        _bad("toxicity is too large")
    return float(value)


def _kind(value: Any) -> str:
    names = {bool: "true or false", str: "text", dict: "object", list: "array"}
    return names.get(type(value), "number")


def _bad(reason: str) -> NoReturn:
    raise Refused(400, f"bad request body: {reason}")
