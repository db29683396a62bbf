"""``toxiproxy-python`` without its defects: one server a call, a time-out, every failure an error.

The package keeps host and port in a class that all its objects share, waits for ever, and takes a
500 or an HTML page for success. While a call is made, a consumer of our own stands in that class's
place, under a lock, so one stuck server holds up all such calls: what undoes does without the
package. It is imported with the first call, since it brings ``requests`` along.
"""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness.model.address import Address
from harness.model.units import Duration
from harness.proxy.http_call import Answer, http_call

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
def speaking_to(
    address: Address, timeout: Duration, *, also: Mapping[str, Any] | None = None
) -> Iterator[Any]:
    """The package ``toxiproxy``, whose every call goes to ``address`` until the block ends.

    ``also`` are keys that the package does not know and that are sent with each body.
    """
    with _lock:
        import toxiproxy
        import toxiproxy.proxy
        import toxiproxy.server

        modules = (toxiproxy.proxy, toxiproxy.server)
        originals = [module.APIConsumer for module in modules]
        consumer = _consumer(originals[0], address, timeout, dict(also or {}))
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


def _consumer(original: type, address: Address, timeout: Duration, also: dict[str, Any]) -> type:
    """A consumer with the package's own interface, for one call to one server."""

    def get(_cls: type, /, url: str) -> Answer:
        return _understood(ask("GET", address, url, timeout))

    def post(_cls: type, /, url: str, json: Any = None) -> Answer:
        return _understood(ask("POST", address, url, timeout, {**json, **also} if also else json))

    members = {
        "host": address.host,
        "port": address.port,
        "get": classmethod(get),
        "post": classmethod(post),
    }
    return type("OneServer", (original,), members)


def ask(method: str, address: Address, path: str, timeout: Duration, content: Any = None) -> Answer:
    """One call without the package and its lock; ``timeout`` bounds the whole of it.

    Raises:
        ProxyUnreachable: no connection, or no whole answer in time.
        ProxyCallFailed: the answer is no success.
    """
    try:
        answer = http_call(method, address, path, limit=timeout, content=content)
    except (OSError, http.client.HTTPException) as problem:
        said = str(problem) or type(problem).__name__
        url = f"http://{address.text()}{path}"
        raise ProxyUnreachable(f"{method} {url}: {said}. {LOST}") from None
    if not 200 <= answer.status_code < 300:
        raise ProxyCallFailed(answer.status_code, message_of(answer.content))
    return answer


def _understood(answer: Answer) -> Answer:
    try:
        answer.json()
    except ValueError:
        raise ProxyCallFailed(answer.status_code, message_of(answer.content)) from None
    return answer
