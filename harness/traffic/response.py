"""Reads one HTTP answer from bytes: sans-IO, around httptools. Knows no socket and no clock."""

import httptools

from harness.connections.answer import Headers
from harness.connections.limits import MOST_BODY, TOO_MUCH

CLOSED = "connection closed before the answer"
CUT = "connection closed within the answer"
NOT_HTTP = "answer is not HTTP"
TWICE = "more than one answer"
TOO_LARGE = f"answer of {TOO_MUCH}"
# nginx and Apache refuse headers of 8 KiB; what has this many is no answer but an attack on memory.
MOST_HEADER = 256 * 1024
TOO_MANY_HEADERS = "answer with more than 256 KiB of headers"


class ResponseReader:
    """Feed it what arrives; ``complete`` or ``broken`` says when it is enough.

    After ``complete`` it may be fed further: a second answer to one request makes it ``broken``.
    """

    def __init__(self, *, method: str = "GET") -> None:
        self._no_body = method == "HEAD"
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._size = self._header_size = 0
        self._in_headers = True
        self._interim = False
        self.status: int | None = None
        self.headers = Headers()
        self.complete = False
        self.broken: str | None = None
        self.keep_alive = True

    @property
    def body(self) -> bytes:
        return b"".join(self._body)

    def feed(self, data: bytes) -> None:
        """Takes what the connection gave; empty data tells nothing, use ``feed_end`` for its end."""
        if self.broken is not None or not data:
            return
        if self.complete:
            self.broken = TWICE
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.complete = True
        except httptools.HttpParserError:
            # A second answer behind the first is reported from within the parser as an error too.
            self.broken = self.broken or (TWICE if self.complete else NOT_HTTP)

    def feed_end(self) -> None:
        """The connection was closed by the server."""
        if self.complete or self.broken is not None:
            return
        if self.status is None:
            self.broken = CLOSED
        elif not self._in_headers and self._ends_with_the_connection():
            self.complete = True
        else:
            self.broken = CUT

    def _ends_with_the_connection(self) -> bool:
        """RFC 9112 §6.3: without a length or chunks, the end of the connection ends the body."""
        return "content-length" not in self.headers and "transfer-encoding" not in self.headers

    # Called by httptools

    def on_message_begin(self) -> None:
        if self.complete:
            self.broken = TWICE
            return
        self.status, self.headers, self._in_headers = None, Headers(), True

    def on_status(self, _status: bytes) -> None:
        self.status = self._parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_size += len(name) + len(value)
        if self._header_size > MOST_HEADER:
            self.broken = TOO_MANY_HEADERS
        elif not self.complete:
            self.headers.append(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        self._in_headers = False
        self._interim = 100 <= self.status < 200 and self.status != 101
        self.keep_alive = self._parser.should_keep_alive()
        if self._no_body and not self._interim:
            self.complete = True

    def on_body(self, data: bytes) -> None:
        if self._no_body:
            self.broken = NOT_HTTP
            return
        self._size += len(data)
        if self._size > MOST_BODY:
            self.broken = TOO_LARGE
        else:
            self._body.append(data)

    def on_message_complete(self) -> None:
        if self._interim:
            self.status = None
            return
        self.complete = True
