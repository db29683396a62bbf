"""Makes hops on proxies: on our own, or on somebody's Toxiproxy with a hop of our own before it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from harness.model.address import Address
from harness.model.errors import HarnessBug, UserError
from harness.model.events import HopClosed, HopIntended, HopOpened
from harness.model.plan import HopPlan
from harness.processes.group import Record
from harness.proxy.client import ProxyCallFailed, ProxyServer, ProxyUnreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyEndpoint:
    """The APIs hops are made on: our embedded proxy, and somebody's Toxiproxy if one was named."""

    own: str
    foreign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A proxied link that is open.

    Toxics go to ``proxy`` at ``admin``; what the wire saw is told by ``watch_proxy`` at
    ``watch_admin``, which is always ours. ``listen`` is what the service dials.
    """

    name: str
    admin: str
    proxy: str
    listen: Address
    upstream: Address
    observed: Literal["here", "before"]
    watch_admin: str
    watch_proxy: str


class Hops:
    """The hops of one run. ``run`` tells its proxies on a foreign server from anybody else's."""

    def __init__(self, endpoint: ProxyEndpoint, *, run: str, record: Record) -> None:
        self._endpoint = endpoint
        self._run = run
        self._record = record
        self._made: list[tuple[str, str, str]] = []

    async def check_foreign(self, check_host: Callable[[Address], None]) -> None:
        """Passes if no foreign proxy was named, or it is a Toxiproxy that answers.

        Raises:
            UserError: it is not reachable, is something else, or its host is not allowed.
        """
        url = self._endpoint.foreign
        if url is None:
            return
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise UserError(
                f"--proxy {url}: this is no HTTP address.",
                hint="Write it as http://127.0.0.1:8474, or leave --proxy out for the embedded one.",
            )
        check_host(Address(parts.hostname, parts.port or 80))
        try:
            await _in_thread(ProxyServer(url).version)
        except ProxyUnreachable as problem:
            raise UserError(
                f"--proxy {url}: no proxy answers there: {problem}.",
                hint="Start a Toxiproxy, or leave --proxy out for the embedded one.",
            ) from None
        except ProxyCallFailed as problem:
            raise UserError(
                f"--proxy {url}: what answers there is no Toxiproxy: {problem}.",
                hint="Name the address of its API, usually port 8474.",
            ) from None

    async def open(self, plan: HopPlan, upstream: Address) -> Hop:
        """Makes the hop ``plan`` in front of ``upstream``.

        Raises:
            UserError: the pinned port is taken, or the foreign proxy refused.
        """
        own, foreign = self._endpoint.own, self._endpoint.foreign
        foreign = foreign.rstrip("/") if foreign else None
        listen = plan.listen or "127.0.0.1:0"
        if foreign is None:
            address = await self._create(plan, own, plan.name, upstream, listen)
            return self._opened(plan, own, plan.name, address, upstream, "here")
        name = f"harness-{self._run}-{plan.name}"
        self._record(HopIntended(hop=plan.name, admin=foreign, proxy=name))
        behind = await self._create(plan, foreign, name, upstream, "127.0.0.1:0")
        address = await self._create(plan, own, plan.name, behind, listen)
        return self._opened(plan, foreign, name, address, upstream, "before")

    async def close(self) -> list[str]:
        """Takes all of them away, the last first. Returns what remains, with the command that ends it."""
        remains: list[str] = []
        while self._made:
            hop, admin, proxy = self._made.pop()
            try:
                found = await _in_thread(partial(ProxyServer(admin).delete, proxy))
            except (ProxyUnreachable, ProxyCallFailed) as problem:
                if (
                    admin != self._endpoint.own
                ):  # ours ends with its process, and takes its hops along
                    remains.append(
                        f"proxy {proxy} of {admin} ({problem}); "
                        f"remove it with: curl -X DELETE {admin}/proxies/{proxy}"
                    )
                continue
            self._record(HopClosed(hop=hop, admin=admin, proxy=proxy, found=found))
        return remains

    async def _create(
        self, plan: HopPlan, admin: str, proxy: str, upstream: Address, listen: str
    ) -> Address:
        # Remembered first: whether a call that was cut short made it is not known.
        self._made.append((plan.name, admin, proxy))
        what = f"hop {plan.name}"
        try:
            state = await _in_thread(
                lambda: ProxyServer(admin).create(proxy, upstream=upstream.text(), listen=listen)
            )
        except ProxyUnreachable as problem:
            if admin == self._endpoint.own:
                raise HarnessBug(f"{what}: our own proxy does not answer: {problem}") from problem
            raise UserError(f"{what}: the proxy at {admin} does not answer: {problem}.") from None
        except ProxyCallFailed as problem:
            hint = f"Is {listen} free?" if plan.listen else ""
            raise UserError(
                f"{what}: the proxy at {admin} could not open it on {listen}: {problem}.", hint=hint
            ) from None
        return Address.parse(str(state.listen))

    def _opened(
        self,
        plan: HopPlan,
        admin: str,
        proxy: str,
        listen: Address,
        upstream: Address,
        observed: Literal["here", "before"],
    ) -> Hop:
        self._record(
            HopOpened(
                hop=plan.name,
                admin=admin,
                proxy=proxy,
                listen=listen.text(),
                upstream=upstream.text(),
                observed=observed,
            )
        )
        return Hop(
            name=plan.name,
            admin=admin,
            proxy=proxy,
            listen=listen,
            upstream=upstream,
            observed=observed,
            watch_admin=self._endpoint.own,
            watch_proxy=plan.name,
        )


async def _in_thread(call: Callable[[], T]) -> T:
    """``call`` in a thread; on cancellation it is waited for, so that what undoes it comes after it."""
    future = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # fetched, so that the loop does not report it as never retrieved
        raise
