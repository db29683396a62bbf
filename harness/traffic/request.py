"""The bytes of one HTTP/1.1 request, from values already filled in. Knows no socket.

Every value is untrusted here: what may not stand in a path is percent-encoded, and a header that would
end its own line is refused.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from harness import __version__
from harness.connections.request_line import on_the_wire
from harness.model.address import Address
from harness.model.errors import UserError

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAKS = re.compile(r"[\r\n\0]")
_OURS = frozenset({"content-length", "transfer-encoding"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def request_bytes(
    method: str,
    path: str,
    headers: Mapping[str, Any],
    content: bytes | None,
    *,
    address: Address,
    content_type: str | None = None,
) -> bytes:
    """The whole request, ready to be sent.

    Raises:
        UserError: a method, path or header that would not be one request on the wire.
    """
    if not _TOKEN.fullmatch(method):
        raise UserError(f"{method!r} is no HTTP method; write GET, POST or the like.")
    if not path.startswith("/"):
        raise UserError(f"The path {path!r} does not begin with a slash; write /{path}.")
    lines = {
        "host": f"Host: {address.text()}",
        "user-agent": f"User-Agent: harness/{__version__}",
        "accept": "Accept: */*",
        "connection": "Connection: keep-alive",
    }
    if content_type is not None:
        lines["content-type"] = f"Content-Type: {content_type}"
    for name, value in headers.items():
        lines[name.lower()] = _header(name, value)
    if content is not None or method in _WITH_BODY:
        lines["content-length"] = f"Content-Length: {len(content or b'')}"
    head = "\r\n".join([f"{method} {on_the_wire(path)} HTTP/1.1", *lines.values(), "", ""])
    return head.encode("utf-8") + (content or b"")


def _header(name: str, value: Any) -> str:
    if not _TOKEN.fullmatch(name):
        raise UserError(f"{name!r} is no name of a header.")
    if name.lower() in _OURS:
        raise UserError(f"The header {name} is set by the harness; leave it out.")
    text = str(value)
    if _BREAKS.search(text):
        raise UserError(
            f"The value of header {name} holds a line break or a zero byte, which would end the header.",
            hint="Look at what fills its {placeholders}.",
        )
    return f"{name}: {text.strip()}"


def json_bytes(value: Any) -> bytes:
    """A filled value as JSON; exact numbers as numbers.

    Raises:
        UserError: it holds what JSON cannot.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_number).encode()
    except (ValueError, TypeError) as error:
        raise UserError(f"The JSON body cannot be written: {error}.") from error


def _number(value: Any) -> int | float | str:
    match value:
        case Decimal() | Fraction():
            return int(value) if value == int(value) else float(value)
        case _:
            text = getattr(value, "text", None)
            if callable(text):
                return str(text())
            raise TypeError(f"a {type(value).__name__} has no form in JSON")
