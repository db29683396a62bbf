"""One direction of a connection read by a grammar: bytes in, labelled parts of them out.

A grammar is a generator. It yields what it wants next (a line, so many bytes) and is sent the bytes;
it yields labels in between (here a message begins, here it ends). Which bytes are kept back, and
where parts are cut, is decided here for all protocols, so that it cannot depend on how the bytes
were split: bytes of a message pass as soon as they are understood, others wait for their label.
"""

import re
from collections.abc import Generator

from msgspec import Struct

from harness.protocols.exchange import MOST_KEPT, NO_REQUEST, Head, Part


class Line(Struct, frozen=True):
    """Wants a line; sent with its LF. Longer than ``most`` bytes, the stream is unreadable.

    So it is if the stream does not go on with a match of ``start``, known from the first byte that
    tells: for every text that matches, each of its beginnings must match too.
    """

    most: int = MOST_KEPT
    start: re.Pattern[bytes] | None = None


class Take(Struct, frozen=True):
    """Wants exactly ``size`` bytes; ``start`` as for a line."""

    size: int
    start: re.Pattern[bytes] | None = None


class Skip(Struct, frozen=True, gc=False):
    """The next ``size`` bytes pass as they come, unread. Only within a message."""

    size: int


class Peek(Struct, frozen=True, gc=False):
    """Wants to see the next byte, which stays."""


class Begin(Struct, frozen=True):
    """What was taken since the last message, and what comes, is a message of ``request``.

    ``first`` false: it goes on with a message that has ended before.
    """

    request: int
    head: Head | None = None
    first: bool = True


class End(Struct, frozen=True, gc=False):
    """The message ends behind what was taken; ``last`` false: without being complete."""

    last: bool = True


Want = Line | Take | Skip | Peek | Begin | End
Grammar = Generator[Want, bytes, None]

PEEK = Peek()
END = End()
LEAVE = End(last=False)
FOREVER = Skip(2**63)
CRLF = b"\r\n"


class Unreadable(Exception):
    """Raised by a grammar: what it was sent is not of its protocol. Never leaves this room."""


class Reading:
    """Runs a grammar over one direction. ``over`` is true once it returned or gave up."""

    __slots__ = (
        "_at", "_buffer", "_first", "_grammar", "_head", "_inside", "_left", "_mark", "_next",
        "_parts", "_request", "_want", "over",
    )  # fmt: skip

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._buffer = b""
        # Places in the buffer: given out up to _mark, understood up to _at; what the grammar was
        # sent last ends at _next, and is understood as soon as it wants something else.
        self._mark = self._at = self._next = 0
        self._left = 0
        self._inside = False
        self._request = NO_REQUEST
        self._first = False
        self._head: Head | None = None
        self._parts: list[Part] = []
        self.over = False
        self._want: Want = next(grammar)
        self._arm()

    @property
    def held(self) -> int:
        """Bytes kept back."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Part]:
        """The next bytes of the stream."""
        self._buffer = self._buffer + data if self._buffer else data
        if not self.over:
            self._run()
        return self._settle()

    def flush(self) -> list[Part]:
        """Gives up what is kept back, as part of the message it was held in, if any."""
        if self._buffer:
            self.over = True
            self._at = len(self._buffer)
        return self._settle()

    def give_up(self) -> None:
        """What is kept back and what comes belongs to no message."""
        self.over = True
        self._inside = False

    def _run(self) -> None:
        try:
            while (got := self._fulfil()) is not None:
                self._want = self._grammar.send(got)
                self._at = self._next
                self._arm()
        except (Unreadable, StopIteration):
            self.over = True

    def _arm(self) -> None:
        if type(self._want) is Skip:
            self._left = self._want.size

    def _fulfil(self) -> bytes | None:
        """What the grammar wants, or None if that takes more bytes."""
        match self._want:
            case Skip():
                return self._pass()
            case Line() | Take() as want:
                return self._whole(want)
            case Peek():
                return self._buffer[self._at : self._at + 1] or None
            case Begin(request, head, first):
                self._inside = True
                self._request, self._head, self._first = request, head, first
            case End(last):
                self._give(self._at, last=last)
                self._inside = False
        return b""

    def _pass(self) -> bytes | None:
        taken = min(len(self._buffer) - self._at, self._left)
        self._left -= taken
        self._at = self._next = self._at + taken
        return None if self._left else b""

    def _whole(self, want: Line | Take) -> bytes | None:
        at, there = self._at, len(self._buffer) - self._at
        if there and want.start is not None and want.start.match(self._buffer, at) is None:
            raise Unreadable
        if isinstance(want, Take):
            end = at + want.size
            whole = there >= want.size
        else:
            end = self._buffer.find(b"\n", at, at + want.most) + 1
            whole = end > 0
            if not whole and there >= want.most:
                raise Unreadable
        if not whole:
            return None
        self._next = end
        return self._buffer[at:end]

    def _give(self, end: int, *, last: bool = False) -> None:
        """Gives out the message's bytes up to ``end``."""
        data = self._buffer[self._mark : end]
        self._mark = end
        if not data:
            return
        if self._request == NO_REQUEST:
            self._parts.append(Part(data, NO_REQUEST))
        else:
            self._parts.append(Part(data, self._request, self._first, last, self._head))
        self._first, self._head = False, None

    def _settle(self) -> list[Part]:
        """Takes the parts, and keeps only what has no label yet."""
        if self._inside:
            self._give(self._at)
        if self.over:
            self._inside, self._request = False, NO_REQUEST
            self._give(len(self._buffer))
        self._buffer = self._buffer[self._mark :]
        self._at = self._next = self._at - self._mark
        self._mark = 0
        parts, self._parts = self._parts, []
        return parts


class ReadExchange:
    """An exchange whose two directions are read by grammars.

    They share ``awaiting``: the requests whose answer has not begun, in order, each with what its
    answer depends on.
    """

    __slots__ = ("_client", "_server", "awaiting", "readable")

    def __init__(self, requests: Grammar, answers: Grammar) -> None:
        self.readable = True
        self.awaiting: dict[int, bytes] = {}
        self._client = Reading(requests)
        self._server = Reading(answers)

    @property
    def held(self) -> int:
        return self._client.held + self._server.held

    def client(self, data: bytes, turn: int) -> list[Part]:  # noqa: ARG002 - counts by itself
        return self._read(self._client, data)

    def server(self, data: bytes, turn: int) -> list[Part]:  # noqa: ARG002 - counts by itself
        return self._read(self._server, data)

    def flush_client(self) -> list[Part]:
        return self._flush(self._client)

    def flush_server(self) -> list[Part]:
        return self._flush(self._server)

    def answered(self, request: int) -> None:
        self.awaiting.pop(request, None)

    def _read(self, reading: Reading, data: bytes) -> list[Part]:
        if not self.readable:
            reading.give_up()
        parts = reading.feed(data)
        if reading.over:
            self.readable = False
        return parts

    def _flush(self, reading: Reading) -> list[Part]:
        if not self.readable:
            reading.give_up()
        return reading.flush()
