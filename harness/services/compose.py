"""compose: a service of a compose file whose stack is up already (``docker compose up -d --wait``).

Engines, and services that need nothing of the run, are reached as they run. A service with
variables of its own, or with a hop, gets a container of the run's own: the twin of the one that runs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from harness.connections.blocking import in_thread
from harness.expressions.template import Template
from harness.kinds import params
from harness.model.address import Address
from harness.model.errors import UserError
from harness.processes.containers import ContainerProblem, Engine, Inspected
from harness.services.compose_container import Twin, replaced, speaks_http
from harness.services.compose_file import (
    ComposeName,
    environment,
    is_engine,
    port_inside,
    published,
    running,
    url_of,
)
from harness.services.ready import accepts
from harness.services.site import Site, Started


class ComposeService:
    """A container, found by the file and the service that it came from."""

    kind: ClassVar[str] = "compose"
    takes_env: ClassVar[bool] = True
    summary: ClassVar[str] = (
        "a service of a compose file that is up, such as docker-compose.yml#bank"
    )

    @params
    class Params:
        compose: str

    def __init__(self, params: "ComposeService.Params") -> None:
        self._params = params

    async def start(self, site: Site) -> Started:
        name = ComposeName.parse(str(site.fill(self._params.compose, {})), site.folder)
        with engine_in_words(f"service {site.name}"):
            engine = await in_thread(Engine.open)
            site.on_stop(lambda: in_thread(engine.close))
            original = await in_thread(lambda: running(name, engine))
            port = port_inside(original, name.shown())
            if is_engine(port) or not (site.plan.env or site.moved):
                return _as_it_runs(site, name, original, port)
            twin = Twin(site, engine, original)
            env = overlaid(site, name, environment(original), port)
            address = await twin.start(env, site.moved, port)
        return Started(
            address=address,
            url=f"http://{address.text()}",
            process=twin,
            ask=speaks_http(address),
            inside=Address(twin.container, port),
        )


def _as_it_runs(site: Site, name: ComposeName, original: Inspected, port: int) -> Started:
    address = published(original, port, name.shown())
    url, secret = url_of(original, port, address)
    if secret is not None:
        site.hide(secret)
    return Started(
        address=address,
        url=url,
        ask=accepts(address),
        waits=False,
        inside=Address(name.service, port),
    )


def overlaid(site: Site, name: ComposeName, given: Mapping[str, str], port: int) -> dict[str, str]:
    """The variables of the twin: those of the compose file, with the run's over them.

    What leads to a hop or to another service stays as the compose file has it, at the hop's port
    of this run, for only that file knows who is called what among containers.

    Raises:
        UserError: the compose file does not have such a variable, and no hop tells its value.
    """
    env = {key: replaced(value, site.moved) for key, value in given.items()}
    for key, text in site.plan.env.items():
        leads = {each.partition(".")[0] for each in Template.parse(text).names}
        if leads & {"hops", "services"}:
            if key in given:
                continue
            if "services" in leads:
                raise UserError(
                    f"service {site.name}: {key} is the address of another service on this machine, "
                    "which means nothing to a container.",
                    hint=f"Set {key} for {name.shown()} in the compose file.",
                )
        env[key] = str(site.fill(text, {"port": port}))
    return env


@contextmanager
def engine_in_words(what: str) -> Iterator[None]:
    """Raises UserError for what the engine refused."""
    try:
        yield
    except ContainerProblem as problem:
        raise UserError(f"{what}: the Docker engine says: {problem}.") from None
