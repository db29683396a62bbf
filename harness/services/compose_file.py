"""Services of a compose file that is up: which container is whose, where it answers, what it speaks.

The file itself is not read. Compose writes into labels of what it starts which file and service it
came from, so what is found is what runs, with every override and variable already in it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.model.address import Address
from harness.model.errors import UserError
from harness.processes.containers import Engine, Inspected

_COMPOSE = "com.docker.compose."
LABELS_OF_COMPOSE = _COMPOSE
_SPEAKS = {5432: "postgresql", 3306: "mysql", 6379: "redis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeName:
    """A service of a compose file, written ``docker-compose.yml#bank``."""

    file: Path
    service: str

    @classmethod
    def parse(cls, text: str, folder: Path) -> "ComposeName":
        """``folder`` is where a relative path begins.

        Raises:
            UserError: it is not of that form, or there is no such file.
        """
        path, found, service = text.rpartition("#")
        if not (found and path and service):
            raise UserError(
                f"compose: {text!r} names no service of a compose file.",
                hint="Write the file and the service, such as docker-compose.yml#bank.",
            )
        file = (folder / path).resolve()
        if not file.is_file():
            raise UserError(f"compose: {text!r}: there is no file {file}.")
        return cls(file=file, service=service)

    def beside(self, service: str) -> "ComposeName":
        """Another service of the same file."""
        return ComposeName(file=self.file, service=service)

    def shown(self) -> str:
        return f"{self.file.name}#{self.service}"

    def command(self) -> str:
        """What brings the stack up."""
        return f"docker compose -f {self.file} up -d --wait"


def running(name: ComposeName, engine: Engine, env: Mapping[str, str] = os.environ) -> Inspected:
    """The container of a service, which is up and, if it says so, healthy.

    Raises:
        UserError: there is none, with the command that starts it.
        ContainerProblem: the engine could not tell.
    """
    labels = {f"{_COMPOSE}service": name.service}
    if env.get("COMPOSE_PROJECT_NAME"):
        labels[f"{_COMPOSE}project"] = env["COMPOSE_PROJECT_NAME"]
    found = [each for each in engine.labelled(labels) if _is_of(each, name.file)]
    projects = sorted({str(_labels(each).get(f"{_COMPOSE}project")) for each in found})
    if len(projects) > 1:
        raise UserError(
            f"{name.shown()} is up in more than one project: {', '.join(projects)}.",
            hint="Say which one is meant in COMPOSE_PROJECT_NAME.",
        )
    up = [each for each in found if each["State"]["Running"]]
    healthy = [each for each in up if _health(each) in {"healthy", "none"}]
    if healthy:
        return min(healthy, key=_number)
    state = f"is {_health(up[0])}" if up else "has ended" if found else "is not up"
    raise UserError(
        f"The container of {name.shown()} {state}.", hint=f"Bring the stack up: {name.command()}"
    )


def port_inside(container: Inspected, what: str) -> int:
    """The TCP port on which it listens among containers: the one it publishes, or exposes.

    Raises:
        UserError: it has none, or several.
    """
    exposed = container["Config"].get("ExposedPorts") or {}
    bound = container["HostConfig"].get("PortBindings") or {}
    ports = _tcp(bound) or _tcp(exposed)
    if len(ports) == 1:
        return ports[0]
    said = f"ports {', '.join(map(str, ports))}" if ports else "no port"
    raise UserError(
        f"{what} publishes {said}; one is needed to reach it by.",
        hint=f'Publish one in the compose file, on loopback: ports: ["127.0.0.1::{ports[0] if ports else 8000}"]',
    )


def published(container: Inspected, port: int, what: str) -> Address:
    """Where its ``port`` is reached on this machine.

    Raises:
        UserError: nowhere, or from other machines too.
    """
    bound = (container["NetworkSettings"].get("Ports") or {}).get(f"{port}/tcp") or []
    places = [Address(each["HostIp"], int(each["HostPort"])) for each in bound]
    loopback = [place for place in places if place.is_loopback]
    if loopback:
        return loopback[0]
    said = ", ".join(place.text() for place in places) or "nowhere"
    raise UserError(
        f"{what}: its port {port} is published {said}; only loopback is reached.",
        hint=f'Write in the compose file: ports: ["127.0.0.1::{port}"]',
    )


def environment(container: Inspected) -> dict[str, str]:
    pairs = (each.partition("=") for each in container["Config"].get("Env") or [])
    return {name: value for name, _, value in pairs}


def url_of(container: Inspected, port: int, address: Address) -> tuple[str, str | None]:
    """Its URL at ``address``, and the password in it; user and database are those its image was given."""
    given = environment(container)
    speaks = _SPEAKS.get(port, "http")
    user, password, path = "", None, ""
    match speaks:
        case "postgresql":
            user = given.get("POSTGRES_USER", "postgres")
            password = given.get("POSTGRES_PASSWORD")
            path = f"/{quote(given.get('POSTGRES_DB', user), safe='')}"
        case "mysql":
            prefix = "MYSQL" if "MYSQL_DATABASE" in given else "MARIADB"
            user = given.get(f"{prefix}_USER", "root")
            password = given.get(f"{prefix}_PASSWORD", given.get(f"{prefix}_ROOT_PASSWORD"))
            path = f"/{quote(given.get(f'{prefix}_DATABASE', ''), safe='')}"
        case "redis":
            path = "/0"
    secret = quote(password, safe="") if password else None
    login = "" if not user else f"{user}:{secret}@" if secret else f"{user}@"
    return f"{speaks}://{login}{address.text()}{path}", secret


def is_engine(port: int) -> bool:
    """True for a database, which no run makes a second one of."""
    return port in _SPEAKS


def _labels(container: Inspected) -> Mapping[str, str]:
    return container["Config"].get("Labels") or {}


def _is_of(container: Inspected, file: Path) -> bool:
    labels = _labels(container)
    if labels.get(f"{_COMPOSE}oneoff") == "True":
        return False
    folder = Path(labels.get(f"{_COMPOSE}project.working_dir", "/"))
    files = labels.get(f"{_COMPOSE}project.config_files", "").split(",")
    return any((folder / each).resolve() == file for each in files if each)


def _health(container: Inspected) -> str:
    return str((container["State"].get("Health") or {}).get("Status", "none"))


def _number(container: Inspected) -> int:
    return int(_labels(container).get(f"{_COMPOSE}container-number", "1"))


def _tcp(ports: Mapping[str, object]) -> list[int]:
    return sorted(int(port.removesuffix("/tcp")) for port in ports if port.endswith("/tcp"))
