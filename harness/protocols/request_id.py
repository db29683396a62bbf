"""The id of a request, read from its head wherever the service passes it on."""

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

from harness.model.breaker import IdCarrier

MOST_OF_AN_ID = 256
"""Characters; a longer one is cut, for a hundred thousand of them are kept."""

Rid = Callable[[bytes, bytes, bytes], str | None]
"""Reads an id from a head, the same head in lower case, and the target of its request."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def rid_of(carrier: IdCarrier) -> Rid:
    """How the id is read that ``carrier`` carries. Of a path it is all of it: which part is the id
    knows whoever sent it.
    """
    match carrier.where:
        case "header":
            return _header(carrier.name)
        case "traceparent":
            return _trace
        case "query":
            return _parameter(carrier.name)
        case "path":
            return lambda _head, _lower, target: _text(target.partition(b"?")[0])


def _header(name: str) -> Rid:
    """The header's value; of several all, as RFC 9110 §5.3 joins them."""
    wanted = b"\r\n" + name.lower().encode("latin-1", errors="replace") + b":"
    size = len(wanted)

    def read(head: bytes, lower: bytes, _target: bytes) -> str | None:
        at = lower.find(wanted)
        if at < 0:
            return None
        end = head.find(b"\r", at + size)
        value = head[at + size : end].strip()
        if lower.find(wanted, end) < 0:
            return _text(value)
        values = [value]
        while (at := lower.find(wanted, end)) >= 0:
            end = head.find(b"\r", at + size)
            values.append(head[at + size : end].strip())
        return _text(b", ".join(values))

    return read


_parent = _header("traceparent")


def _trace(head: bytes, lower: bytes, target: bytes) -> str | None:
    """W3C Trace Context §3.2: version, trace id, parent id, flags."""
    found = _TRACEPARENT.fullmatch(_parent(head, lower, target) or "")
    return None if found is None else found[1]


def _parameter(name: str) -> Rid:
    wanted = name.encode() + b"="

    def read(_head: bytes, _lower: bytes, target: bytes) -> str | None:
        for given in target.partition(b"?")[2].split(b"&"):
            if given.startswith(wanted):
                return unquote_plus(_text(given[len(wanted) :]))
        return None

    return read


def _text(value: bytes) -> str:
    return value[:MOST_OF_AN_ID].decode("latin-1")
