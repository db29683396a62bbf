"""An observed proxy for one test, whose upstream the test holds in its own hands: requests with ids."""

from harness.model.units import Duration
from harness.proxy.client import ProxyServer, Request
from tests.support.proxy_api import Api
from tests.support.sockets import Peer, Upstream
from tests.support.waiting import until_sync

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"abc" * 100
PATIENCE = Duration.of_s(10)


def ask(rid: str, path: str = "/pay") -> bytes:
    """A request with that id."""
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {rid}\r\n\r\n".encode()


def exchange(client: Peer, server: Peer, rid: str, answer: bytes = OK) -> None:
    """One that passes: asked, seen by the server, answered."""
    client.send(ask(rid))
    assert server.receive(len(ask(rid))) == ask(rid)
    server.send(answer)
    assert client.receive(len(answer)) == answer


class ObservedHop:
    """The proxy ``a`` before ``upstream``. Ids are unique in a test."""

    def __init__(self, api: Api, upstream: Upstream) -> None:
        self.api = api
        self.upstream = upstream
        made = api.create("a", upstream.address, observe={"header": "x-request-id"})
        self.listen = str(made["listen"])
        self.server = ProxyServer(f"http://{api.host}:{api.port}")

    def connect(self) -> tuple[Peer, Peer]:
        """A client, and the server's end of its connection."""
        client = Peer.connect(self.listen)
        return client, self.upstream.accept()

    def requests(self) -> dict[str | None, Request]:
        """All so far by id, in the order in which they arrived on their connections."""
        page = self.server.requests("a")
        assert (page.dropped, page.unreadable) == (0, 0)
        return {one.rid: one for one in sorted(page.requests, key=lambda one: (one.conn, one.seq))}

    def ends(self) -> dict[str | None, tuple[str, int | None, tuple[str, ...]]]:
        """By id: how it ended, with which status, and what acted on it."""
        return {rid: (one.end, one.status, one.injected) for rid, one in self.requests().items()}

    def ended(self, rid: str) -> Request:
        """The request, once it has ended."""

        def found() -> Request | None:
            one = self.requests().get(rid)
            return None if one is None or one.end == "open" else one

        return until_sync(found, within=PATIENCE, what=f"{rid} has ended")
