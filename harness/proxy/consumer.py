"""``toxiproxy-python`` without its defects: one server a call, a time-out, every failure an error.

The package keeps host and port in a class that all its objects share, waits for ever, and takes a
500 or an HTML page for success. While a call is made, a consumer of our own stands in that class's
place, under a lock. The package is imported with the first call: it brings ``requests`` along.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.model.address import Address
from harness.model.units import Duration

LOST = "Take this proxy server for lost, its state unknown; restart it."

_lock = threading.Lock()


class ProxyCallFailed(Exception):
    """The server answered, and the call did not succeed. ``message`` is the server's own."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        hint = f" {LOST}" if status == 503 else ""
        super().__init__(f"the proxy server answered {status}: {message}{hint}")


class ProxyUnreachable(Exception):
    """No connection, or no answer in time."""


def message_of(body: bytes) -> str:
    """The ``error`` of a JSON answer, else the beginning of whatever came."""
    text = body.decode(errors="replace").strip()
    try:
        parsed = json.loads(text)
    except ValueError:
        return text[:200]
    if isinstance(parsed, dict) and isinstance(parsed.get("error"), str):
        return str(parsed["error"])
    return text[:200]


@contextmanager
def speaking_to(address: Address, timeout: Duration) -> Iterator[Any]:
    """The package ``toxiproxy``, whose every call goes to ``address`` until the block ends."""
    with _lock:
        import toxiproxy
        import toxiproxy.proxy
        import toxiproxy.server

        modules = (toxiproxy.proxy, toxiproxy.server)
        originals = [module.APIConsumer for module in modules]
        consumer = _consumer(originals[0], address, timeout)
        for module in modules:
            module.APIConsumer = consumer
        try:
            yield toxiproxy
        except KeyError as missing:
            raise ProxyCallFailed(200, f"the answer lacks {missing}") from None
        except toxiproxy.exceptions.ProxyExists as exists:
            # The package looks before it creates; the server would have said the same.
            raise ProxyCallFailed(409, "proxy already exists") from exists
        finally:
            for module, original in zip(modules, originals, strict=True):
                module.APIConsumer = original


def _consumer(original: type, address: Address, timeout: Duration) -> type:
    """A consumer with the package's own interface, for one call to one server."""

    def get(_cls: type, /, url: str, params: Any = None, **_more: Any) -> Any:
        return _call("GET", address, url, timeout, params=params)

    def delete(_cls: type, /, url: str, **_more: Any) -> Any:
        return _call("DELETE", address, url, timeout)

    def post(_cls: type, /, url: str, data: Any = None, json: Any = None, **_more: Any) -> Any:
        return _call("POST", address, url, timeout, data=data, json=json)

    members = {
        "host": address.host,
        "port": address.port,
        "get": classmethod(get),
        "delete": classmethod(delete),
        "post": classmethod(post),
    }
    return type("OneServer", (original,), members)


def _call(method: str, address: Address, path: str, timeout: Duration, **more: Any) -> Any:
    import requests

    url = f"http://{address.text()}{path}"
    with requests.Session() as session:
        session.trust_env = False  # HTTP_PROXY must not stand between us and a loopback API
        session.headers["User-Agent"] = "harness"
        try:
            answer = session.request(
                method, url, timeout=timeout.in_s, allow_redirects=False, **more
            )
        except requests.RequestException as problem:
            raise ProxyUnreachable(f"{method} {url}: {problem}. {LOST}") from None
    if not 200 <= answer.status_code < 300:
        raise ProxyCallFailed(answer.status_code, message_of(answer.content))
    if answer.status_code != 204:
        try:
            answer.json()
        except ValueError:
            raise ProxyCallFailed(answer.status_code, message_of(answer.content)) from None
    return answer
