"""The stack of docker-compose.yml for tests: up as a project of their own, and gone afterwards with all it made."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.model.units import Duration
from harness.processes.containers import MARK
from tests.support.waiting import until_sync

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"

# Databases that are made, services that load their code, several at once on two cores.
_HEALTHY_WITHIN = Duration.of_s(150)
_COMMAND_LIMIT = 180


class ComposeStack:
    """A stack that is up. ``env`` tells commands which of several on this machine is meant."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.env = {"COMPOSE_PROJECT_NAME": project}

    def container(self, service: str) -> str:
        """The id of the service's container."""
        return docker("ps", "-q", *self._of(service)).strip()

    def published(self, service: str, port: int) -> str:
        """Where a port of the service is reached, such as ``127.0.0.1:49153``."""
        return docker("port", self.container(service), str(port)).strip()

    def bindings(self) -> list[str]:
        """Every place on this machine at which one of its containers is reached."""
        ids = docker("ps", "-q", *self._labelled()).split()
        lines = "".join(docker("port", each) for each in ids).splitlines()
        return [line.rpartition(" -> ")[2] for line in lines]

    def states(self) -> list[str]:
        """``Up 2 seconds (healthy)``, and so on, one for each container."""
        return docker("ps", "-a", "--format", "{{.Status}}", *self._labelled()).splitlines()

    def _labelled(self) -> list[str]:
        return ["--filter", f"label=com.docker.compose.project={self.project}"]

    def _of(self, service: str) -> list[str]:
        return [*self._labelled(), "--filter", f"label=com.docker.compose.service={service}"]


@contextmanager
def compose_stack(services: Sequence[str]) -> Iterator[ComposeStack]:
    """The services, and what they depend on, healthy."""
    stack = ComposeStack(f"harness-test-{os.getpid()}")
    try:
        _compose(stack, "up", "-d", "--no-build", *services)
        until_sync(
            lambda: all("(healthy)" in state for state in stack.states()),
            within=_HEALTHY_WITHIN,
            what=f"{', '.join(services)} are healthy",
        )
        yield stack
    finally:
        _compose(stack, "down", "--volumes", "--timeout", "2")


def left_of_runs() -> list[str]:
    """Containers of any run, whoever's it is."""
    return docker("ps", "-a", "--filter", f"label={MARK}", "--format", "{{.Names}}").split()


def docker(*arguments: str) -> str:
    """What a command of the client prints; it must succeed."""
    return _ran(["docker", *arguments], {})


def _compose(stack: ComposeStack, *arguments: str) -> str:
    plugin = subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False, timeout=_COMMAND_LIMIT
    )
    program = ["docker-compose"] if plugin.returncode else ["docker", "compose"]
    assert program != ["docker-compose"] or shutil.which("docker-compose"), "no Compose is there"
    return _ran([*program, "-f", str(FILE), *arguments], stack.env)


def _ran(argv: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(
        argv,
        env={**os.environ, **env},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_COMMAND_LIMIT,
    )
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout}\n{done.stderr}"
    return done.stdout
