"""The stack of a run: brings up a target's services in order, wires them through hops, stops them all.

What a kind of service does to start is its own module's; when the stack comes up and goes is the
runner's.
"""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from harness.connections.request_line import PathTemplate
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import to_params
from harness.model.address import Address
from harness.model.errors import HarnessBug, TargetError, UserError
from harness.model.events import ServiceReady
from harness.model.plan import HopPlan, HttpCall, Plan, ServicePlan, TargetPlan
from harness.model.units import Duration
from harness.processes.group import Record
from harness.processes.log_tail import log_in_words
from harness.processes.programs import Programs
from harness.processes.surroundings import surroundings
from harness.services import SERVICES
from harness.services.compose_hops import proxy_for
from harness.services.hops import Hop, Hops, ProxyEndpoint
from harness.services.on_containers import COMPOSE
from harness.services.order import levels, start_order
from harness.services.outside import Outside, words_of
from harness.services.ports import require_free
from harness.services.ready import EndedEarly, answers, wait_until_ready
from harness.services.site import Ask, Program, Site, Started
from harness.services.urls import with_address

__all__ = ["Hop", "ProxyEndpoint", "Stack"]

_READY_LIMIT = Duration.of_s(30)
# Between our finding a port free and the service's taking it, somebody else may have been faster.
_PORT_ATTEMPTS = 3
_PORT_TAKEN = re.compile(r"address already in use|EADDRINUSE|errno (98|48)\b", re.IGNORECASE)


class Stack:
    """The services and hops of one run. ``stop`` it on every way out, also when ``bring_up`` failed.

    ``folder`` is the run's. ``env`` is the harness' environment, ``hide`` gets what no journal may
    show. The mappings ``urls``, ``pids``, ``names`` and ``hops`` fill up while the stack comes up.
    ``names["folder"]`` is a folder of the run's own for files that the target writes.
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
        self._files = folder.resolve() / "files"
        self.urls: dict[str, str] = {}
        self.pids: dict[str, int] = {}
        self.hops: dict[str, Hop] = {}
        self.names: dict[str, Any] = {"hops": {}, "services": {}, "folder": str(self._files)}
        self._plan = plan
        self._target = _with_variant(plan.target)
        self._logs = folder.resolve() / "logs"
        self._mark = mark
        self._record = record
        self._env = env
        self._allowed = {*plan.target.allow_hosts, *allow_hosts}
        words = {*words_of(plan), proxy.own, proxy.foreign or "", mark, folder.name}
        self._outside = Outside(env, Path(plan.target.folder), hide, words)
        self.sources = self._outside.sources
        self.hide = self._outside.hide
        self._wiring = Hops(proxy, run=mark, record=record)
        self._addresses: dict[str, Address | None] = {}
        self._inside: dict[str, Address | None] = {}
        self._moved: dict[str, dict[str, str]] = {}
        self._processes: dict[str, Program] = {}
        self._levels: dict[str, int] = {}
        self._stops: dict[str, list[Callable[[], Awaitable[None]]]] = {}
        self._with_hops: set[str] = set()
        self._stopping = False

    async def bring_up(self) -> None:
        """Starts everything, each service when what it needs is ready.

        Raises:
            UserError: the files or the machine are not as needed.
            TargetError: a service died, was never ready, or refused.
        """
        target = self._target
        order = start_order(target)
        self._levels = levels(target)
        for hop in target.hops:
            if hop.listen is not None:
                pinned = Address.parse(hop.listen)
                self._check_host(pinned)
                require_free(pinned, what=f"hop {hop.name}")
        await self._wiring.check_foreign(self._check_host)
        _make_empty(self._files)
        for service in order:
            await self._start(service)
            await self._open_hops_to(service.name)

    async def stop(self) -> None:
        """Stops all: whoever needs a service before that service, and side by side what can be.

        Safe to repeat; one that fails spares none of the others.

        Raises:
            ExceptionGroup: what failed, after everything was tried.
        """
        self._stopping = True
        failures: list[Exception] = []
        while self._stops:
            level = max(self._levels[name] for name in self._stops)
            names = [name for name in self._stops if self._levels[name] == level]
            if self._with_hops & set(names):
                # All of them, once the first has no client left: what lies deeper is stopped next.
                await _tried(self._wiring.close, failures)
                self._with_hops.clear()
            async with asyncio.TaskGroup() as group:
                for name in reversed(names):
                    group.create_task(self._stop_service(name, failures), name=f"stop {name}")
        if failures:
            raise ExceptionGroup("some services did not stop", failures)

    @property
    def not_undone(self) -> tuple[str, ...]:
        """Once ``stop`` has begun: what it has not taken back (yet), with the commands that do."""
        return self._wiring.remaining() if self._stopping else ()

    @property
    def programs(self) -> Programs:
        """Once it is up: what the target's own commands are run with.

        Raises:
            UserError: the variant's environment cannot be filled.
        """
        folder = Path(self._target.folder)
        own = self._fill("the variant's env", self._target.env, {})
        return Programs(
            folder=folder,
            env=surroundings(self._env, folder) | {key: str(value) for key, value in own.items()},
            logs=self._logs,
            mark=self._mark,
            record=self._record,
        )

    def ready_call(self, service: str) -> HttpCall | None:
        """The call that asks whether the service is ready, with everything filled in.

        Raises:
            UserError: it cannot be filled, or the service has no address.
        """
        plan = next(each for each in self._target.services if each.name == service)
        call = plan.ready.http if plan.ready else None
        return None if call is None else self._filled(service, call, self.address(service))

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
                raise TargetError(
                    f"service {name}",
                    f"ended by itself with exit code {process.exit_code}; "
                    + log_in_words(process.log),
                )

    async def _start(self, service: ServicePlan) -> None:
        stops = self._stops.setdefault(service.name, [])
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            started = await _kind_of(service).start(self._site(service))
            try:
                after = await self._wait(service, started)
                break
            except EndedEarly as early:
                taken = started.port_given and _PORT_TAKEN.search(early.log_text)
                if not taken or attempt == _PORT_ATTEMPTS:
                    raise
                while stops:
                    await stops.pop()()
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
        asked = self._filled(service.name, call, started.address)
        return answers(started.address, asked, what=f"service {service.name}")

    def _filled(self, service: str, call: HttpCall, address: Address) -> HttpCall:
        port = {"port": address.port}
        what = f"service {service}"
        with _template_of(what):
            path = PathTemplate.parse(call.path).fill(self._values(port), self.sources)
        headers, json, body = self._fill(what, [call.headers, call.json, call.body], port)
        return HttpCall(
            method=call.method,
            path=path,
            headers=headers,
            json=json,
            has_json=call.has_json,
            body=body,
        )

    def _enter(self, name: str, started: Started) -> None:
        self._addresses[name] = started.address
        self._inside[name] = started.inside
        if started.url is not None:
            self.urls[name] = started.url
            self.names["services"][name] = _named(started.url, started.address)
        if started.process is not None:
            self._processes[name] = started.process
            self.pids[name] = started.process.pid

    async def _open_hops_to(self, service: str) -> None:
        for plan in self._target.hops:
            if plan.to != service:
                continue
            self._with_hops.add(service)
            hop = await self._open(plan)
            self.hops[plan.name] = hop
            url = with_address(self.urls[service], hop.listen)
            self.names["hops"][plan.name] = _named(url, hop.listen)

    async def _open(self, plan: HopPlan) -> Hop:
        source = next((s for s in self._target.services if s.name == plan.source), None)
        if source is None or source.kind != COMPOSE:
            return await self._wiring.open(plan, self.address(plan.to))
        upstream = self._inside.get(plan.to)
        if upstream is None:
            raise UserError(
                f"hop {plan.name}: {plan.source} is a container, and no container reaches {plan.to}, "
                "which is none.",
                hint=f"Let compose: name what stands for {plan.to} in the same compose file.",
            )
        proxy = await proxy_for(plan, source, Path(self._target.folder))
        hop = await self._wiring.open_among_containers(plan, proxy, upstream)
        self._moved.setdefault(source.name, {})[proxy.dialled] = hop.listen.text()
        return hop

    async def _stop_service(self, name: str, failures: list[Exception]) -> None:
        stops = self._stops[name]
        while stops:
            # Taken off afterwards, so that one that is cut short is tried again.
            await _tried(stops[-1], failures)
            stops.pop()
        del self._stops[name]

    def _site(self, service: ServicePlan) -> Site:
        return Site(
            plan=service,
            folder=Path(self._target.folder),
            log=self._logs / f"{service.name}.log",
            mark=self._mark,
            record=self._record,
            env=self._env,
            moved=self._moved.get(service.name, {}),
            fill=lambda value, more: self._fill(f"service {service.name}", value, more),
            hide=self._outside.hide,
            check_host=self._check_host,
            on_stop=self._stops.setdefault(service.name, []).append,
        )

    def _fill(self, what: str, value: Any, more: Mapping[str, Any]) -> Any:
        with _template_of(what):
            return Template.parse(value).fill(
                self._values(more), env=self._outside.env, file=self._outside.file
            )

    def _values(self, more: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.names, "variant": self._plan.variant or "", **more}

    def _check_host(self, address: Address) -> None:
        if not address.is_loopback and address.host not in self._allowed:
            raise UserError(
                f"{address} is not on this machine; only loopback targets are reached unless allowed.",
                hint=f"If you mean it: --allow-host {address.host}, or allow_hosts in the target file.",
            )


@contextmanager
def _template_of(what: str) -> Iterator[None]:
    try:
        yield
    except TemplateProblem as problem:
        raise UserError(f"{what}: {problem}.") from None


async def _tried(stop: Callable[[], Awaitable[None]], failures: list[Exception]) -> None:
    try:
        await stop()
    except Exception as failure:
        failures.append(failure)


async def _yes() -> str | None:
    return None


def _make_empty(folder: Path) -> None:
    """What an earlier run in the same place left would be judged as this one's."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _with_variant(target: TargetPlan) -> TargetPlan:
    """Programs have the variant's variables over those of their own."""
    services = (
        replace(service, env={**service.env, **target.env}) if _takes_env(service) else service
        for service in target.services
    )
    return replace(target, services=tuple(services))


def _takes_env(service: ServicePlan) -> bool:
    return bool(getattr(SERVICES.get(service.kind), "takes_env", False))


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
