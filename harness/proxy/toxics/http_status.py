"""HTTP status: answers requests itself, or lets them pass and puts its own answer in place of the server's.

Which requests are hit is decided outside. Answers leave in the order of their requests, so its own
waits for those of requests before it. What is not HTTP never comes here.
"""

from collections import deque
from collections.abc import Mapping, MutableMapping, Sequence
from http import HTTPStatus
from random import Random
from typing import Any, ClassVar

from msgspec import Struct

from harness.kinds import params
from harness.model.errors import UserError
from harness.model.units import Duration, Instant
from harness.protocols.exchange import Head, Part
from harness.proxy.items import Across, Action, Answered, Chunk, Close, Injected, Item
from harness.proxy.spoken import whole_seconds
from harness.proxy.toxic import Direction, Per, Toxic, Trace
from harness.proxy.wire import (
    Attribute,
    FlagAttribute,
    TextAttribute,
    Value,
    WireAttribute,
    WireProblem,
    completed,
)

_WITHOUT_BODY = {204, 205, 304}


class _Asked(Struct, frozen=True, kw_only=True):
    """A request, as far as its answer depends on it.

    ``old`` is HTTP/1.0; ``closes``: the client wants the connection to end with the answer;
    ``waits``: it keeps its body back until it hears from the server (``Expect: 100-continue``).
    """

    request: int
    turn: int
    without_body: bool
    old: bool
    closes: bool
    waits: bool


class HttpStatus(Toxic):
    """``hear`` takes requests in, ``feed`` replaces answers; ``bypass`` keeps count of the others."""

    kind = "http_status"
    summary = "Answers HTTP requests with a status of its own, such as 503 with Retry-After."
    wire: ClassVar[tuple[Attribute, ...]] = (
        WireAttribute(name="status", default=503, least=200, most=599),
        TextAttribute(name="body"),
        TextAttribute(name="content_type", default="text/plain"),
        WireAttribute(name="retry_after", default=None, least=0, unit="s"),
        FlagAttribute(name="forward"),
    )
    streams: ClassVar[tuple[Direction, ...]] = ("downstream",)
    per: ClassVar[Per] = "request"
    codecs: ClassVar[tuple[str, ...]] = ("http",)
    framed = True
    hears: ClassVar[bool] = True

    @params
    class Params:
        """``retry_after`` in whole seconds. ``forward``: the server sees the request all the same."""

        status: int = 503
        body: str = ""
        content_type: str = "text/plain"
        retry_after: Duration | None = None
        forward: bool = False

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        super().__init__(values, draws, common)
        self._renew()

    def _renew(self) -> None:
        # Requests the server answers, hit or not, whose answer has not passed whole; ascending.
        self._outstanding: deque[int] = deque()
        # Of those the hit ones, until their answer begins; and the one being replaced now.
        self._forwarded: dict[int, _Asked] = {}
        self._replacing = 0
        # The request whose bytes are dropped, and while it is to be answered, what it asked.
        self._dropping = 0
        self._taken: _Asked | None = None
        # Not ``held``: these wait for what comes, and must not keep it back.
        self._own: deque[_Asked] = deque()

    def hear(self, item: Item, now: Instant) -> Sequence[Action]:
        if not isinstance(item, Chunk) or item.part is None:
            return (item,)
        part = item.part
        actions: list[Action] = []
        if part.first:
            asked = _read(part, item.turn)
            if self.values["forward"]:
                self._goes_on(part.request)
                self._forwarded[part.request] = asked
            else:
                self._dropping, self._taken = part.request, asked
                actions.append(Injected(item.turn))
        if part.request != self._dropping:
            return (item,)
        taken = self._taken
        if taken is not None and (part.last or taken.waits):
            self._taken = None
            self._own.append(taken)
            actions.append(Answered(part.request))
            actions.extend(Across(answer) for answer in self._due(now))
        return actions

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        if not isinstance(item, Chunk) or item.part is None:
            return (item,)
        part = item.part
        if part.request in self._forwarded:
            if part.head is not None and part.head.interim:
                # Without the 100 a client may never send the body of what is to be forwarded.
                return (item,) if part.head.status == 100 else ()
            self._replacing = part.request
            actions = self._replaced(item, self._forwarded.pop(part.request))
        elif part.request == self._replacing:
            actions = []
        else:
            return (item,)
        if part.last:
            self._replacing = 0
            actions.extend(self._answered(part.request, now))
        return actions

    def bypass(self, item: Item, now: Instant, *, heard: bool) -> Sequence[Action]:
        part = item.part if isinstance(item, Chunk) else None
        if part is None:
            return (item,)
        if heard:
            if part.request:
                self._goes_on(part.request)
            return (item,)
        if not part.request:
            # Unreadable: nobody can say any more when it is the turn of the answers that wait.
            return (item, Close("end")) if self._own else (item,)
        if part.last and not (part.head is not None and part.head.interim):
            return (item, *self._answered(part.request, now))
        return (item,)

    def remove(self, now: Instant) -> Sequence[Action]:
        """Ends the connection if what was begun cannot be finished without it."""
        midway = self._taken is not None or self._own or self._replacing
        self._renew()
        return (Close("end"),) if midway else ()

    def _goes_on(self, request: int) -> None:
        if not self._outstanding or self._outstanding[-1] < request:
            self._outstanding.append(request)

    def _answered(self, request: int, now: Instant) -> list[Chunk | Close]:
        """The server's answer has passed whole, and so have all before it."""
        while self._outstanding and self._outstanding[0] <= request:
            self._outstanding.popleft()
        return self._due(now)

    def _due(self, now: Instant) -> list[Chunk | Close]:
        """The own answers that have no other in front of them."""
        leaving: list[Chunk | Close] = []
        own, outstanding = self._own, self._outstanding
        while own and not (outstanding and outstanding[0] < own[0].request):
            asked = own.popleft()
            # RFC 9110 §10.1.1: whether a body follows a final answer is the client's choice, so
            # where the next request would begin is not known.
            closes = asked.closes or asked.waits
            leaving.append(Chunk(self._answer(asked, closes=closes), now, asked.turn))
            if closes:
                leaving.append(Close("end"))
        return leaving

    def _replaced(self, item: Chunk, asked: _Asked) -> list[Action]:
        """The own answer, where the server's begins. It is the server that closes, if it says so."""
        head = item.part.head if item.part is not None else None
        closes = asked.closes or head is None or _ends_with(head, asked)
        answer = self._answer(asked, closes=closes)
        actions: list[Action] = [Injected(item.turn), Chunk(answer, item.stamp, item.turn)]
        if head is not None and head.status == 101:
            # The server speaks another protocol from here on; the client was told that it does not.
            actions.append(Close("end"))
        return actions

    def _answer(self, asked: _Asked, *, closes: bool) -> bytes:
        values = self.values
        status, body = int(values["status"]), str(values["body"]).encode()
        lines = [f"HTTP/1.1 {status} {_reason(status)}"]
        if status not in _WITHOUT_BODY:
            if values["content_type"]:
                lines.append(f"Content-Type: {values['content_type']}")
            lines.append(f"Content-Length: {len(body)}")
        elif status == HTTPStatus.RESET_CONTENT:
            lines.append("Content-Length: 0")
        if "retry_after" in values:
            lines.append(f"Retry-After: {values['retry_after']}")
        if closes:
            lines.append("Connection: close")
        elif asked.old:
            lines.append("Connection: keep-alive")
        head = "\r\n".join(lines).encode("ascii") + b"\r\n\r\n"
        return head if asked.without_body else head + body

    @classmethod
    def check(cls, values: Mapping[str, Value]) -> None:
        """Refuses what would make no HTTP of the answer.

        Raises:
            WireProblem: a body that is no text or where none can be, a header that is no line.
        """
        body, status, content_type = str(values["body"]), values["status"], values["content_type"]
        if body and status in _WITHOUT_BODY:
            raise WireProblem(f"body: an answer with status {status} has none, leave it out")
        try:
            body.encode()
        except UnicodeEncodeError:
            raise WireProblem("body: holds half of a surrogate pair, which no text has") from None
        if not (str(content_type).isascii() and str(content_type).isprintable()):
            raise WireProblem(f"content_type: {content_type!r} is no line of printable ASCII")

    @classmethod
    def attributes(cls, params: "HttpStatus.Params") -> dict[str, Value]:
        """Whole seconds for the wire; ``retry_after`` only if there is one.

        Raises:
            UserError: a value is out of range, or ``retry_after`` is no whole number of seconds.
        """
        given: dict[str, Value] = {
            "status": params.status,
            "body": params.body,
            "content_type": params.content_type,
            "forward": params.forward,
        }
        if params.retry_after is not None:
            given["retry_after"] = whole_seconds("retry_after", params.retry_after)
        try:
            values = completed(cls.wire, given)
            cls.check(values)
        except WireProblem as problem:
            raise UserError(f"{problem}.") from problem
        return values

    @classmethod
    def trace(cls, params: "HttpStatus.Params") -> Trace:
        return Trace(effect="answer")

    @classmethod
    def words(cls, params: "HttpStatus.Params") -> str:
        notes = [f"Retry-After {params.retry_after}"] if params.retry_after is not None else []
        notes += ["the server gets them all the same"] if params.forward else []
        return f"{params.status} on requests" + (f" ({', '.join(notes)})" if notes else "")


def _read(part: Part, turn: int) -> _Asked:
    head = part.head
    if head is None:  # no codec of ours gives a request without
        return _Asked(
            request=part.request, turn=turn, without_body=False, old=False, closes=True, waits=False
        )
    expects = any(value.lower() == "100-continue" for value in head.values("expect"))
    # One whose body is on its way already waits for nothing.
    waits = expects and not part.last and len(part.data) == head.size
    old = head.start.endswith(b"HTTP/1.0")
    return _Asked(
        request=part.request,
        turn=turn,
        without_body=head.start.startswith(b"HEAD "),
        old=old,
        closes=_says_close(head, old=old),
        waits=waits,
    )


def _says_close(head: Head, *, old: bool) -> bool:
    """RFC 9112 §9.3: HTTP/1.0 closes unless told otherwise, HTTP/1.1 the other way round."""
    said = {
        word.strip().lower() for value in head.values("connection") for word in value.split(",")
    }
    return "close" in said or (old and "keep-alive" not in said)


def _ends_with(head: Head, asked: _Asked) -> bool:
    """Whether the server will close behind its answer."""
    endless = not (
        asked.without_body
        or head.status in {204, 304}
        or head.values("content-length")
        or head.values("transfer-encoding")
    )
    return (
        endless or head.status == 101 or _says_close(head, old=head.start.startswith(b"HTTP/1.0"))
    )


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
