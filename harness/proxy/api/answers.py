"""What the API says: the JSON of proxies, toxics and errors, byte for byte as clients know it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.model.units import Duration, to_builtin
from harness.proxy.extensions import observe_shown, shown
from harness.proxy.leases import Failure, Lease
from harness.proxy.leasing import Leasing
from harness.proxy.proxy import Proxy
from harness.proxy.states import ToxicState
from harness.proxy.version import COMPATIBLE_WITH

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

_NS_PER_MS = 1_000_000

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. ``headers`` come beside the ones every answer has."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=())


def compact(value: Any) -> bytes:
    """JSON without blanks, with the escapes of Toxiproxy's encoder. They occur in texts alone."""
    encoded = msgspec.json.encode(value, enc_hook=to_builtin)
    for plain, escaped in _ESCAPES:
        if plain in encoded:
            encoded = encoded.replace(plain, escaped)
    return encoded


def json_answer(value: Any, *, status: int = 200) -> Answer:
    return Answer(status=status, body=compact(value), content_type=JSON)


def error(status: int, message: str, more: Mapping[str, Any] | None = None) -> Answer:
    """The errors of ``/populate`` have ``more`` keys, and no newline behind them."""
    if more is not None:
        return json_answer({"error": message, "status": status, **more}, status=status)
    body = compact({"error": message, "status": status}) + b"\n"
    return Answer(status=status, body=body, content_type=JSON)


def no_content() -> Answer:
    return Answer(status=204)


def page_not_found() -> Answer:
    return Answer(status=404, body=b"404 page not found\n", content_type=TEXT)


def method_not_allowed(allowed: Iterable[str]) -> Answer:
    return Answer(status=405, headers=(("Allow", ", ".join(sorted(allowed))),))


def moved(path: str) -> Answer:
    return Answer(status=301, headers=(("Location", path),))


def browser_refused() -> Answer:
    return Answer(status=403, body=b"User agent not allowed\n", content_type=TEXT)


def version() -> Answer:
    # A blank behind the colon: it stands in the original's bytes.
    body = b'{"version": "' + COMPATIBLE_WITH.encode() + b'"}\n'
    return Answer(status=200, body=body, content_type="application/json;charset=utf-8")


def metrics(text: bytes, content_type: str) -> Answer:
    return Answer(status=200, body=text, content_type=content_type)


def proxy_shape(proxy: Proxy) -> dict[str, Any]:
    """Toxics upstream first, each stream in the order of its chain; then what else was set."""
    shape: dict[str, Any] = {
        "name": proxy.name,
        "listen": proxy.listen,
        "upstream": proxy.upstream,
        "enabled": proxy.enabled,
        "toxics": toxics_shape(proxy),
    }
    if proxy.max_connections is not None:
        shape["max_connections"] = proxy.max_connections
    lease = proxy.lease or proxy.disabled_by
    if lease is not None:
        shape["lease"] = lease
    if proxy.observed is not None:
        shape["observe"] = observe_shown(proxy.observed)
    return shape


def toxics_shape(proxy: Proxy) -> list[dict[str, Any]]:
    ordered = sorted(proxy.toxics, key=lambda state: state.direction != "upstream")
    return [toxic_shape(proxy, state) for state in ordered]


def toxic_shape(proxy: Proxy, state: ToxicState) -> dict[str, Any]:
    """Toxiproxy's five keys, then those that were set and what became of them."""
    whole = state.toxicity.is_integer()
    shape: dict[str, Any] = {
        "attributes": dict(state.attributes),
        "name": state.name,
        "type": state.type,
        "stream": state.stream,
        "toxicity": int(state.toxicity) if whole else state.toxicity,
        **shown(state.extensions),
    }
    if state.extensions.first is not None:
        shape["hit"] = proxy.shared[state.name].trigger.hit
    left = proxy.toxic_left(state.name)
    if left is not None:
        shape["expires_in"] = _ms(left)
    return shape


def leases_shape(leasing: Leasing) -> dict[str, Any]:
    """By id, in the order in which they were granted."""
    return {lease.id: lease_shape(leasing, lease) for lease in leasing.leases.all()}


def lease_shape(leasing: Leasing, lease: Lease) -> dict[str, Any]:
    """``failed`` is there only while something could not be undone."""
    attached = leasing.attached(lease)
    shape: dict[str, Any] = {
        "id": lease.id,
        "owner": lease.owner,
        "ttl": _ms(lease.ttl),
        "expires_in": _ms(leasing.left(lease)),
        "proxies": list(attached.proxies),
        "toxics": [{"proxy": proxy, "toxic": toxic} for proxy, toxic in attached.toxics],
        "disabled": list(attached.disabled),
    }
    if lease.failed:
        shape["failed"] = [_failure_shape(failure) for failure in lease.failed]
    return shape


def _failure_shape(failure: Failure) -> dict[str, str]:
    toxic = {} if failure.toxic is None else {"toxic": failure.toxic}
    return {"proxy": failure.proxy, **toxic, "error": failure.error}


def _ms(duration: Duration) -> int:
    """Rounded up: what runs for a moment yet does not show 0."""
    return -(-duration.ns // _NS_PER_MS)
