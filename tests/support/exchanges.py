"""A dialogue put through a codec, split any way; what every codec promises is checked on the way.

    told = converse(HttpExchange, [c(b"GET / HTTP/1.1\\r\\n\\r\\n"), s(b"HTTP/1.1 204 No\\r\\n\\r\\n")])
    assert told.client == [(1, "first last", b"GET / HTTP/1.1\\r\\n\\r\\n")]

Messages are compared, not parts: how many parts a message has depends on how the bytes were split,
its bytes and labels do not.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.protocols.exchange import MOST_KEPT, NO_REQUEST, Exchange, Part

Message = tuple[int, str, bytes]
"""Request, what its parts said (``"first last"``), bytes."""


@dataclass(frozen=True, slots=True)
class Move:
    """Bytes that one side sent in one go."""

    client: bool
    data: bytes


def c(data: bytes) -> Move:
    """The client sent this."""
    return Move(client=True, data=data)


def s(data: bytes) -> Move:
    """The server sent this."""
    return Move(client=False, data=data)


@dataclass(slots=True)
class Told:
    """What the codec said of a dialogue, message by message."""

    client_parts: list[Part] = field(default_factory=list)
    server_parts: list[Part] = field(default_factory=list)
    readable: bool = True

    @property
    def client(self) -> list[Message]:
        return [_in_short(part) for part in self.client_parts]

    @property
    def server(self) -> list[Message]:
        return [_in_short(part) for part in self.server_parts]


def converse(
    make: Callable[[], Exchange], moves: Sequence[Move], sizes: Sequence[int] = ()
) -> Told:
    """Feeds the dialogue in pieces of ``sizes``, over and over; without them, move by move.

    Without ``sizes`` it is fed byte by byte as well, and must be told the same. What is kept back
    at the end is flushed.
    """
    told = _fed(make(), moves, sizes)
    if not sizes:
        assert _fed(make(), moves, [1]) == told, "fed byte by byte it reads otherwise"
    return told


def merged(parts: Sequence[Part]) -> list[Part]:
    """The messages, each in one part."""
    messages: list[Part] = []
    for part in parts:
        before = messages[-1] if messages else None
        if before is None or part.first or before.last or before.request != part.request:
            messages.append(part)
        else:
            messages[-1] = Part(
                before.data + part.data, part.request, before.first, part.last, before.head
            )
    return messages


def _fed(exchange: Exchange, moves: Sequence[Move], sizes: Sequence[int]) -> Told:
    client = _Direction(exchange, exchange.client)
    server = _Direction(exchange, exchange.server)
    turn = 0
    for before, move in itertools.pairwise([s(b""), *moves]):
        turn += move.client and not before.client
        for piece in _pieces(move.data, sizes):
            (client if move.client else server).feed(piece, turn)
            assert exchange.held == client.held + server.held, "bytes were lost, or told twice"
    readable = exchange.readable
    client.take(exchange.flush_client())
    server.take(exchange.flush_server())
    assert (client.held, server.held, exchange.held) == (0, 0, 0)
    return Told(merged(client.parts), merged(server.parts), readable)


class _Direction:
    """What was sent in one direction, and what came of it so far."""

    def __init__(self, exchange: Exchange, feed: Callable[[bytes, int], list[Part]]) -> None:
        self._exchange = exchange
        self._feed = feed
        self._sent = bytearray()
        self._out = 0
        self.parts: list[Part] = []

    @property
    def held(self) -> int:
        return len(self._sent) - self._out

    def feed(self, piece: bytes, turn: int) -> None:
        readable = self._exchange.readable
        self._sent += piece
        parts = self._feed(piece, turn)
        self.take(parts)
        if not readable:
            assert {part.request for part in parts} == {NO_REQUEST}, "unreadable bytes are read"
        most = MOST_KEPT if self._exchange.readable else 0
        assert self.held <= most, "too much is kept back"

    def take(self, parts: list[Part]) -> None:
        for part in parts:
            end = self._out + len(part.data)
            assert part.data and type(part.data) is bytes
            assert part.data == self._sent[self._out : end], "the bytes came out otherwise"
            self._out = end
            if part.request == NO_REQUEST:
                assert part == Part(part.data, NO_REQUEST), "bytes of no message say something"
            if part.head is not None:
                assert part.first and len(part.data) >= part.head.size
        self.parts += parts


def _pieces(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for size in itertools.cycle(sizes or [max(len(data), 1)]):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


def _in_short(part: Part) -> Message:
    said = [word for word in ("first", "last") if getattr(part, word)]
    return part.request, " ".join(said), part.data
