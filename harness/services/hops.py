"""Makes hops on proxies: on our own, or on somebody's Toxiproxy with a hop of our own before it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

from harness.connections.blocking import in_thread, to_the_end
from harness.model.address import Address
from harness.model.errors import HarnessBug, UserError
from harness.model.events import HopClosed, HopIntended, HopOpened
from harness.model.plan import HopPlan
from harness.processes.group import Record
from harness.proxy.client import (
    UNDO_LIMIT,
    ProxyCallFailed,
    ProxyServer,
    ProxyUnreachable,
)
from harness.proxy.commands import removal_command
from harness.services.compose_hops import ContainerProxy


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A proxy that may have been made for a hop."""

    hop: str
    admin: str
    proxy: str


class Hops:
    """The hops of one run. ``run`` tells its proxies on a foreign server from anybody else's."""

    def __init__(self, endpoint: ProxyEndpoint, *, run: str, record: Record) -> None:
        self._endpoint = endpoint
        self._run = run
        self._record = record
        self._made: list[_Made] = []
        self._why: dict[_Made, str] = {}

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
            await in_thread(ProxyServer(url).version)
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

    async def open_among_containers(
        self, plan: HopPlan, proxy: ContainerProxy, upstream: Address
    ) -> Hop:
        """Makes the hop ``plan`` on a proxy of ours in a container, where it is seen, too.

        Raises:
            UserError: that proxy refused.
        """
        name = f"harness-{self._run}-{plan.name}"
        self._record(HopIntended(hop=plan.name, admin=proxy.admin, proxy=name))
        made = await self._create(plan, proxy.admin, name, upstream, proxy.listen)
        listen = Address(proxy.host, made.port)
        return self._opened(plan, proxy.admin, name, listen, upstream, "here", watched=name)

    async def close(self) -> None:
        """Takes all of them away, side by side. What could not be is in ``remaining``.

        Safe to repeat, and to cancel: a call that is under way is then waited for.

        Raises:
            ExceptionGroup: the journal could not take it down; everything was tried.
        """
        failures: list[Exception] = []
        async with asyncio.TaskGroup() as group:
            for hop in dict.fromkeys(made.hop for made in self._made):
                group.create_task(self._close(hop, failures), name=f"close hop {hop}")
        if failures:
            raise ExceptionGroup("some hops were not closed as they should", failures)

    def remaining(self) -> tuple[str, ...]:
        """Proxies on somebody's server whose removal nobody confirmed, with the command that does it.

        Ours end with their process, and take their hops along.
        """
        return tuple(
            f"proxy {made.proxy} of {made.admin} ({self._why.get(made, 'not confirmed')}); "
            f"remove it with: {removal_command(made.admin, made.proxy)}"
            for made in self._made
            if made.admin != self._endpoint.own
        )

    async def _close(self, hop: str, failures: list[Exception]) -> None:
        """The last made first: what dials a proxy goes before it."""
        for made in [made for made in reversed(self._made) if made.hop == hop]:
            try:
                await to_the_end(self._remove(made))
            except Exception as failure:
                failures.append(failure)

    async def _remove(self, made: "_Made") -> None:
        server = ProxyServer(made.admin, timeout=UNDO_LIMIT)
        try:
            found = await in_thread(partial(server.delete, made.proxy))
        except (ProxyUnreachable, ProxyCallFailed) as problem:
            self._why[made] = str(problem)
            return
        self._made.remove(made)
        self._record(HopClosed(hop=made.hop, admin=made.admin, proxy=made.proxy, found=found))

    async def _create(
        self, plan: HopPlan, admin: str, proxy: str, upstream: Address, listen: str
    ) -> Address:
        # Remembered first: whether a call that was cut short made it is not known.
        self._made.append(_Made(hop=plan.name, admin=admin, proxy=proxy))
        what = f"hop {plan.name}"
        try:
            state = await in_thread(
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
        *,
        watched: str | None = None,
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
            watch_admin=self._endpoint.own if watched is None else admin,
            watch_proxy=watched or plan.name,
        )
