"""One HTTP call with a limit on the whole of it, however slowly its answer trickles in.

A time-out of ``http.client`` or ``requests`` is one for each wait: a server that sends a byte now
and then holds such a call for ever. What is asked, and what an answer means, is the caller's.
"""

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

from harness.model.address import Address
from harness.model.units import Duration, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of any status. The names are those that readers of ``requests`` know."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        """What the body says.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.content)


def http_call(
    method: str, address: Address, path: str, *, limit: Duration, content: Any = None
) -> Answer:
    """Sends ``content`` as JSON unless it is None, and reads the answer to its end.

    Raises:
        OSError: no connection, it broke, or the limit passed (``TimeoutError``).
        http.client.HTTPException: what came is no HTTP.
    """
    connection = _Connection(address, Instant.of_ns(time.monotonic_ns()) + limit)
    headers = {"User-Agent": "harness"}
    body = None
    if content is not None:
        body = json.dumps(content).encode()
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return Answer(status_code=answer.status, content=answer.read())
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: Address, deadline: Instant) -> None:
        super().__init__(address.host, address.port)
        self._deadline = deadline

    def connect(self) -> None:
        """To the first of the host's addresses that takes the connection."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        for number, (*_, there) in enumerate(found, start=1):
            host, port = str(there[0]), int(there[1])
            try:
                plain = socket.create_connection((host, port), timeout=_left(self._deadline))
            except OSError:
                if number == len(found):
                    raise
            else:
                self.sock = _Timed(plain, self._deadline)
                return


class _Timed(socket.socket):
    """A socket whose every wait ends at one and the same instant."""

    def __init__(self, plain: socket.socket, deadline: Instant) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._deadline = deadline

    def sendall(self, *given: Any) -> None:
        self.settimeout(_left(self._deadline))
        super().sendall(*given)

    def recv_into(self, *given: Any) -> int:
        self.settimeout(_left(self._deadline))
        return super().recv_into(*given)


def _left(deadline: Instant) -> float:
    left = deadline - Instant.of_ns(time.monotonic_ns())
    if left <= Duration.ZERO:
        raise TimeoutError("timed out")
    return left.in_s
