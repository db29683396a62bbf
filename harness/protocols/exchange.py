"""Requests and answers told apart on one connection: what a codec is fed, and the parts it gives.

Bytes go in as they came off the wire, the same bytes come out in the same order, cut where messages
meet and labelled with the request they belong to. Nothing is added, dropped or changed here; what
happens to a message is a toxic's business. Neither sockets nor clocks enter.
"""

from typing import Protocol

from msgspec import Struct

NO_REQUEST = 0
"""The request of bytes that belong to none: a greeting, a notification, a stream nobody can read."""

MOST_KEPT = 64 * 1024
"""What a codec keeps back of one direction at most, in bytes. nginx and Apache refuse heads of 8 KiB."""


class Head(Struct, frozen=True):
    """The head of an HTTP request or response.

    ``start`` is the request or status line without its CRLF. Names in ``headers`` are lower case,
    values stripped; order and repetitions are kept. ``size`` counts the whole head, blank line
    included, so the body begins there in the part that bears the head.
    """

    start: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    size: int

    def values(self, name: str) -> list[str]:
        """All values of a header, in order; ``name`` in any case."""
        # What no header can be called becomes "?", which no header is called either.
        wanted = name.lower().encode("latin-1", errors="replace")
        return [value.decode("latin-1") for known, value in self.headers if known == wanted]

    @property
    def status(self) -> int | None:
        """The status of a response; None for a request."""
        version, _, rest = self.start.partition(b" ")
        return int(rest[:3]) if version.startswith(b"HTTP/") else None

    @property
    def interim(self) -> bool:
        """Whether another response to the same request follows, as behind 100, 102 and 103."""
        status = self.status
        return status is not None and status < 200 and status != 101


class Part(Struct, frozen=True, gc=False):
    """Bytes of one message, or of none; never empty.

    ``request`` counts from 1 on the connection, whoever sent the bytes: an answer bears the number
    of its request. ``first`` begins the message, ``last`` completes it; a message that only the end
    of the connection completes has no ``last``. With ``NO_REQUEST`` neither is said. ``head`` stands
    on the first part of an HTTP message, which holds the whole head.
    """

    data: bytes
    request: int
    first: bool = False
    last: bool = False
    head: Head | None = None


class Exchange(Protocol):
    """A codec: follows both directions of one connection.

    Whatever comes, no call raises. How the bytes were split changes how many parts a message has,
    never where it ends or what it is labelled with.

    ``readable`` turns false for good when the stream is not of this protocol, or no longer (an
    upgrade, TLS). From then on all bytes pass at once as ``NO_REQUEST``. If a call for one direction
    does that while bytes of the other are kept back, those come with the next call for the other
    direction: whoever sees ``readable`` turn should flush it.
    """

    readable: bool

    @property
    def held(self) -> int:
        """Bytes kept back, both directions together."""

    def client(self, data: bytes, turn: int) -> list[Part]:
        """The client sent ``data``, in the generic turn of that number (``turn.py``)."""

    def server(self, data: bytes, turn: int) -> list[Part]:
        """The server sent ``data``; ``turn`` is the generic turn it answers, or ``NO_TURN``."""

    def flush_client(self) -> list[Part]:
        """Gives up what is kept back of the client's bytes: no more come, or nobody waits for them.

        Should more come nevertheless, the stream is unreadable if anything was given up.
        """

    def flush_server(self) -> list[Part]:
        """The same for the server's bytes."""

    def answered(self, request: int) -> None:
        """Somebody in the middle answered or swallowed ``request``: the server's answer won't come.

        An answer that has begun goes on; unknown numbers are ignored.
        """
