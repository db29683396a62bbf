"""The proxy server behind its API, without sockets and in virtual time: calls, answers, waiting."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.model.units import Duration, Instant
from harness.proxy.api.answers import Answer
from harness.proxy.api.guard import Guard
from harness.proxy.api.routes import Request, answer
from harness.proxy.metrics import Metrics
from harness.proxy.proxy import Surroundings
from harness.proxy.server import Server
from tests.support.listening import Ports, without_sockets
from tests.support.virtual_time import VirtualTimeLoop


class VirtualServer:
    """``ports`` are those its proxies listen on; time passes in ``wait`` alone."""

    def __init__(self, loop: VirtualTimeLoop, ports: Ports) -> None:
        self.loop = loop
        self.ports = ports
        self.metrics: Metrics | None = None
        self.broken: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: self.broken.append(context))
        self.server = Server(
            Surroundings(loop=loop, clock=self.now, spawn=lambda task: task.close(), seed=0)
        )

    def now(self) -> Instant:
        return Instant.of_ns(round(self.loop.time() * 1_000_000_000))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        query: str = "",
    ) -> tuple[int, Any]:
        """Status, and the answer read as JSON, or as text where it is none."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        found = self._answer(
            Request(method=method, path=path, query=query, headers=headers or {}, body=payload)
        )
        try:
            return found.status, json.loads(found.body)
        except ValueError:
            return found.status, found.body.decode()

    def headers_of(self, method: str, path: str) -> tuple[int, dict[str, str]]:
        """Status, and the headers that not every answer has."""
        found = self._answer(Request(method=method, path=path, query="", headers={}, body=b""))
        return found.status, dict(found.headers)

    def _answer(self, request: Request) -> Answer:
        return self.loop.run_until_complete(
            answer(self.server, request, guard=Guard(loopback=True), metrics=self.metrics)
        )

    def get(self, path: str) -> Any:
        """What a successful GET answers."""
        status, found = self.call("GET", path)
        assert status == 200, (status, found)
        return found

    def make(self, path: str, body: Any) -> Any:
        """What a successful POST answers."""
        status, found = self.call("POST", path, body)
        assert status in {200, 201}, (status, found)
        return found

    def wait(self, duration: Duration) -> None:
        """All timers that are due by then have fired."""
        self.loop.run_until_complete(
            asyncio.sleep(duration.in_s)  # noqa: TID251 - virtual time
        )


@contextmanager
def virtual_server() -> Iterator[VirtualServer]:
    """A server without proxies. At the end no callback may have failed."""
    loop = VirtualTimeLoop()
    with without_sockets() as ports:
        made = VirtualServer(loop, ports)
        try:
            yield made
            assert made.broken == []
        finally:
            made.server.refuse_all()
            loop.close()
