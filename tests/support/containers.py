"""A Docker engine in memory, and containers as an engine shows them, for tests that need no real one."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.model.units import Duration
from harness.processes.containers import MARK, ContainerProblem, Engine, Inspected, marked


def a_container(
    service: str,
    file: Path,
    *,
    port: int | None = 8000,
    on: str = "127.0.0.1:0",
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = ("serve",),
    health: str | None = "healthy",
    running: bool = True,
    project: str = "shop",
    number: int = 1,
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One that Compose started for ``service`` of ``file``. ``on`` is where its ``port`` is published."""
    host, _, public = on.rpartition(":")
    bound = {} if port is None else {f"{port}/tcp": [{"HostIp": host, "HostPort": public}]}
    compose = {
        "service": service,
        "project": project,
        "project.working_dir": str(file.parent),
        "project.config_files": f"{file},{file.parent / 'over.yml'}",
        "oneoff": "False",
        "container-number": str(number),
    }
    return {
        "Id": f"{service}-{project}-{number}-0123456789",
        "Name": f"/{project}-{service}-{number}",
        "Image": f"sha256:{service}",
        "State": {
            "Running": running,
            "Pid": 4711,
            "ExitCode": 0,
            **({"Health": {"Status": health}} if health else {}),
        },
        "Config": {
            "Hostname": "0123456789ab",
            "Image": f"{service}:1.2.3",
            "Env": [f"{name}={value}" for name, value in (env or {}).items()],
            "Cmd": list(command),
            "Entrypoint": None,
            "ExposedPorts": {key: {} for key in bound},
            "Labels": {
                **{f"com.docker.compose.{name}": value for name, value in compose.items()},
                **(labels or {}),
            },
            "Healthcheck": {"Test": ["CMD", "true"]},
        },
        "HostConfig": {
            "NetworkMode": f"{project}_default",
            "PortBindings": bound,
            "RestartPolicy": {"Name": "always"},
            "Binds": ["/data:/data:ro"],
        },
        "NetworkSettings": {
            "Ports": bound if running else {},
            "Networks": {f"{project}_back": {}, f"{project}_default": {}},
        },
    }


class EngineInMemory:
    """What ``Engine`` does, on a dictionary; ``install`` it in place of the real one.

    A container that is started publishes on ``port``; with ``fails`` the call of that name is refused.
    """

    def __init__(self, *containers: Inspected, port: int = 1, fails: str = "") -> None:
        self.containers: dict[str, dict[str, Any]] = {each["Id"]: dict(each) for each in containers}
        self.made: list[dict[str, Any]] = []
        self.connected: list[str] = []
        self.closed = 0
        self.prints: Mapping[str, str | None] = {}
        self._port = port
        self._fails = fails
        self._gone: dict[str, threading.Event] = {}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "EngineInMemory":
        monkeypatch.setattr(Engine, "open", classmethod(lambda _cls: self))
        return self

    def end(self, name: str, code: int) -> None:
        """The container ends by itself."""
        found = self._named(name)
        assert found is not None
        found["State"] = {"Running": False, "Pid": 0, "ExitCode": code}
        self._gone[found["Id"]].set()

    def close(self) -> None:
        self.closed += 1

    def labelled(self, labels: Mapping[str, str]) -> list[Inspected]:
        return [
            each
            for each in self.containers.values()
            if labels.items() <= each["Config"]["Labels"].items()
        ]

    def inspect(self, container: str) -> Inspected | None:
        return self._named(container)

    def create(self, name: str, config: Mapping[str, Any]) -> str:
        self._may("create")
        self.made.append(dict(config))
        self._gone[name] = threading.Event()
        self.containers[name] = {
            "Id": name,
            "Name": f"/{name}",
            "State": {"Running": False, "Pid": 0, "ExitCode": 0},
            "Config": config,
            "NetworkSettings": {"Ports": {}},
        }
        return name

    def connect(self, container: str, network: str) -> None:
        assert container in self.containers
        self.connected.append(network)

    def start(self, container: str) -> None:
        self._may("start")
        found = self.containers[container]
        found["State"] = {"Running": True, "Pid": 4712, "ExitCode": 0}
        found["NetworkSettings"]["Ports"] = {
            port: [{"HostIp": "127.0.0.1", "HostPort": str(self._port)}]
            for port in found["Config"]["HostConfig"]["PortBindings"]
        }

    def output(self, container: str, argv: Sequence[str]) -> str | None:
        assert container in self.containers
        return self.prints.get(argv[-1])

    def log(self, container: str) -> Iterator[bytes]:
        yield b"hello from "
        yield f"{container}\n".encode()
        self._gone[container].wait(60)

    def wait(self, container: str) -> int:
        return int(self.containers[container]["State"]["ExitCode"])

    def remove(self, container: str, *, mark: str, grace: Duration) -> bool:
        self._may("remove")
        found = self._named(container)
        if found is None or marked(found) != mark:
            return False
        del self.containers[found["Id"]]
        if found["Id"] in self._gone:
            self._gone[found["Id"]].set()
        return True

    def remove_soon(self, container: str, *, mark: str) -> bool:
        return self.remove(container, mark=mark, grace=Duration.ZERO)

    def of_run(self, mark: str) -> list[str]:
        """The containers that carry a mark."""
        return [
            name
            for name, each in self.containers.items()
            if each["Config"]["Labels"].get(MARK) == mark
        ]

    def _named(self, container: str) -> dict[str, Any] | None:
        for each in self.containers.values():
            if container in {each["Id"], each["Name"].removeprefix("/")}:
                return each
        return None

    def _may(self, what: str) -> None:
        if what == self._fails:
            raise ContainerProblem(f"no {what} today")
