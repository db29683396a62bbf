"""From a request to its answer: paths, methods, and the one call on the server for each."""

import posixpath
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from harness.proxy.api import answers, bodies
from harness.proxy.api.answers import Answer
from harness.proxy.api.guard import Guard
from harness.proxy.leases import Lease
from harness.proxy.metrics import CONTENT_TYPE, Metrics
from harness.proxy.proxy import Proxy
from harness.proxy.server import Server
from harness.proxy.states import Refused, ToxicState


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; header names in lower case, ``path`` as it was sent, without the query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one call needs. ``names`` are those in the path: the proxy's, the toxic's."""

    server: Server
    names: list[str]
    query: str
    body: bytes

    def proxy(self) -> Proxy:
        return self.server.proxy(self.names[0])

    def toxic(self) -> ToxicState:
        return self.proxy().toxic(self.names[1])

    def lease(self) -> Lease:
        return self.server.leasing.leases.find(self.names[0])


Call = Callable[[Asked], Awaitable[Answer]]


async def answer(
    server: Server, request: Request, *, guard: Guard, metrics: Metrics | None = None
) -> Answer:
    """The answer to every request, also to those that cannot be served.

    Without ``metrics`` there is no such path.
    """
    try:
        return await _answered(server, request, guard, metrics)
    except Refused as problem:
        more: dict[str, Any] | None = {"proxies": []} if request.path == "/populate" else None
        return answers.error(problem.status, str(problem), more)
    except Exception as bug:
        traceback.print_exc(file=sys.stderr)
        return answers.error(500, f"internal error: {bug}")


async def _answered(
    server: Server, request: Request, guard: Guard, metrics: Metrics | None
) -> Answer:
    cleaned = _cleaned(request.path)
    if cleaned != request.path:
        return answers.moved(cleaned)
    if request.path == "/metrics" and metrics is not None:  # by whatever method
        return guard.refusal(request.headers) or answers.metrics(metrics.text(), CONTENT_TYPE)
    found = _find(request.path)
    if found is None:
        return answers.page_not_found()
    calls, names = found
    call = calls.get(request.method)
    if call is None:
        return answers.method_not_allowed(calls)
    refused = guard.refusal(request.headers)
    if refused is not None:
        return refused
    return await call(Asked(server=server, names=names, query=request.query, body=request.body))


def _cleaned(path: str) -> str:
    if "//" not in path and "/." not in path:
        return path
    cleaned = posixpath.normpath("/" + path.lstrip("/"))
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned


async def _list(asked: Asked) -> Answer:
    return answers.json_answer(
        {proxy.name: answers.proxy_shape(proxy) for proxy in asked.server.proxies()}
    )


async def _create(asked: Asked) -> Answer:
    proxy = await asked.server.create(bodies.proxy_spec(asked.body))
    return answers.json_answer(answers.proxy_shape(proxy), status=201)


async def _show(asked: Asked) -> Answer:
    return answers.json_answer(answers.proxy_shape(asked.proxy()))


async def _update(asked: Asked) -> Answer:
    asked.proxy()  # a missing proxy is told before a broken body
    proxy = await asked.server.update(asked.names[0], bodies.proxy_spec(asked.body))
    return answers.json_answer(answers.proxy_shape(proxy))


async def _delete(asked: Asked) -> Answer:
    asked.server.delete(asked.names[0])
    return answers.no_content()


async def _reset(asked: Asked) -> Answer:
    asked.server.reset()
    return answers.no_content()


async def _populate(asked: Asked) -> Answer:
    proxies = await asked.server.populate(bodies.proxy_specs(asked.body))
    shapes = [answers.proxy_shape(proxy) for proxy in proxies]
    return answers.json_answer({"proxies": shapes}, status=201)


async def _version(_asked: Asked) -> Answer:
    return answers.version()


async def _toxics(asked: Asked) -> Answer:
    return answers.json_answer(answers.toxics_shape(asked.proxy()))


async def _add_toxic(asked: Asked) -> Answer:
    proxy = asked.proxy()
    state = asked.server.add_toxic(proxy.name, bodies.toxic_spec(asked.body))
    return answers.json_answer(answers.toxic_shape(proxy, state))


async def _show_toxic(asked: Asked) -> Answer:
    return answers.json_answer(answers.toxic_shape(asked.proxy(), asked.toxic()))


async def _update_toxic(asked: Asked) -> Answer:
    proxy, name = asked.proxy(), asked.toxic().name  # what is missing is told before a broken body
    state = asked.server.change_toxic(proxy.name, name, bodies.toxic_spec(asked.body))
    return answers.json_answer(answers.toxic_shape(proxy, state))


async def _delete_toxic(asked: Asked) -> Answer:
    asked.proxy().remove_toxic(asked.names[1])
    return answers.no_content()


async def _leases(asked: Asked) -> Answer:
    return answers.json_answer(answers.leases_shape(asked.server.leasing))


async def _grant_lease(asked: Asked) -> Answer:
    leasing = asked.server.leasing
    lease = leasing.grant(*bodies.new_lease(asked.body))
    return answers.json_answer(answers.lease_shape(leasing, lease), status=201)


async def _show_lease(asked: Asked) -> Answer:
    return answers.json_answer(answers.lease_shape(asked.server.leasing, asked.lease()))


async def _renew_lease(asked: Asked) -> Answer:
    leasing = asked.server.leasing
    leasing.require(asked.names[0])
    lease = leasing.renew(asked.names[0], bodies.renewed_lease(asked.body))
    return answers.json_answer(answers.lease_shape(leasing, lease))


async def _end_lease(asked: Asked) -> Answer:
    asked.server.leasing.end(asked.names[0])
    return answers.no_content()


async def _turns(asked: Asked) -> Answer:
    proxy = asked.proxy()
    return answers.json_answer(proxy.turns(_after(asked)))


async def _requests(asked: Asked) -> Answer:
    proxy = asked.proxy()
    return answers.json_answer(proxy.requests(_after(asked)))


def _after(asked: Asked) -> int:
    after = parse_qs(asked.query, keep_blank_values=True).get("after", ["0"])[-1]
    if not after.isascii() or not after.isdecimal() or len(after) > 18:
        raise Refused(400, f"after: {after} is no whole number from 0")
    return int(after)


_NAME = None
_ROUTES: tuple[tuple[tuple[str | None, ...], dict[str, Call]], ...] = (
    (("proxies",), {"GET": _list, "POST": _create}),
    (("proxies", _NAME), {"GET": _show, "POST": _update, "PATCH": _update, "DELETE": _delete}),
    (("proxies", _NAME, "toxics"), {"GET": _toxics, "POST": _add_toxic}),
    (
        ("proxies", _NAME, "toxics", _NAME),
        {
            "GET": _show_toxic,
            "POST": _update_toxic,
            "PATCH": _update_toxic,
            "DELETE": _delete_toxic,
        },
    ),
    (("proxies", _NAME, "turns"), {"GET": _turns}),
    (("proxies", _NAME, "requests"), {"GET": _requests}),
    (("leases",), {"GET": _leases, "POST": _grant_lease}),
    (
        ("leases", _NAME),
        {"GET": _show_lease, "POST": _renew_lease, "PATCH": _renew_lease, "DELETE": _end_lease},
    ),
    (("populate",), {"POST": _populate}),
    (("reset",), {"POST": _reset}),
    (("version",), {"GET": _version}),
)


def _find(path: str) -> tuple[dict[str, Call], list[str]] | None:
    """The calls of a path by method, and the names in it; split first, decoded after."""
    parts = path.split("/")[1:]
    for pattern, calls in _ROUTES:
        if len(pattern) == len(parts) and all(
            part if want is None else part == want
            for want, part in zip(pattern, parts, strict=True)
        ):
            names = [
                unquote(part) for want, part in zip(pattern, parts, strict=True) if want is None
            ]
            return calls, names
    return None
