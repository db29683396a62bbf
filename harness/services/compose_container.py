"""A container of the run's own: the twin of one that Compose started, with the run's environment.

The twin has the image, command, networks, volumes and limits of the original. It has none of what
would make Compose, or a name that others dial, take it for the original; and no health check, whose
requests would pass the hop and count as traffic.
"""

import asyncio
import re
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from harness.connections.blocking import in_thread
from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.events import ContainerIntended, ContainerRemoved, ContainerStarted
from harness.model.units import Duration
from harness.processes.containers import (
    MARK,
    ContainerProblem,
    Engine,
    Inspected,
    removing_command,
)
from harness.services.compose_file import LABELS_OF_COMPOSE
from harness.services.ports import LOOPBACK
from harness.services.site import Ask, Site

_GRACE = Duration.of_s(3)
_LEFT_OF_IDS = 12
_LINE = 4096
# A name that is dialled is at most this long.
_LONGEST_NAME = 63


def twin_config(
    original: Inspected, *, mark: str, env: Mapping[str, str], moved: Mapping[str, str], port: int
) -> dict[str, Any]:
    """What the engine makes the twin of; ``moved`` are texts of its command that are replaced. Pure."""
    config = dict(original["Config"])
    for name in ("Hostname", "Domainname"):
        config.pop(name, None)
    labels = config.get("Labels") or {}
    kept = {key: value for key, value in labels.items() if not key.startswith(LABELS_OF_COMPOSE)}
    host = dict(original["HostConfig"])
    # On loopback, whatever the original does, and on a port that nobody has to be told of before.
    host["PortBindings"] = {f"{port}/tcp": [{"HostIp": LOOPBACK, "HostPort": ""}]}
    host["RestartPolicy"] = {"Name": "no"}
    host["AutoRemove"] = False
    host["PublishAllPorts"] = False
    first = networks_of(original)[:1]
    config.update(
        Image=original["Image"],
        Env=[f"{name}={value}" for name, value in env.items()],
        Cmd=_moved(config.get("Cmd"), moved),
        Entrypoint=_moved(config.get("Entrypoint"), moved),
        Labels={**kept, MARK: mark},
        Healthcheck={"Test": ["NONE"]},
        HostConfig=host,
        NetworkingConfig={"EndpointsConfig": {network: {} for network in first}},
    )
    return config


def networks_of(container: Inspected) -> list[str]:
    """Its networks, first the one that it is made in."""
    names = sorted(container["NetworkSettings"].get("Networks") or {})
    first = container["HostConfig"].get("NetworkMode")
    return sorted(names, key=lambda name: name != first)


def replaced(text: str, moved: Mapping[str, str]) -> str:
    """``text`` with each address that moved in its new form: ``proxy:15432``, not ``proxy:154321``."""
    for old, new in moved.items():
        text = re.sub(rf"(?<![\w.-]){re.escape(old)}(?!\d)", new, text)
    return text


def container_name(service: str, mark: str) -> str:
    """A name for the twin, which others may dial: no run and no service has the same."""
    own = f"-{mark[-8:]}"
    readable = re.sub(r"[^a-z0-9]+", "-", f"harness-{service}".lower()).strip("-")
    return readable[: _LONGEST_NAME - len(own)].rstrip("-") + own


def _moved(words: list[str] | None, moved: Mapping[str, str]) -> list[str] | None:
    return None if words is None else [replaced(word, moved) for word in words]


class Twin:
    """A twin that was started. Looks like a process to whoever waits for it and reads its log."""

    def __init__(self, site: Site, engine: Engine, original: Inspected) -> None:
        self.name = site.name
        self.log: Path = site.log
        self.pid = 0
        self.container = container_name(site.name, site.mark)
        self.exit_code: int | None = None
        self._site = site
        self._engine = engine
        self._original = original
        self._ended = asyncio.Event()

    async def start(self, env: Mapping[str, str], moved: Mapping[str, str], port: int) -> Address:
        """Where it is reached on this machine. It is removed when the stack stops.

        Raises:
            ContainerProblem: the engine refused.
            TargetError: it ended at once.
        """
        config = twin_config(self._original, mark=self._site.mark, env=env, moved=moved, port=port)
        image = str(self._original["Config"]["Image"])
        self._site.record(ContainerIntended(name=self.name, container=self.container, image=image))
        self._site.on_stop(self.remove)
        found = await in_thread(partial(self._make, config))
        self._site.record(
            ContainerStarted(
                name=self.name, container=self.container, id=found["Id"][:_LEFT_OF_IDS]
            )
        )
        self.pid = int(found["State"]["Pid"])
        self._follow(found["Id"])
        bound = (found["NetworkSettings"].get("Ports") or {}).get(f"{port}/tcp")
        if not bound:
            await self.ended()
            raise TargetError(
                f"service {self.name}", f"its container ended with exit code {self.exit_code}"
            )
        return Address(LOOPBACK, int(bound[0]["HostPort"]))

    def running(self) -> bool:
        return self.exit_code is None

    async def ended(self) -> None:
        await self._ended.wait()

    async def remove(self) -> None:
        """Raises TargetError when it would not go."""
        try:
            found = await in_thread(
                lambda: self._engine.remove(self.container, mark=self._site.mark, grace=_GRACE)
            )
        except ContainerProblem as problem:
            raise TargetError(
                f"container {self.container}",
                f"could not be removed: {problem}",
                f"Try: {removing_command(self.container)}",
            ) from None
        self._site.record(ContainerRemoved(name=self.name, container=self.container, found=found))

    def _make(self, config: Mapping[str, Any]) -> Inspected:
        made = self._engine.create(self.container, config)
        for network in networks_of(self._original)[1:]:
            self._engine.connect(made, network)
        self._engine.start(made)
        found = self._engine.inspect(made)
        if found is None:
            raise ContainerProblem(f"{self.container} is gone right after its start")
        return found

    def _follow(self, container: str) -> None:
        """Copies its log in a thread of its own, which ends with it."""
        loop = asyncio.get_running_loop()

        def copy() -> None:
            code = _copy_log(container, self.log)
            with suppress(RuntimeError):  # the loop is gone, and with it whoever would ask
                loop.call_soon_threadsafe(self._over, code)

        threading.Thread(target=copy, name=f"log of {self.container}", daemon=True).start()

    def _over(self, code: int) -> None:
        self.exit_code = code
        self._ended.set()


def _copy_log(container: str, log: Path) -> int:
    """Until it ends; its exit code, or -1 where nobody can tell."""
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(Engine.open()) as engine:
            with suppress(Exception), log.open("ab", buffering=0) as file:  # it runs all the same
                for piece in engine.log(container):
                    file.write(piece)
            return engine.wait(container)
    except (
        Exception
    ):  # whatever it was, it can no longer be followed: what is asked of it will tell
        return -1


def speaks_http(address: Address) -> Ask:
    """Ready when a request is answered: a published port takes connections before anybody listens."""

    async def ask() -> str | None:
        try:
            reader, writer = await asyncio.open_connection(address.host, address.port, limit=_LINE)
        except OSError as error:
            return f"{address}: {error.strerror or error}"
        try:
            writer.write(f"GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
            line = await reader.readline()
        except (OSError, ValueError) as error:
            return f"{address}: {error}"
        finally:
            writer.close()
        return None if line.startswith(b"HTTP/") else f"{address} answers no HTTP"

    return ask
