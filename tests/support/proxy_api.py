"""A Toxiproxy API as its clients see it: raw HTTP, every byte of the answer kept."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from harness.model.units import Duration
from tests.support.sockets import Peer

_PATIENCE = Duration.of_s(10)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of an error answer, whose shape is checked on the way.

        The original ends all of them with a newline but those of ``/populate``.
        """
        found = self.json()
        assert list(found)[:2] == ["error", "status"], self.body
        assert found["status"] == self.status, self.body
        assert self.body.endswith(b"\n") or "proxies" in found, self.body
        return str(found["error"])

    def says(self, status: int, error: str) -> bool:
        """True, or an assertion that shows the answer."""
        assert (self.status, self.error) == (status, error), (self.status, self.body)
        return True


@dataclass(frozen=True, slots=True)
class Api:
    """``real`` is true of the original server; ``pid`` is the server's process, 0 if not known.

    ``patience`` is how long a call may take.
    """

    host: str
    port: int
    real: bool
    pid: int = 0
    patience: Duration = _PATIENCE

    def process(self) -> psutil.Process:
        """The server's process, to be counted and measured."""
        assert self.pid, "the server's process is not known"
        return psutil.Process(self.pid)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """``body`` is sent as it is when it is bytes, else as JSON."""
        payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.patience.in_s)
        try:
            connection.request(method, path, body=payload, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Reply(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read(),
            )
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Reply:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any = None) -> Reply:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Reply:
        return self.call("DELETE", path)

    def create(self, name: str, upstream: str, **more: Any) -> dict[str, Any]:
        """A new proxy on a free port of loopback, as the server shows it."""
        asked = {"name": name, "upstream": upstream, "listen": "127.0.0.1:0", **more}
        reply = self.post("/proxies", asked)
        assert reply.status == 201, reply
        made: dict[str, Any] = reply.json()
        return made

    def toxic(self, proxy: str, type: str = "latency", **more: Any) -> dict[str, Any]:
        """A new toxic, as the server shows it."""
        reply = self.post(f"/proxies/{proxy}/toxics", {"type": type, **more})
        assert reply.status == 200, reply
        made: dict[str, Any] = reply.json()
        return made

    def connect(self, proxy: str) -> Peer:
        """A client of the proxy."""
        return Peer.connect(self.get(f"/proxies/{proxy}").json()["listen"])
