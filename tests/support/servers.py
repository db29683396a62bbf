"""Either proxy server as a process of its own, with the flags that a test needs.

``HARNESS_IGNORING_PROXY=1`` puts the proxy that ignores toxics in the place of ours.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.model.units import Duration
from tests.support.engines import toxiproxy_server
from tests.support.proxies import free_port
from tests.support.proxy_api import Api
from tests.support.waiting import until_sync

ROOT = Path(__file__).parents[2]
IGNORING = os.environ.get("HARNESS_IGNORING_PROXY") == "1"
MODULE = "tests.support.ignoring_proxy" if IGNORING else "harness.proxy"

_START = Duration.of_s(20)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running server."""

    api: Api
    process: "subprocess.Popen[bytes]"
    written: Path

    def log(self) -> str:
        """All that it wrote, on both streams."""
        return self.written.read_text(errors="replace")

    def exit_code(self, within: Duration) -> int:
        """How it ended; ``TimeoutExpired`` if it runs on."""
        return self.process.wait(timeout=within.in_s)

    def open_files(self) -> int:
        return int(self.api.process().num_fds())


@contextmanager
def started(
    start: Callable[..., AbstractContextManager[Daemon]],
) -> Iterator[Callable[..., Daemon]]:
    """``ours`` or ``original`` as a plain function; all that it starts ends with this."""
    with ExitStack() as stack:
        yield lambda *flags, **more: stack.enter_context(start(*flags, **more))


@contextmanager
def unready(
    program: Sequence[str],
) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[], str]]]:
    """A server that is not meant to answer, and what it wrote."""
    with _running(program, None) as (process, written):
        yield process, written.read_text


def command(*flags: str) -> list[str]:
    """The command line of our server."""
    return [sys.executable, "-m", MODULE, *flags]


@contextmanager
def ours(*flags: str, files: int | None = None) -> Iterator[Daemon]:
    """Our server on a free port; ``files`` limits how many it may have open."""
    with _running(command("-port", "0", *flags), files) as (process, written):
        line = until_sync(
            lambda: _ready(process, written),
            within=_START,
            what="our proxy says where its API is",
            log=written.read_text,
        )
        parts = urlsplit(json.loads(line)["api"])
        yield Daemon(_api(parts.hostname, parts.port, process, real=False), process, written)


@contextmanager
def original(*flags: str, files: int | None = None) -> Iterator[Daemon]:
    """The real Toxiproxy, the same way."""
    port = free_port()
    binary = str(toxiproxy_server())
    with _running([binary, "-host", "127.0.0.1", "-port", str(port), *flags], files) as (
        process,
        written,
    ):
        api = _api("127.0.0.1", port, process, real=True)
        until_sync(
            lambda: _answers(api), within=_START, what="Toxiproxy answers", log=written.read_text
        )
        yield Daemon(api, process, written)


@contextmanager
def _running(
    program: Sequence[str], files: int | None
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    if files is not None:
        program = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *program]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "log"
        with written.open("wb") as log:
            process = subprocess.Popen(
                program, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield process, written
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asks first: a server that hangs in a handler does not always listen."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)


def _api(
    host: str | None, port: int | None, process: "subprocess.Popen[bytes]", *, real: bool
) -> Api:
    assert host is not None
    assert port is not None
    return Api(host, port, real=real, pid=process.pid)


def _ready(process: "subprocess.Popen[bytes]", written: Path) -> str:
    """The line that says where the API is, as soon as it is whole."""
    ended = process.poll() is not None
    text = written.read_text()
    assert not ended, text
    whole = text.splitlines(keepends=True)
    return next((line for line in whole if line[0] == "{" and line[-1] == "\n"), "")


def _answers(api: Api) -> bool:
    try:
        return api.get("/version").status == 200
    except OSError:
        return False
