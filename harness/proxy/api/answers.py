"""What the API says: the JSON of proxies, toxics and errors, byte for byte as clients know it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.model.units import to_builtin
from harness.proxy.proxy import Proxy
from harness.proxy.states import ToxicState

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

# The plain version number that clients look for: what this API is compatible with.
COMPATIBLE_WITH = "2.12.0"

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


def proxy_shape(proxy: Proxy) -> dict[str, Any]:
    """Toxics upstream first, each stream in the order of its chain."""
    return {
        "name": proxy.name,
        "listen": proxy.listen,
        "upstream": proxy.upstream,
        "enabled": proxy.enabled,
        "toxics": toxics_shape(proxy),
    }


def toxics_shape(proxy: Proxy) -> list[dict[str, Any]]:
    ordered = sorted(proxy.toxics, key=lambda state: state.direction != "upstream")
    return [toxic_shape(state) for state in ordered]


def toxic_shape(state: ToxicState) -> dict[str, Any]:
    whole = state.toxicity.is_integer()
    return {
        "attributes": dict(state.attributes),
        "name": state.name,
        "type": state.type,
        "stream": state.stream,
        "toxicity": int(state.toxicity) if whole else state.toxicity,
    }
