"""The proxy among containers that a hop goes through: where its API is, and whether it can be leaned on.

A run makes its hops there on free ports, so the proxies that stand there for everybody are let be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.connections.blocking import in_thread
from harness.expressions.template import Template
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.plan import HopPlan, ServicePlan
from harness.model.units import Duration
from harness.processes.containers import Engine, Inspected
from harness.proxy.client import ProxyCallFailed, ProxyUnreachable
from harness.proxy.lease_client import LeaseServer
from harness.services.compose import engine_in_words
from harness.services.compose_container import replaced
from harness.services.compose_file import (
    ComposeName,
    environment,
    port_inside,
    published,
    running,
)

# Within the container of the proxy, which publishes its API alone.
_EVERYWHERE = "0.0.0.0"
_TTL = Duration.of_s(1)
_LIMIT = Duration.of_s(10)
# The kernel's number for this start of the machine, and how far a container's clock is set off.
_BOOT = "/proc/sys/kernel/random/boot_id"
_OFFSETS = "/proc/self/timens_offsets"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerProxy:
    """A proxy's API on this machine, and the hop's place among containers.

    ``dialled`` is what the source has in its variables or command, such as ``proxy:15432``;
    ``listen`` is where the run's own proxy is to listen.
    """

    admin: str
    host: str
    dialled: str
    listen: str


async def proxy_for(hop: HopPlan, source: ServicePlan, folder: Path) -> ContainerProxy:
    """The proxy that ``hop`` names, asked whether it is one of ours and has this machine's clock.

    Raises:
        UserError: the hop names none, it is not up, is somebody else's, or has another clock.
    """
    host, port = _place(hop)
    origin = ComposeName.parse(str(source.params["compose"]), folder)
    name = origin.beside(host)
    with engine_in_words(f"hop {hop.name}"):
        engine = await in_thread(Engine.open)
        try:
            container = await in_thread(lambda: running(name, engine))
            dialler = await in_thread(lambda: running(origin, engine))
            admin = published(container, port_inside(container, name.shown()), name.shown())
            clock = await in_thread(lambda: _clock(engine, container["Id"]))
        finally:
            await in_thread(engine.close)
    _require_clock(hop, name, clock)
    url = f"http://{admin.text()}"
    await in_thread(lambda: _require_ours(hop, name, url))
    dialled = f"{host}:{port}"
    free = _dials(dialler, dialled) or _is_told(source, hop.name)
    return ContainerProxy(
        admin=url,
        host=host,
        dialled=dialled,
        listen=Address(_EVERYWHERE, 0 if free else port).text(),
    )


def _place(hop: HopPlan) -> tuple[str, int]:
    host, colon, port = (hop.compose or "").rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) <= 65535):
        raise UserError(
            f"hop {hop.name}: {hop.source} is a container, and the hop does not say where it "
            "listens among containers.",
            hint=f'Add compose: "proxy:15432" to hop {hop.name}: the proxy\'s service in the compose '
            "file, and the port that is dialled there.",
        )
    return host, int(port)


def _dials(container: Inspected, place: str) -> bool:
    config = container["Config"]
    texts = [
        *environment(container).values(),
        *(config["Cmd"] or ()),
        *(config["Entrypoint"] or ()),
    ]
    return any(replaced(text, {place: ""}) != text for text in texts)


def _is_told(source: ServicePlan, hop: str) -> bool:
    """Whether a variable of the target file tells it where the hop is."""
    texts = Template.parse(dict(source.env))
    return any(name.split(".")[:2] == ["hops", hop] for name in texts.names)


def _require_ours(hop: HopPlan, name: ComposeName, url: str) -> None:
    leases = LeaseServer(url, timeout=_LIMIT)
    try:
        lease = leases.open(ttl=_TTL, owner="asking what there is")
        if lease is not None:
            leases.close(lease)
            return
    except (ProxyUnreachable, ProxyCallFailed) as problem:
        raise UserError(
            f"hop {hop.name}: the API of {name.shown()} at {url} does not answer: {problem}."
        ) from None
    raise UserError(
        f"hop {hop.name}: {name.shown()} is a Toxiproxy that tells nothing of the requests it passes "
        "on, so no fault on it could be shown to have hit.",
        hint="Name the service of a `harness proxy` in the compose file.",
    )


def _clock(engine: Engine, container: str) -> Mapping[str, str | None]:
    return {path: engine.output(container, ["cat", path]) for path in (_BOOT, _OFFSETS)}


def _require_clock(hop: HopPlan, name: ComposeName, found: Mapping[str, str | None]) -> None:
    """What the proxy saw is compared with moments of ours, to the nanosecond."""
    ours = {path: _text(path) for path in (_BOOT, _OFFSETS)}
    same = ours[_BOOT] is not None and all(
        _squeezed(found[path]) == _squeezed(ours[path]) for path in ours
    )
    if not same:
        raise UserError(
            f"hop {hop.name}: {name.shown()} runs on another clock than the harness (a virtual machine, "
            "another host, a time namespace), so what it sees cannot be put in order with the requests.",
            hint="Run the harness on the machine whose kernel runs the containers.",
        )


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return None


def _squeezed(text: str | None) -> str | None:
    return None if text is None else " ".join(text.split())
