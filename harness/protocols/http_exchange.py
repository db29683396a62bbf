"""The codec ``http``: requests and responses of HTTP/1.0 and 1.1, pipelined or not."""

from harness.protocols.exchange import NO_REQUEST
from harness.protocols.http_head import (
    REQUEST,
    RESPONSE,
    is_tunnel,
    read_body,
    read_head,
    request_framing,
    response_framing,
)
from harness.protocols.reading import (
    CRLF,
    END,
    PEEK,
    Begin,
    Grammar,
    ReadExchange,
    Take,
    Unreadable,
)


class HttpExchange(ReadExchange):
    """A request exists from the end of its head, and its response from the end of the response's.

    Heads are kept back until they are whole, bodies never. Interim responses (100, 103) are
    messages of their own, ``first`` and ``last``, under the number of their request; the final one
    is told by its head's status. A body that only the end of the connection ends has no ``last``.
    Empty lines in front of a request belong to none.

    Unreadable: what is no head of HTTP/1.0 or 1.1, one over 64 KiB, doubtful framing (RFC 9112
    §6.3), bytes of the server that no request waits for, and everything behind a 101 or a
    successful CONNECT.
    """

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0
        super().__init__(self._requests(), self._responses())

    def _requests(self) -> Grammar:
        while True:
            if (yield PEEK) == b"\r":
                yield from _empty_line()
                continue
            head = yield from read_head(REQUEST)
            framing = request_framing(head)
            self._count += 1
            self.awaiting[self._count] = head.start.partition(b" ")[0]
            yield Begin(self._count, head)
            yield from read_body(framing)
            yield END

    def _responses(self) -> Grammar:
        while True:
            yield PEEK
            self._awaited()
            head = yield from read_head(RESPONSE)
            request = self._awaited()
            method = self.awaiting[request]
            framing = response_framing(head, method)
            if (head.status or 0) >= 200 or is_tunnel(head, method):
                del self.awaiting[request]
            yield Begin(request, head)
            yield from read_body(framing)
            yield END
            if is_tunnel(head, method):
                return

    def _awaited(self) -> int:
        """The request whose response comes next."""
        for request in self.awaiting:
            return request
        raise Unreadable


def _empty_line() -> Grammar:
    """RFC 9112 §2.2: clients of old send one behind a body."""
    if (yield Take(2)) != CRLF:
        raise Unreadable
    yield Begin(NO_REQUEST)
    yield END
