"""The head of an HTTP/1 message, byte by byte as RFC 9112 has it, and where its body ends.

Strict on purpose: whoever guesses at a doubtful head may see messages where the server sees none.
What is not understood here makes the stream unreadable, and its bytes pass. No parser of others is
used: h11 and httptools give bodies without their framing, so not the bytes that came.
"""

import re
from collections.abc import Generator
from typing import Literal

from harness.protocols.exchange import MOST_KEPT, Head
from harness.protocols.reading import (
    CRLF,
    FOREVER,
    Grammar,
    Line,
    Skip,
    Take,
    Unreadable,
    Want,
)

Framing = int | Literal["chunked", "until close"]
"""Where a body ends: after so many bytes, with its last chunk, or with the connection."""

# Methods are tokens of any case, but all known ones are upper case, and so a line of text in
# another protocol is told from a request by its first byte.
_METHOD = rb"[A-Z][A-Z0-9_-]{0,30}"
REQUEST = re.compile(_METHOD + rb" [!-~\x80-\xff]+ HTTP/1\.[01]")
RESPONSE = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [^\x00\r\n]*)?")
_REQUEST_BEGUN = re.compile(_METHOD + rb"(?: |\Z)")
_RESPONSE_BEGUN = re.compile(rb"H(?:\Z|T(?:\Z|T(?:\Z|P(?:\Z|/(?:\Z|1(?:\Z|\.))))))")
_NAME = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):")
_NO_VALUE = re.compile(rb"[\x00\r\n]")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00\r\n]*)?\r\n")
_CHUNK_BEGUN = re.compile(rb"[0-9A-Fa-f]")
_LENGTH = re.compile(rb"[0-9]{1,18}")


def read_head(start: re.Pattern[bytes]) -> Generator[Want, bytes, Head]:
    """Takes a whole head; ``start`` is ``REQUEST`` or ``RESPONSE``. Labels nothing."""
    begun = _REQUEST_BEGUN if start is REQUEST else _RESPONSE_BEGUN
    first = yield Line(MOST_KEPT, begun)
    if start.fullmatch(_content(first)) is None:
        raise Unreadable
    fields: list[tuple[bytes, bytes]] = []
    size = len(first)
    while True:
        line = yield Line(MOST_KEPT - size)
        size += len(line)
        if line == CRLF:
            return Head(_content(first), tuple(fields), size)
        fields.append(_field(line))


def read_body(framing: Framing) -> Grammar:
    """Takes a body, within a message that has begun."""
    if framing == "until close":
        yield FOREVER
    elif framing != "chunked":
        yield Skip(framing)
    else:
        while size := _chunk_size((yield Line(start=_CHUNK_BEGUN))):
            yield Skip(size)
            if (yield Take(2)) != CRLF:
                raise Unreadable
        while (line := (yield Line())) != CRLF:
            _field(line)


def request_framing(head: Head) -> Framing:
    """Where the body of a request ends.

    Raises:
        Unreadable: its headers do not tell, or contradict each other.
    """
    framing = _framing(head)
    if framing == "until close":
        raise Unreadable
    return framing or 0


def response_framing(head: Head, method: bytes) -> Framing:
    """Where the body of a response to a request of that method ends.

    Raises:
        Unreadable: its headers do not tell, or contradict each other.
    """
    framing = _framing(head)
    status = head.status or 0
    if method == b"HEAD" or status < 200 or status in {204, 304} or is_tunnel(head, method):
        return 0
    return "until close" if framing is None else framing


def is_tunnel(head: Head, method: bytes) -> bool:
    """Behind this response both sides speak something else."""
    status = head.status or 0
    return status == 101 or (method == b"CONNECT" and 200 <= status < 300)


def _framing(head: Head) -> Framing | None:
    """What the headers say; None if they say nothing."""
    lengths = [value for name, value in head.headers if name == b"content-length"]
    codings = [value for name, value in head.headers if name == b"transfer-encoding"]
    if not codings:
        return _length(lengths) if lengths else None
    version = head.start[:8] if head.status else head.start[-8:]
    if lengths or version == b"HTTP/1.0":
        raise Unreadable
    return _transfer([coding.strip().lower() for coding in b",".join(codings).split(b",")])


def _length(values: list[bytes]) -> int:
    different = {value.strip() for value in b",".join(values).split(b",")}
    text = different.pop()
    if different or _LENGTH.fullmatch(text) is None:
        raise Unreadable
    return int(text)


def _transfer(codings: list[bytes]) -> Framing:
    """RFC 9112 §6.3: chunked is the last coding, or the body lasts as long as the connection."""
    if b"chunked" not in codings:
        return "until close"
    if codings.index(b"chunked") != len(codings) - 1:
        raise Unreadable
    return "chunked"


def _content(line: bytes) -> bytes:
    """A line without its CRLF, which a bare LF is not."""
    if not line.endswith(CRLF):
        raise Unreadable
    return line[:-2]


def _field(line: bytes) -> tuple[bytes, bytes]:
    content = _content(line)
    name = _NAME.match(content)
    if name is None or _NO_VALUE.search(content):
        raise Unreadable
    return name[1].lower(), content[name.end() :].strip(b" \t")


def _chunk_size(line: bytes) -> int:
    found = _CHUNK.fullmatch(line)
    if found is None:
        raise Unreadable
    return int(found[1], 16)
