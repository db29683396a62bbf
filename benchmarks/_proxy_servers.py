"""The proxy servers that are compared: how each is started, asked for a proxy, and looked at.

A server is a name and a command. The embedded proxy's prints ``{"api": URL}`` and so does that of
every ``--proxy NAME=COMMAND``; Toxiproxy gets a free port and is asked until it answers. All are
ended on the way out. Standard library and psutil alone.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import re
import resource
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from benchmarks._measuring import ROOT, child

EMBEDDED = "harness"
STANDARD_LOOP = "harness on asyncio's loop"
TOXIPROXY = "Toxiproxy"
DIRECT = "no proxy"
INSTALL = "go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0"
_READY_WITHIN = 20


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a server; ``says`` if its first line has the API's URL."""

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    says: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    name: str
    api: str
    pid: int

    def proxy(self, upstream: int, *, toxic: dict[str, Any] | None = None) -> int:
        """The port of a new proxy before ``upstream``, with that toxic."""
        name = f"bench-{time.monotonic_ns()}"
        spec = {"name": name, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream}"}
        made = self._call("POST", "/proxies", spec)
        if toxic is not None:
            self._call("POST", f"/proxies/{name}/toxics", toxic)
        return int(made["listen"].rpartition(":")[2])

    def memory(self) -> int:
        """Bytes that are resident."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def version(self) -> str:
        answer = self._call("GET", "/version")
        return str(answer.get("version", answer))

    def _call(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.api + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            said = refused.read().decode(errors="replace").strip()
            raise SystemExit(f"{self.name} refused {method} {path}: {said}") from None


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--proxy",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help='a further server that prints {"api": URL} first; may be given again',
    )


def commands(further: Sequence[str]) -> list[Command]:
    """Ours, on the standard event loop too, those that were named, Toxiproxy if it is there."""
    ours = (sys.executable, "-m", "harness.proxy", "--port", "0")
    found = [Command(EMBEDDED, ours)]
    if importlib.util.find_spec("uvloop") is not None:
        found.append(Command(STANDARD_LOOP, ours, {"HARNESS_PROXY_LOOP": "asyncio"}))
    for text in further:
        name, equals, command = text.partition("=")
        if not equals:
            raise SystemExit(f"--proxy {text}: write NAME=COMMAND")
        found.append(Command(name, tuple(shlex.split(command))))
    binary = toxiproxy()
    if binary is None:
        print(f"Toxiproxy was not found: {INSTALL}, or set HARNESS_TOXIPROXY.\n", file=sys.stderr)
    else:
        found.append(Command(TOXIPROXY, (str(binary),), says=False))
    return found


def toxiproxy() -> Path | None:
    """``HARNESS_TOXIPROXY``, ``toxiproxy-server`` on PATH, or where Go puts it."""
    named = os.environ.get("HARNESS_TOXIPROXY") or shutil.which("toxiproxy-server")
    built = Path(os.environ.get("GOPATH") or Path.home() / "go") / "bin" / "server"
    path = Path(named) if named else built
    return path if path.is_file() else None


def toxiproxy_version() -> str:
    """What was built in: the server's own word is ``git`` unless a release was made of it."""
    binary = toxiproxy()
    if binary is None:
        return "no Toxiproxy"
    content = binary.read_bytes()
    module = re.search(rb"mod\tgithub\.com/Shopify/toxiproxy/v2\t(v[0-9.]+)", content)
    go = re.search(rb"go1\.[0-9]+(\.[0-9]+)?", content)
    said = module[1].decode().lstrip("v") if module else "of unknown version"
    return f"Toxiproxy {said}" + (f" ({go[0].decode()})" if go else "")


@contextlib.contextmanager
def running(command: Command) -> Iterator[Server]:
    """The server, ready. Its log goes nowhere; Toxiproxy's is turned down, which only helps it."""
    words = list(command.words)
    port = 0
    if not command.says:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        words += ["-host", "127.0.0.1", "-port", str(port)]
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if command.says else subprocess.DEVNULL,
        env={**os.environ, "LOG_LEVEL": "error", **command.environment},
        text=True,
        cwd=ROOT,
    )
    try:
        api = _said(process) if command.says else _answering(f"http://127.0.0.1:{port}", process)
        yield Server(command.name, api, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        if process.stdout is not None:
            process.stdout.close()


def _said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} ended before it said where its API is")
    return str(json.loads(line)["api"])


def _answering(url: str, process: "subprocess.Popen[str]") -> str:
    limit = time.monotonic() + _READY_WITHIN
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/version", timeout=2):
            return url
        time.sleep(0.02)  # noqa: TID251 - asks again until it answers
    raise SystemExit(f"{process.args!r} does not answer at {url}")


class Load:
    """The process that has both ends. ``ask`` returns when the job is done."""

    def __init__(self, given: IO[str], printed: IO[str]) -> None:
        self._given = given
        self._printed = printed
        ports = json.loads(printed.readline())
        self.echo = int(ports["echo"])
        self.sink = int(ports["sink"])

    def start(self, do: str, **job: Any) -> None:
        self._given.write(json.dumps({"do": do, **job}) + "\n")
        self._given.flush()

    def result(self) -> dict[str, float]:
        line = self._printed.readline()
        if not line:
            raise SystemExit("the load process ended; its reason stands above")
        return dict(json.loads(line))

    def ask(self, do: str, **job: Any) -> dict[str, float]:
        self.start(do, **job)
        return self.result()


@contextlib.contextmanager
def load() -> Iterator[Load]:
    """On the last core, if there are several: a proxy that wants one core then finds one free."""
    arguments = ["-m", "benchmarks._proxy_load"]
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        arguments += ["--core", str(cores[-1])]
    with child(*arguments) as (given, printed):
        yield Load(given, printed)


def enough_descriptors() -> None:
    """Each end of each connection needs one, here and in each server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
