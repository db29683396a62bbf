"""The stack of a run: brings up a target's services in order, wires them through hops, stops them all.

What a kind of service does to start is its own module's; when the stack comes up and goes is the
runner's.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from harness.expressions.template import Template, TemplateProblem
from harness.kinds import to_params
from harness.model.address import Address
from harness.model.errors import HarnessBug, TargetError, UserError
from harness.model.events import ServiceReady
from harness.model.plan import HttpCall, Plan, ServicePlan
from harness.model.units import Duration
from harness.processes.group import ProcessGroup, Record
from harness.processes.log_tail import last_lines
from harness.services import SERVICES
from harness.services.hops import Hop, Hops, ProxyEndpoint
from harness.services.order import start_order
from harness.services.outside import Outside
from harness.services.ports import require_free
from harness.services.ready import EndedEarly, answers, wait_until_ready
from harness.services.site import Ask, Site, Started
from harness.services.urls import is_encrypted, with_address

__all__ = ["Hop", "ProxyEndpoint", "Stack"]

_READY_LIMIT = Duration.of_s(30)
# Between our finding a port free and the service's taking it, somebody else may have been faster.
_PORT_ATTEMPTS = 3
_PORT_TAKEN = re.compile(r"address already in use|EADDRINUSE|errno (98|48)\b", re.IGNORECASE)


class Stack:
    """The services and hops of one run. ``stop`` it on every way out, also when ``bring_up`` failed.

    ``folder`` is the run's. ``env`` is the harness' environment, ``hide`` gets what no journal may
    show. The mappings ``urls``, ``names`` and ``hops`` fill up while the stack comes up.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        folder: Path,
        mark: str,
        record: Record,
        proxy: ProxyEndpoint,
        env: Mapping[str, str],
        hide: Callable[[str], None] = lambda _secret: None,
        allow_hosts: Collection[str] = (),
    ) -> None:
        self.urls: dict[str, str] = {}
        self.hops: dict[str, Hop] = {}
        self.names: dict[str, Any] = {"hops": {}, "services": {}}
        self.not_undone: tuple[str, ...] = ()
        self._plan = plan
        self._folder = folder
        self._mark = mark
        self._record = record
        self._env = env
        self._allowed = {*plan.target.allow_hosts, *allow_hosts}
        words = {*_words(plan), proxy.own, proxy.foreign or "", mark, folder.name}
        self._outside = Outside(env, Path(plan.target.folder), hide, words)
        self.sources = self._outside.sources
        self.hide = self._outside.hide
        self._wiring = Hops(proxy, run=folder.name, record=record)
        self._addresses: dict[str, Address | None] = {}
        self._processes: dict[str, ProcessGroup] = {}
        self._stops: list[Callable[[], Awaitable[None]]] = []

    async def bring_up(self) -> None:
        """Starts everything, each service when what it needs is ready.

        Raises:
            UserError: the files or the machine are not as needed.
            TargetError: a service died, was never ready, or refused.
        """
        target = self._plan.target
        order = start_order(target)
        for hop in target.hops:
            if hop.listen is not None:
                pinned = Address.parse(hop.listen)
                self._check_host(pinned)
                require_free(pinned, what=f"hop {hop.name}")
        await self._wiring.check_foreign(self._check_host)
        for service in order:
            await self._start(service)
            await self._open_hops_to(service.name)

    async def stop(self) -> None:
        """Stops all, the last started first. Safe to repeat; one that fails spares none of the others.

        Raises:
            ExceptionGroup: what failed, after everything was tried.
        """
        failures: list[Exception] = []
        while self._stops:
            stop = self._stops[-1]
            try:
                await stop()
            except Exception as failure:
                failures.append(failure)
            self._stops.remove(stop)
        if failures:
            raise ExceptionGroup("some services did not stop", failures)

    def address(self, service: str) -> Address:
        """Where the service listens, directly.

        Raises:
            UserError: it has no address.
        """
        found = self._addresses.get(service)
        if found is None:
            raise UserError(
                f"service {service} has no address to send anything to.",
                hint="A command that listens needs {port} in its text or its env.",
            )
        return found

    def check_alive(self) -> None:
        """Passes while all that was started runs.

        Raises:
            TargetError: a process ended by itself; with the last lines of its log.
        """
        for name, process in self._processes.items():
            if not process.running():
                tail = last_lines(process.log)
                raise TargetError(
                    f"service {name}",
                    f"ended by itself with exit code {process.exit_code}; "
                    + (f"the last lines of its log:\n{tail}" if tail else "its log is empty"),
                )

    async def _start(self, service: ServicePlan) -> None:
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            before = len(self._stops)
            started = await _kind_of(service).start(self._site(service))
            try:
                after = await self._wait(service, started)
                break
            except EndedEarly as early:
                taken = started.port_given and _PORT_TAKEN.search(early.log_text)
                if not taken or attempt == _PORT_ATTEMPTS:
                    raise
                while len(self._stops) > before:
                    await self._stops.pop()()
        self._enter(service.name, started)
        self._record(
            ServiceReady(
                name=service.name,
                address=started.address.text() if started.address else "",
                after=after,
            )
        )

    async def _wait(self, service: ServicePlan, started: Started) -> Duration:
        ask = self._question(service, started)
        default = _READY_LIMIT if started.waits else Duration.ZERO
        limit = service.ready.limit if service.ready else default
        return await wait_until_ready(service.name, ask, limit=limit, process=started.process)

    def _question(self, service: ServicePlan, started: Started) -> Ask:
        call = service.ready.http if service.ready else None
        if call is None:
            return started.ask or _yes
        if started.address is None:
            raise UserError(
                f"service {service.name}: ready asks over HTTP, but the service has no address.",
                hint="A command that listens needs {port} in its text or its env.",
            )
        port = {"port": started.address.port}
        filled = self._fill(service.name, [call.path, call.headers, call.json, call.body], port)
        path, headers, json, body = filled
        asked = HttpCall(
            method=call.method,
            path=path,
            headers=headers,
            json=json,
            has_json=call.has_json,
            body=body,
        )
        return answers(started.address, asked, encrypted=is_encrypted(started.url or ""))

    def _enter(self, name: str, started: Started) -> None:
        self._addresses[name] = started.address
        if started.url is not None:
            self.urls[name] = started.url
            self.names["services"][name] = _named(started.url, started.address)
        if started.process is not None:
            self._processes[name] = started.process

    async def _open_hops_to(self, service: str) -> None:
        for plan in self._plan.target.hops:
            if plan.to != service:
                continue
            self._stops.append(self._close_hops)
            hop = await self._wiring.open(plan, self.address(service))
            self.hops[plan.name] = hop
            url = with_address(self.urls[service], hop.listen)
            self.names["hops"][plan.name] = _named(url, hop.listen)

    async def _close_hops(self) -> None:
        self.not_undone += tuple(await self._wiring.close())

    def _site(self, service: ServicePlan) -> Site:
        return Site(
            plan=service,
            folder=Path(self._plan.target.folder),
            log=self._folder.resolve() / "logs" / f"{service.name}.log",
            mark=self._mark,
            record=self._record,
            env=self._env,
            fill=lambda value, more: self._fill(service.name, value, more),
            hide=self._outside.hide,
            check_host=self._check_host,
            on_stop=self._stops.append,
        )

    def _fill(self, service: str, value: Any, more: Mapping[str, Any]) -> Any:
        values = {**self.names, "variant": self._plan.variant or "", **more}
        try:
            return Template.parse(value).fill(
                values, env=self._outside.env, file=self._outside.file
            )
        except TemplateProblem as problem:
            raise UserError(f"service {service}: {problem}.") from None

    def _check_host(self, address: Address) -> None:
        if not address.is_loopback and address.host not in self._allowed:
            raise UserError(
                f"{address} is not on this machine; only loopback targets are reached unless allowed.",
                hint=f"If you mean it: --allow-host {address.host}, or allow_hosts in the target file.",
            )


async def _yes() -> str | None:
    return None


def _kind_of(service: ServicePlan) -> Any:
    if service.kind not in SERVICES:
        raise HarnessBug(
            f"service {service.name} is of the kind {service.kind!r}, which nobody knows"
        )
    kind = SERVICES[service.kind]
    return kind(to_params(kind.Params, service.params))


def _named(url: str, address: Address | None) -> dict[str, Any]:
    """What templates may ask of a service or hop."""
    if address is None:
        return {"url": url}
    return {"url": url, "address": address.text(), "host": address.host, "port": address.port}


# What undoing reads in the journal: a DB_HOST of 127.0.0.1 hidden there would leave a fault standing.
_UNDO_WORDS = frozenset({"harness-", "http://127.0.0.1:", "localhost", "toxic", "proxy"})


def _words(plan: Plan) -> set[str]:
    """Texts that stand in events, of which no hidden value may blot out a part."""
    target = plan.target
    parts = (target.services, target.hops, target.operations, target.probes, plan.invariants)
    names = {part.name for group in parts for part in group}
    return {*_UNDO_WORDS, *names} | {plan.experiment, target.name, plan.variant or ""}
