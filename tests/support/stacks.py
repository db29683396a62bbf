"""Stacks of services for tests: a plan in few words, a folder, a mark, and the events that came."""

import os
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.model.events import AnyEvent
from harness.model.plan import (
    Expected,
    HopPlan,
    Plan,
    ReadyPlan,
    ServicePlan,
    SettlePlan,
    TargetPlan,
)
from harness.model.units import Duration
from harness.services.hops import ProxyEndpoint
from harness.services.own_proxy import start_proxy
from harness.services.stack import Stack

SECOND = Duration.of_s(1)


def a_service(
    name: str,
    kind: str = "run",
    *,
    env: Mapping[str, str] | None = None,
    ready: ReadyPlan | None = None,
    **params: Any,
) -> ServicePlan:
    """A service; what is not named here are the parameters of its kind."""
    return ServicePlan(name=name, kind=kind, params=params, env=dict(env or {}), ready=ready)


def a_target(
    folder: Path,
    services: Sequence[ServicePlan],
    hops: Sequence[HopPlan] = (),
    allow_hosts: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> TargetPlan:
    """A target called ``shop`` in ``folder``; ``env`` is its variant's."""
    return TargetPlan(
        name="shop",
        title="",
        file=str(folder / "target.yaml"),
        folder=str(folder),
        services=tuple(services),
        hops=tuple(hops),
        allow_hosts=tuple(allow_hosts),
        env=dict(env or {}),
    )


def a_plan(target: TargetPlan, *, variant: str | None = None) -> Plan:
    """A plan that does nothing to its target."""
    return Plan(
        experiment="trial",
        title="",
        file="trial.yaml",
        target=target,
        variant=variant,
        expected=Expected(),
        seed=1,
        rounds=1,
        time_limit=Duration.of_s(60),
        recovers_within=SECOND,
        method=(),
        invariants=(),
        settle=SettlePlan(gap=SECOND, limit=SECOND),
    )


class Scene:
    """What a stack of one test needs, and what it left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = folder / "shop"
        self.run = folder / "run-1"
        self.mark = f"test-{uuid.uuid4().hex}"
        self.env: dict[str, str] = dict(os.environ)
        self.events: list[AnyEvent] = []
        self.hidden: list[str] = []
        for path in (self.target, self.run):
            path.mkdir()

    def stack(
        self,
        *services: ServicePlan,
        hops: Sequence[HopPlan] = (),
        proxy: ProxyEndpoint | None = None,
        variant: str | None = None,
        allow_hosts: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Stack:
        """A stack that is not up yet; without ``proxy`` it must need none. ``env`` is the variant's."""
        return Stack(
            a_plan(a_target(self.target, services, hops, allow_hosts, env), variant=variant),
            folder=self.run,
            mark=self.mark,
            record=self.events.append,
            proxy=proxy or ProxyEndpoint(own="http://127.0.0.1:1"),
            env=self.env,
            hide=self.hidden.append,
        )

    @asynccontextmanager
    async def proxy(self) -> AsyncIterator[ProxyEndpoint]:
        """The embedded proxy, as a process of its own."""
        process, api = await start_proxy(
            folder=self.run, mark=self.mark, record=self.events.append, seed=1
        )
        try:
            yield ProxyEndpoint(own=api)
        finally:
            await process.stop(grace=Duration.of_s(2))

    @asynccontextmanager
    async def up(self, *services: ServicePlan, **more: Any) -> AsyncIterator[Stack]:
        """A stack that is up, and stopped again on every way out."""
        stack = self.stack(*services, **more)
        try:
            await stack.bring_up()
            yield stack
        finally:
            await stack.stop()

    def log(self, service: str) -> str:
        """What a service wrote."""
        return (self.run / "logs" / f"{service}.log").read_text()
