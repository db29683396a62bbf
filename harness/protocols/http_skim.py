"""HTTP/1 at a glance: where heads and bodies end, for whoever only looks on.

Most heads are read by a look for the two headers that say where a body ends. Whatever leaves a doubt
about that is read again, strictly, by ``http_head``.
"""

import re
from sys import intern
from typing import Final, Literal

from harness.protocols.exchange import MOST_KEPT, Head
from harness.protocols.http_head import (
    REQUEST,
    RESPONSE,
    Framing,
    read_head,
    request_framing,
    response_framing,
)
from harness.protocols.reading import CRLF, Unreadable

UNTIL_CLOSE = -2
_CR = CRLF[0]
_CHUNKED = -1
_REQUEST_BEGUN = re.compile(rb"[A-Z][A-Z0-9_-]{0,30}(?: |\Z)|\r\Z")
_RESPONSE_BEGUN = b"HTTP/1."
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00\r\n]*)?\r\n")


# Most requests have one of these; what is equal to one of them needs no further look.
_METHODS = {
    word.encode(): word for word in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
}


class Way:
    """How far one direction has been read. ``left``: bytes of a body to come, or how it ends.

    0 means that a head comes next, of which ``kept`` is the beginning.
    """

    __slots__ = ("_chunks", "kept", "left")

    def __init__(self) -> None:
        self.kept = b""
        self.left = 0
        self._chunks: _Chunks | None = None

    def expect(self, framing: Framing) -> None:
        if framing == "chunked":
            self.left, self._chunks = _CHUNKED, _Chunks()
        elif framing == "until close":
            self.left = UNTIL_CLOSE
        else:
            self.left = framing

    def read_body(self, data: bytes, at: int) -> int:
        """How far it goes; ``left`` is 0 once it has ended."""
        if self.left > 0:
            taken = min(self.left, len(data) - at)
            self.left -= taken
            return at + taken
        if self._chunks is None:
            return len(data)
        at = self._chunks.read(data, at)
        if self._chunks.over:
            self.left, self._chunks = 0, None
        return at

    def keep(self, beginning: bytes, start: re.Pattern[bytes]) -> None:
        """What may become a head. Whatever cannot is told by its first bytes or its first line."""
        if len(beginning) >= MOST_KEPT:
            raise Unreadable
        line, newline, _ = beginning.partition(b"\n")
        if newline:
            whole = line.endswith(b"\r") and start.fullmatch(line[:-1])
            if not whole or beginning.count(b"\n") != beginning.count(CRLF):
                raise Unreadable
        elif start is RESPONSE:
            if not (line.startswith(_RESPONSE_BEGUN) or _RESPONSE_BEGUN.startswith(line)):
                raise Unreadable
        elif line and not _REQUEST_BEGUN.match(line):
            raise Unreadable
        self.kept = beginning


class _Chunks:
    """A chunked body: sizes and trailers line by line, and bytes that nobody looks at."""

    __slots__ = ("_kept", "_left", "_wants", "over")

    def __init__(self) -> None:
        self.over = False
        self._kept = b""
        self._left = 0
        self._wants: Literal["size", "end of chunk", "trailer"] = "size"

    def read(self, data: bytes, at: int) -> int:
        while at < len(data) and not self.over:
            if self._left:
                taken = min(self._left, len(data) - at)
                self._left -= taken
                at += taken
                continue
            stop = data.find(b"\n", at) + 1
            if not stop:
                self._kept += data[at:]
                if len(self._kept) >= MOST_KEPT:
                    raise Unreadable
                return len(data)
            self._take(self._kept + data[at:stop])
            self._kept = b""
            at = stop
        return at

    def _take(self, line: bytes) -> None:
        if self._wants == "size":
            size = _CHUNK.fullmatch(line)
            if size is None:
                raise Unreadable
            self._left = int(size[1], 16)
            self._wants = "end of chunk" if self._left else "trailer"
        elif line == CRLF:
            self.over = self._wants == "trailer"
            self._wants = "size"
        elif self._wants == "end of chunk" or not line.endswith(CRLF):
            raise Unreadable


def head_end(data: bytes, at: int) -> int:
    """Where the head that begins at ``at`` ends, blank line included; 0 while it goes on.

    Raises:
        Unreadable: it is too long, or who takes a bare LF for a line's end sees its end elsewhere.
    """
    end = data.find(b"\n\r\n", at)
    if end < 0:
        return 0
    if data[end - 1] != _CR or data.find(b"\n\n", at, end) >= 0 or end - at > MOST_KEPT - 3:
        raise Unreadable
    return end + 3


def request_line(head: bytes) -> tuple[str, bytes]:
    """Method and target.

    Raises:
        Unreadable: the first line is none of HTTP/1.
    """
    line = head[: head.find(b"\r")]
    words = line.split(b" ")
    if len(words) == 3 and words[2] == b"HTTP/1.1" and words[1]:
        known = _METHODS.get(words[0])
        if known is not None:
            return known, words[1]
    if REQUEST.fullmatch(line) is None:
        raise Unreadable
    return intern(words[0].decode()), words[1]


def request_body(head: bytes, lower: bytes) -> Framing:
    """Where the body of a request ends. ``head`` has no blank line; ``lower`` is it in lower case.

    Raises:
        Unreadable: its headers do not tell, or contradict each other.
    """
    framing = _framing(lower)
    if framing == _DOUBT:
        return request_framing(_strictly(head, REQUEST))
    return framing or 0


def response(head: bytes) -> tuple[int, Framing]:
    """Status, and where the body ends, of a response to anything but a HEAD; 0 for one without.

    Raises:
        Unreadable: it is none, or its headers contradict each other.
    """
    if RESPONSE.fullmatch(head, 0, head.find(b"\r")) is None:
        raise Unreadable
    status = int(head[9:12])
    framing = _framing(head.lower())
    if framing == _DOUBT:
        framing = response_framing(_strictly(head, RESPONSE), b"GET")
    if status in {204, 304}:
        framing = 0
    return status, "until close" if framing is None else framing


_DOUBT: Final = "doubt"


def _framing(lower: bytes) -> Framing | Literal["doubt"] | None:
    """What the headers say, None for nothing; in doubt the whole head is to be read strictly.

    A head in which neither header's name occurs anywhere leaves no doubt, however odd it is else.
    """
    length = lower.find(b"content-length")
    if lower.find(b"transfer-encoding") >= 0:
        return "chunked" if length < 0 and _plainly_chunked(lower) else _DOUBT
    if length < 0:
        return None
    colon, end = length + 14, lower.find(b"\r", length)
    text = lower[colon + 2 : end]
    if (
        lower[length - 2 : colon + 2] == b"\r\ncontent-length: "
        and text.isdigit()
        and len(text) <= 18
        and lower.find(b"content-length", end) < 0
    ):
        return int(text)
    return _DOUBT


def _plainly_chunked(lower: bytes) -> bool:
    line = lower[: lower.find(CRLF)]
    version = line[:8] if line.startswith(b"http/") else line[-8:]
    return (
        version == b"http/1.1"
        and b"\r\ntransfer-encoding: chunked\r\n" in lower
        and lower.count(b"transfer-encoding") == 1
    )


def _strictly(head: bytes, start: re.Pattern[bytes]) -> Head:
    """Raises ``Unreadable`` for whatever RFC 9112 does not have."""
    reading = read_head(start)
    next(reading)
    try:
        for line in (head + CRLF).split(b"\n")[:-1]:
            reading.send(line + b"\n")
    except StopIteration as done:
        read: Head = done.value
        return read
    raise Unreadable
