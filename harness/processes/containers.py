"""Containers of a run: made, watched and removed through the Docker engine, told by the mark in a label.

The SDK is loaded when an engine is opened: who uses no containers needs neither. All calls block.
What a container is for is the caller's business.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from harness.model.errors import UserError
from harness.model.units import Duration

MARK = "harness.mark"
"""The label that holds the mark of the run whose container it is."""

Inspected = Mapping[str, Any]
"""A container as ``docker inspect`` shows it."""

CALL_LIMIT = Duration.of_s(30)
# A call that made a container may still be under way in the engine when its caller was killed.
_APPEARS_WITHIN = Duration.of_s(3)
_LOOK_AGAIN = Duration.of_ms(100)
_NOT_FOUND = 404


class ContainerProblem(Exception):
    """The engine refused, or could not be asked; in its words."""


class Engine:
    """The Docker engine that ``DOCKER_HOST`` names, or this machine's. Every call but ``open`` may
    raise ``ContainerProblem``.
    """

    def __init__(self, client: Any) -> None:
        self._api = client

    @classmethod
    def open(cls) -> "Engine":
        """Raises:
        UserError: the SDK is not installed, or no engine answers.
        """
        try:
            import docker  # type: ignore[import-untyped]  # it has no types
        except ModuleNotFoundError as missing:
            raise UserError(
                f"Containers are reached through Docker's SDK, which is not installed ({missing.name}).",
                hint="Install it with: pip install 'harness[docker]'",
            ) from None
        try:
            client = docker.from_env(timeout=CALL_LIMIT.in_s)
            client.ping()
        except Exception as error:  # its own errors, requests', and urllib3's from below them
            raise UserError(
                f"No Docker engine answers: {words(error)}.",
                hint="Start it, see with `docker info` that it runs, or name it in DOCKER_HOST.",
            ) from None
        return cls(client.api)

    def close(self) -> None:
        self._api.close()

    def labelled(self, labels: Mapping[str, str]) -> list[Inspected]:
        """All containers that have these labels, also those that do not run."""
        wanted = {"label": [f"{name}={value}" for name, value in labels.items()]}
        with _asking():
            found = self._api.containers(all=True, filters=wanted)
        inspected = [self.inspect(container["Id"]) for container in found]
        return [each for each in inspected if each is not None]

    def inspect(self, container: str) -> Inspected | None:
        """By id or name; None when it is not there."""
        try:
            with _asking():
                found: Inspected = self._api.inspect_container(container)
        except _NotFound:
            return None
        return found

    def create(self, name: str, config: Mapping[str, Any]) -> str:
        """The id of a new container, which does not run yet. ``config`` is as the engine takes it."""
        with _asking():
            made = self._api.create_container_from_config(dict(config), name)
        return str(made["Id"])

    def connect(self, container: str, network: str) -> None:
        with _asking():
            self._api.connect_container_to_network(container, network)

    def start(self, container: str) -> None:
        with _asking():
            self._api.start(container)

    def output(self, container: str, argv: Sequence[str]) -> str | None:
        """What a command prints in a running container; None if it failed there."""
        with _asking():
            made = self._api.exec_create(container, list(argv), stdout=True, stderr=False)
            printed = self._api.exec_start(made["Id"])
            code = self._api.exec_inspect(made["Id"])["ExitCode"]
        return printed.decode("utf-8", "replace") if code == 0 else None

    def log(self, container: str) -> Iterator[bytes]:
        """What it prints, from its beginning to its end, as it comes."""
        with _asking():
            lines: Iterator[bytes] = self._api.logs(container, stream=True, follow=True)
        return lines

    def wait(self, container: str) -> int:
        """Its exit code, once it has ended."""
        with _asking():
            return int(self._api.wait(container)["StatusCode"])

    def remove(self, container: str, *, mark: str, grace: Duration) -> bool:
        """Stops and removes it with its anonymous volumes; False when it was not there.

        One that does not carry ``mark`` is somebody's, and left alone.
        """
        found = self.inspect(container)
        if found is None or marked(found) != mark:
            return False
        try:
            with _asking():
                if grace > Duration.ZERO and found["State"]["Running"]:
                    self._api.stop(found["Id"], timeout=max(1, round(grace.in_s)))
                self._api.remove_container(found["Id"], force=True, v=True)
        except _NotFound:
            return False
        return True

    def remove_soon(self, container: str, *, mark: str) -> bool:
        """Removes it by force, also if it is only about to be there."""
        deadline = time.monotonic_ns() + _APPEARS_WITHIN.ns
        while not self.remove(container, mark=mark, grace=Duration.ZERO):
            if time.monotonic_ns() >= deadline:
                return False
            time.sleep(_LOOK_AGAIN.in_s)  # noqa: TID251 - between two looks for what may yet appear
        return True


def marked(container: Inspected) -> str | None:
    """The mark of the run whose container it is."""
    labels = container["Config"].get("Labels") or {}
    found = labels.get(MARK)
    return None if found is None else str(found)


def removing_command(container: str) -> str:
    """What a person types to remove it."""
    return f"docker rm --force --volumes {container}"


class _NotFound(ContainerProblem):
    pass


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # its own errors, requests', and urllib3's from below them
        response = getattr(error, "response", None)
        kind = (
            _NotFound if getattr(response, "status_code", None) == _NOT_FOUND else ContainerProblem
        )
        raise kind(words(error)) from error


def words(error: Exception) -> str:
    """What the engine said, else the error's own words, without the names of the classes around it."""
    said = getattr(error, "explanation", None) or str(error) or type(error).__name__
    return str(said).strip().rstrip(".")
