"""Leases of a proxy server, as their owner asks for them. Blocking, like ``client``.

What an ended lease takes along is the server's business; who renews one, and when, is decided elsewhere.
"""

from typing import Any

from harness.model.units import Duration
from harness.proxy.client import CALL_LIMIT, ProxyServer
from harness.proxy.consumer import ProxyCallFailed, ask
from harness.proxy.http_call import Answer

# What a Toxiproxy says, which has no such path.
_NO_LEASES = (404, 405)
_ENDED = 404
_CREATED = 201


class LeaseServer:
    """The server whose API is at ``url``. ``timeout`` bounds each call.

    Every call may raise ``ProxyUnreachable``, and ``ProxyCallFailed`` for an answer that is neither
    success nor one of those told below.
    """

    def __init__(self, url: str, *, timeout: Duration = CALL_LIMIT) -> None:
        self._address = ProxyServer(url).address
        self._timeout = timeout

    def open(self, *, ttl: Duration, owner: str) -> str | None:
        """The id of a new lease, which ends unless it is renewed within ``ttl``.

        None where the server has no leases, and so none of the keys beyond Toxiproxy's.
        """
        content = {"ttl": round(ttl.in_ms), "owner": owner}
        try:
            answer = ask("POST", self._address, "/leases", self._timeout, content)
        except ProxyCallFailed as failed:
            if failed.status in _NO_LEASES:
                return None
            raise
        lease = _id_in(answer)
        if answer.status_code != _CREATED or lease is None:
            raise ProxyCallFailed(answer.status_code, f"/leases answered {answer.content[:80]!r}")
        return lease

    def renew(self, lease: str) -> bool:
        """Runs for its whole ttl again; False when it has ended, and taken along what it held."""
        return self._there("POST", lease, {})

    def close(self, lease: str) -> bool:
        """Ends it; everything attached is undone when this returns. False when it had ended."""
        return self._there("DELETE", lease, None)

    def _there(self, method: str, lease: str, content: Any) -> bool:
        try:
            ask(method, self._address, f"/leases/{lease}", self._timeout, content)
        except ProxyCallFailed as failed:
            if failed.status == _ENDED:
                return False
            raise
        return True


def _id_in(answer: Answer) -> str | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    lease = found.get("id") if isinstance(found, dict) else None
    return lease if isinstance(lease, str) and lease else None
