"""The one module that speaks to a Toxiproxy, ours or any other. Blocking; call it from a thread.

What ``toxiproxy-python`` covers goes through it, with its defects mended in ``consumer``, but for
what undoes: that, versions and turns do without it. What is sent is checked here first, because the
original server does not survive every value it accepts. When a fault comes and goes is decided
elsewhere.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from harness.model.address import Address
from harness.model.breaker import IdCarrier
from harness.model.errors import UserError
from harness.model.units import Duration, from_builtin
from harness.protocols.turn import Turn
from harness.proxy.consumer import (
    ProxyCallFailed,
    ProxyUnreachable,
    ask,
    speaking_to,
)
from harness.proxy.extensions import observe_shown
from harness.proxy.request_log import Request, RequestPage
from harness.proxy.states import Extensions, Match, ToxicState
from harness.proxy.toxics import TOXICS
from harness.proxy.turn_log import TurnPage
from harness.proxy.wire import Value, WireProblem, completed

__all__ = [
    "Counts",
    "ProxyCallFailed",
    "ProxyServer",
    "ProxyState",
    "ProxyUnreachable",
    "Request",
    "RequestPage",
    "Turn",
    "TurnPage",
]

# The original answers 503 after 25 s when it is stuck; what takes longer will not come.
CALL_LIMIT = Duration.of_s(30)
# Whoever cleans up has more to do than to wait for one server that hangs.
UNDO_LIMIT = Duration.of_s(5)
_NOT_FOUND = 404
# A page of turns from there on has none of those that ended, only the counts.
_NONE_BEHIND = 10**17
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.:@-]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyState:
    """A proxy as its server shows it. ``listen`` is the real address when it is enabled."""

    name: str
    listen: str
    upstream: str
    enabled: bool


class Counts(Struct, frozen=True, kw_only=True):
    """What a proxy of ours counts beside turns: the clients it has had, and those it has now.

    ``acted``: how often each toxic did something since the proxy was made, by name, those that are
    gone among them. None where the server does not tell.
    """

    connections: int
    open: int | None = None
    acted: dict[str, int] | None = None


P = TypeVar("P", TurnPage, Counts, RequestPage)


class ProxyServer:
    """The server whose API is at ``url``, such as ``http://127.0.0.1:8474``.

    ``timeout`` bounds each whole call. Every one may raise ``ProxyUnreachable`` (no connection, or
    no answer in time) and ``ProxyCallFailed`` (an answer that is no success, or none that can be
    understood).
    """

    def __init__(self, url: str, *, timeout: Duration = CALL_LIMIT) -> None:
        self.address = _address(url)
        self.timeout = timeout

    @property
    def url(self) -> str:
        return f"http://{self.address.text()}"

    def version(self) -> str:
        """What the server says; a build of the original by its module says ``git``."""
        answer = self._ask("/version")
        if isinstance(answer, dict) and isinstance(answer.get("version"), str):
            return str(answer["version"])
        raise ProxyCallFailed(200, f"/version answered {answer!r}, no Toxiproxy does that")

    def proxies(self) -> dict[str, ProxyState]:
        with speaking_to(self.address, self.timeout) as package:
            return {name: _state(found) for name, found in package.Toxiproxy().proxies().items()}

    def create(self, name: str, *, upstream: str, listen: str = "127.0.0.1:0") -> ProxyState:
        """A new, enabled proxy, with the address it really listens on."""
        with speaking_to(self.address, self.timeout) as package:
            return _state(package.Toxiproxy().create(upstream, _safe(name), listen=listen))

    def delete(self, name: str) -> bool:
        """False when it was not there."""
        return self._delete(f"/proxies/{_safe(name)}")

    def proxy(self, name: str) -> ProxyState | None:
        """None when it is not there."""
        try:
            found = self._ask(f"/proxies/{_safe(name)}")
        except ProxyCallFailed as failed:
            if failed.status == _NOT_FOUND:
                return None
            raise
        with _reading("a proxy"):
            return ProxyState(**{key: found[key] for key in ProxyState.__slots__})

    def enable(self, name: str) -> None:
        """It listens again, where it did before."""
        self._change(name, {"enabled": True})

    def disable(self, name: str, *, lease: str | None = None) -> None:
        """Refuses connections and closes those that are open; the end of ``lease`` enables it."""
        self._change(name, {"enabled": False, **({} if lease is None else {"lease": lease})})

    def toxics(self, proxy: str) -> tuple[ToxicState, ...]:
        """With all their keys, of which the package knows five; so this goes without it."""
        found = self._ask(f"/proxies/{_safe(proxy)}/toxics")
        with _reading("the toxics"):
            return tuple(_toxic_state(toxic) for toxic in found)

    def add_toxic(
        self,
        proxy: str,
        *,
        name: str,
        type: str,
        stream: Literal["upstream", "downstream"],
        toxicity: float,
        attributes: Mapping[str, Value],
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        """In force on every connection once this returns.

        ``extensions`` are keys beyond Toxiproxy's, which ignores them (``toxiproxy.py``).

        Raises:
            UserError: a name, the type or an attribute that the server must not get.
        """
        values = checked_attributes(type, attributes)
        with speaking_to(self.address, self.timeout, also=extensions) as package:
            _proxy(package, proxy).add_toxic(
                name=_safe(name), type=type, stream=stream, toxicity=toxicity, attributes=values
            )

    def remove_toxic(self, proxy: str, name: str) -> bool:
        """False when it, or its proxy, was not there."""
        return self._delete(f"/proxies/{_safe(proxy)}/toxics/{_safe(name)}")

    def turns(self, proxy: str, after: int = 0) -> TurnPage:
        """What ended since ``after`` (the last page's ``next``) and what is open. Ours only."""
        return self._page(proxy, "turns", after, TurnPage)

    def counts(self, proxy: str) -> Counts:
        """Totals alone, however many turns there were. Ours only."""
        return self._page(proxy, "turns", _NONE_BEHIND, Counts)

    def observe(self, proxy: str, carrier: IdCarrier | None) -> None:
        """Logs the proxy's HTTP requests from now on, with the id in ``carrier``; None ends it.

        Ours only: another server leaves the key out, and that is a ``ProxyCallFailed``.
        """
        asked = None if carrier is None else observe_shown(carrier)
        shown = self._change(proxy, {"observe": asked})
        found = shown.get("observe") if isinstance(shown, dict) else None
        if found != asked:
            raise ProxyCallFailed(200, f"observe is {found!r} where {asked!r} was asked for")

    def requests(self, proxy: str, after: int = 0) -> RequestPage:
        """What ended since ``after`` (the last page's ``next``) and what is open. Ours only.

        As many calls as it takes; ``lag`` is the worst of them.
        """
        page = self._page(proxy, "requests", after, RequestPage)
        pages = [page]
        while page.more:
            page = self._page(proxy, "requests", page.next, RequestPage)
            pages.append(page)
        return msgspec.structs.replace(
            page,
            requests=tuple(request for each in pages for request in each.requests),
            lag=max(each.lag for each in pages),
        )

    def _page(self, proxy: str, what: str, after: int, kind: type[P]) -> P:
        body = self._get(f"/proxies/{_safe(proxy)}/{what}?after={after}")
        try:
            return msgspec.json.decode(body, type=kind, dec_hook=_from_page)
        except (msgspec.DecodeError, msgspec.ValidationError) as problem:
            raise ProxyCallFailed(200, f"the {what} cannot be read: {problem}") from None

    def _change(self, proxy: str, content: Mapping[str, Any]) -> Any:
        """What the server shows of it then."""
        # POST, which every Toxiproxy takes for it; PATCH came with 2.6.
        answer = ask("POST", self.address, f"/proxies/{_safe(proxy)}", self.timeout, dict(content))
        with _reading("the proxy"):
            return answer.json()

    def _ask(self, path: str) -> Any:
        body = self._get(path)
        try:
            return json.loads(body)
        except ValueError:
            raise ProxyCallFailed(200, f"{path} answered no JSON: {body[:80]!r}") from None

    def _get(self, path: str) -> bytes:
        return ask("GET", self.address, path, self.timeout).content

    def _delete(self, path: str) -> bool:
        try:
            ask("DELETE", self.address, path, self.timeout)
        except ProxyCallFailed as failed:
            if failed.status == _NOT_FOUND:
                return False
            raise
        return True


def checked_attributes(kind: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """All attributes of the toxic, in range.

    Raises:
        UserError: no such toxic, no such attribute, or a value out of range.
    """
    if kind not in TOXICS:
        raise UserError(f"{kind!r} is no toxic; there are {', '.join(TOXICS)}.")
    wire = TOXICS[kind].wire
    for name in given:
        if name not in {attribute.name for attribute in wire}:
            known = ", ".join(attribute.name for attribute in wire)
            raise UserError(f"{kind} has no attribute {name!r}; it has {known}.")
    try:
        values = completed(wire, given)
        TOXICS[kind].check(values)
    except WireProblem as problem:
        raise UserError(f"{kind}.{problem}.") from None
    return values


def _address(url: str) -> Address:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise UserError(f"{url!r} is no proxy API; write http://host:port.") from None
    if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"}:
        raise UserError(f"{url!r} is no proxy API; write http://host:port.")
    return Address(parts.hostname, port or 80)


def _safe(name: str) -> str:
    """Names go into paths unescaped by many clients, so others are not even made."""
    if not _SAFE_NAME.fullmatch(name) or name in {".", ".."}:
        raise UserError(
            f"{name!r} cannot name a proxy or toxic; use letters, digits and _ . : @ - (up to 200)."
        )
    return name


def _state(found: Any) -> ProxyState:
    return ProxyState(
        name=found.name, listen=found.listen, upstream=found.upstream, enabled=found.enabled
    )


def _from_page(kind: type, value: Any) -> Any:
    """On pages durations are whole nanoseconds, as instants are."""
    return Duration.of_ns(value) if kind is Duration else from_builtin(kind, value)


def _proxy(package: Any, name: str) -> Any:
    """The package's handle on a proxy, without asking the server for all of them first."""
    return package.Proxy(name=_safe(name), upstream="", enabled=True, listen="")


def _toxic_state(found: Mapping[str, Any]) -> ToxicState:
    known = {key: found.get(key) for key in Extensions.__slots__}
    match = known["match"]
    if match is not None:
        known["match"] = Match(header=match["header"], values=tuple(match["values"]))
    return ToxicState(
        name=found["name"],
        type=found["type"],
        stream=found["stream"],
        toxicity=float(found["toxicity"]),
        attributes=found["attributes"],
        extensions=Extensions(**known),
    )


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Raises ``ProxyCallFailed`` for an answer that is JSON, and not of the shape it should have."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ProxyCallFailed(200, f"{what} cannot be read: {problem!r}") from None
