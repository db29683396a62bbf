"""Looks on at one HTTP/1 connection: which requests came, with which id, and how each ended.

It is shown the bytes and gives none back, so it can disturb nothing. Requests are read as they are
taken in from the client, before anybody delays or drops them; responses as they are handed to the
client, whoever made them. Toxics do not enter, nor do sockets and clocks: times are whole
nanoseconds, given by the caller.

Whatever is not HTTP/1, or leaves a doubt about where a body ends, makes the connection unreadable; a
101 or a CONNECT makes it something else. Neither is an error, but nothing more is seen of it.
"""

from collections import deque
from typing import Literal, Protocol

from msgspec import Struct

from harness.protocols.http_head import REQUEST, RESPONSE, Framing
from harness.protocols.http_skim import (
    UNTIL_CLOSE,
    Way,
    head_end,
    request_body,
    request_line,
    response,
)
from harness.protocols.reading import CRLF, Unreadable
from harness.protocols.request_id import Rid

RequestEnd = Literal["answered", "abandoned", "cut", "downstream-cut", "open"]

_CR = CRLF[0]


class Observed(Struct, gc=False):
    """One request. It changes until it has ended, and then no more.

    ``seq`` counts from 1 on its connection, ``turn`` is the generic one in which it came. ``arrived``:
    its head was complete. ``ended``: just before the last byte of its answer was handed on, or when
    the end was noticed. ``began``: some byte of an answer was. ``peer`` is the client's port.
    """

    conn: int
    seq: int
    turn: int
    peer: int | None
    method: str
    rid: str | None
    arrived: int
    ended: int | None = None
    end: RequestEnd = "open"
    status: int | None = None
    began: bool = False
    injected: tuple[str, ...] = ()


class Requests(Protocol):
    """Where observers leave what they saw."""

    unreadable: int
    """Connections that did not speak HTTP/1, or not to the end."""
    upgraded: int
    """Connections that went on as something else, by a 101 or a CONNECT."""

    def append(self, request: Observed) -> None:
        """A request has ended."""


class HttpObserver:
    """Follows connection ``conn``, from the first client bytes of a turn behind ``after`` on.

    ``over``: nothing is read any more. Requests that are open then end with the connection.
    """

    __slots__ = (
        "_after", "_answering", "_conn", "_down", "_meant", "_open", "_peer", "_requests", "_said",
        "_server_left", "_skipped", "_tunnel", "_up", "over", "readable", "rid", "seq",
    )  # fmt: skip

    def __init__(
        self,
        requests: Requests,
        rid: Rid,
        *,
        conn: int,
        peer: int | None = None,
        after: int = 0,
    ) -> None:
        self.rid = rid
        self.seq = 0
        """Of the latest request."""
        self.readable = True
        self.over = False
        self._requests = requests
        self._conn = conn
        self._peer = peer
        self._after = after
        self._up = Way()
        self._down = Way()
        self._open: deque[Observed] = deque()
        # The one whose response is being read; None also while that is nobody's.
        self._answering: Observed | None = None
        # A CONNECT waits for its answer; until then nobody knows what the client's bytes are.
        self._tunnel = False
        self._skipped = False
        self._server_left = False
        # The latest head of a response and what it says. Servers say the same again and again, to
        # the last byte, until the clock in it moves on.
        self._said = b"\0"
        self._meant: tuple[int, Framing] = 0, 0

    @property
    def open(self) -> tuple[Observed, ...]:
        """Those without an end, the oldest first."""
        return tuple(self._open)

    def taken_in(self, data: bytes, turn: int, now: int) -> int:
        """The client sent bytes, in the generic turn of that number.

        Returns the number of the request that the first of them belongs to, 0 if that is not known.
        """
        if self.over or turn <= self._after or not data:
            return 0
        way = self._up
        request = self.seq if way.left else self.seq + 1
        try:
            if way.left or way.kept or self._tunnel or data[0] == _CR:
                self._read_requests(data, turn, now)
            elif head_end(data, 0) == len(data):
                self._arrived(data[:-2], turn, now)  # nearly all are one head and no more
            else:
                self._read_requests(data, turn, now)
        except Unreadable:
            self._give_up()
        return request

    def passed_on(self, data: bytes, now: int) -> None:
        """These bytes are about to be handed to the client."""
        if self.over or not self.seq:
            return
        way, at = self._down, 0
        try:
            if way.left:
                at = way.read_body(data, 0)
                if not way.left:
                    self._answered(now)
            elif way.kept:
                data, way.kept = way.kept + data, b""
            while at < len(data) and not self.over:
                at = self._read_response(data, at, now)
        except Unreadable:
            self._give_up()

    def injected(self, toxic: str, turn: int, request: int = 0) -> None:
        """``toxic`` acted on bytes of ``request``; or if that is 0, of ``turn``, whose requests all count."""
        if not self._open:
            return
        if request:
            place = request - self._open[0].seq
            hit = [self._open[place]] if 0 <= place < len(self._open) else []
        else:
            hit = [each for each in self._open if each.turn == turn]
            # The body of a request may go on in a later turn, behind a 100.
            hit = hit or [self._open[-1]]
        for each in hit:
            if toxic not in each.injected:
                each.injected = (*each.injected, toxic)

    def client_left(self, now: int) -> None:
        """The client sent its last byte, or is gone. Who only stops sending is taken for gone too."""
        self._end_all("abandoned", now)

    def server_left(self) -> None:
        """The server sent its last byte, or is gone; what it sent may still be on its way."""
        self._server_left = True

    def finished(self, now: int) -> None:
        """The end of the server's stream is about to be handed to the client."""
        if self._down.left == UNTIL_CLOSE:
            self._answered(now)
        self.cut(now)

    def cut(self, now: int) -> None:
        """No answer can reach the client any more: by the server, if it had left, else by us."""
        self._end_all("downstream-cut" if self._server_left else "cut", now)

    # Requests

    def _read_requests(self, data: bytes, turn: int, now: int) -> None:
        way, at = self._up, 0
        while at < len(data):
            if way.left:
                at = way.read_body(data, at)
            elif self._tunnel:
                self._skipped = True
                return
            else:
                if way.kept:
                    data, at, way.kept = way.kept + data[at:], 0, b""
                while data[at] == _CR and data.startswith(CRLF, at):
                    at += 2  # RFC 9112 §2.2: clients of old send an empty line behind a body
                    if at == len(data):
                        return
                end = head_end(data, at)
                if not end:
                    way.keep(data[at:], REQUEST)
                    return
                self._arrived(data[at : end - 2], turn, now)
                at = end

    def _arrived(self, head: bytes, turn: int, now: int) -> None:
        """A whole head, without its blank line."""
        method, target = request_line(head)
        lower = head.lower()
        if lower.find(b"content-length") >= 0 or lower.find(b"transfer-encoding") >= 0:
            self._up.expect(request_body(head, lower))
        self._tunnel = method == "CONNECT"
        self.seq = seq = self.seq + 1
        rid = self.rid(head, lower, target)
        self._open.append(Observed(self._conn, seq, turn, self._peer, method, rid, now))

    # Responses

    def _read_response(self, data: bytes, at: int, now: int) -> int:
        """A response that begins at ``at``, as far as it is there; returns where it stops.

        One that no request waits for, such as a 408 in front of a close, is nobody's.
        """
        request = self._open[0] if self._open else None
        if request is not None:
            request.began = True
        if data.startswith(self._said, at):
            status, body = self._meant
            at += len(self._said)
        else:
            end = head_end(data, at)
            if not end:
                self._down.keep(data[at:], RESPONSE)
                return len(data)
            status, body = self._meant = response(data[at : end - 2])
            self._said = data[at:end]
            at = end
        if status < 200 and status != 101:
            return at  # the final one follows
        self._answering = request
        if request is not None:
            request.status = status
            if request.method == "HEAD":
                body = 0
            if status == 101 or (status < 300 and request.method == "CONNECT"):
                self._upgraded(now)
                return at
        if isinstance(body, int) and at + body <= len(data):
            self._answered(now)
            return at + body
        self._down.expect(body)
        at = self._down.read_body(data, at)
        if not self._down.left:
            self._answered(now)
        return at

    def _answered(self, now: int) -> None:
        """The response that was read last is whole."""
        request, self._answering = self._answering, None
        if request is None:
            return
        self._open.popleft()
        request.end = "answered"
        request.ended = now
        self._requests.append(request)
        if self._tunnel and request.method == "CONNECT":
            # Refused. What the client sent since then was not read, so its place is lost.
            self._tunnel = False
            if self._skipped:
                raise Unreadable

    def _upgraded(self, now: int) -> None:
        """What looked like requests behind it were none."""
        if self._open:
            self._end_first("answered", now)
        self._open.clear()
        self.over = True
        self._requests.upgraded += 1

    # Ends

    def _end_first(self, end: RequestEnd, now: int) -> None:
        request = self._open.popleft()
        request.end = end
        request.ended = now
        self._requests.append(request)

    def _end_all(self, end: RequestEnd, now: int) -> None:
        while self._open:
            self._end_first(end, now)
        self._answering = None

    def _give_up(self) -> None:
        self.readable = False
        self.over = True
        self._answering = None
        self._requests.unreadable += 1
