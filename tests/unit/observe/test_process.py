"""The probe ``process``: sums over a real process and its children, and a lag that is asked for."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from harness.connections.answer import Headers
from harness.connections.http import HttpAnswer
from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.model.units import Duration
from harness.observe import PROBES
from harness.observe import process as process_module
from harness.observe.process import Process, family
from harness.observe.read import Probe, Reading
from tests.support.sources import sources_at

# Opens as many files as it is told to, and has a child that does the same; says so, then waits.
_HOLDING = """
import subprocess, sys
held = [open("/dev/null") for _ in range(int(sys.argv[1]))]
child = None
if len(sys.argv) > 2:
    child = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], stdin=-1, stdout=-1)
    child.stdout.readline()
print("held", flush=True)
sys.stdin.read()
if child:
    child.communicate()
"""


@contextmanager
def holding(files: int) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [sys.executable, "-c", _HOLDING, str(files), _HOLDING]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate()


def probe(what: str, **more: Any) -> Probe:
    params = {"process": what, **more}
    plan = ProbePlan(name="held", kind="process", on="app", params=params)
    return Process.make(plan, {}, sources_at())


def read(what: str, pid: int) -> Reading:
    return asyncio.run(probe(what).read(Connections({}, {"app": pid})))


def test_the_kind_when_looked_up_then_is_found_under_its_word() -> None:
    assert PROBES["process"] is Process
    assert Process.speaks == "process"


def test_files_when_counted_then_those_of_the_children_are_among_them() -> None:
    with holding(0) as few, holding(50) as many:
        assert read("files", many.pid).value - read("files", few.pid).value == 100


def test_memory_and_threads_when_read_then_are_sums_over_both() -> None:
    with holding(0) as process:
        alone = psutil.Process(process.pid)
        assert read("threads", process.pid).value == 2
        assert read("memory", process.pid).value > alone.memory_info().rss * 1.5


@pytest.mark.parametrize("kernel_lists", [True, False])
def test_a_family_when_looked_for_then_is_the_process_and_what_came_of_it(
    kernel_lists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel_lists:
        monkeypatch.setattr(Path, "exists", lambda self: False)
    # Each shell has something to do after its child, so none of them becomes it.
    deep = ["sh", "-c", """sh -c 'sh -c "echo on; read _; :"; :'; :"""]
    with subprocess.Popen(deep, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = {each.pid for each in family(process.pid)}
        children = psutil.Process(process.pid).children(recursive=True)
        assert found == {process.pid, *(child.pid for child in children)}
        assert len(found) == 3
        process.communicate()


def test_a_process_when_gone_then_says_so() -> None:
    with holding(0) as process:
        pid = process.pid
    with pytest.raises(TargetError, match=rf"^probe held: its process {pid} is gone"):
        read("files", pid)


def test_a_process_when_it_ended_and_nobody_asked_for_its_code_then_is_gone() -> None:
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(TargetError, match="is gone"):
        read("files", ended.pid)
    ended.wait()


def test_a_process_when_of_another_account_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: psutil.Process) -> int:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(process_module, "_MEASURES", {"files": refuse})
    with pytest.raises(TargetError, match="belongs to another account"):
        read("files", os.getpid())


def test_a_child_when_it_ends_meanwhile_then_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(process: psutil.Process) -> int:
        raise psutil.NoSuchProcess(process.pid)

    monkeypatch.setattr(process_module, "_MEASURES", {"files": gone})
    assert read("files", os.getpid()).value == 0


# No account has it, so it is another one than that of whoever runs the tests as root.
_OTHER = 65_534


@contextmanager
def as_no_root() -> Iterator[int | None]:
    """Whoever runs this is root no longer; gives the account to start processes with, None for ours."""
    if os.geteuid() != 0:
        yield None
        return
    try:
        os.setegid(_OTHER)
        os.seteuid(_OTHER)
    except OSError:
        os.setegid(0)
        pytest.skip("this root may not be another account")
    try:
        yield _OTHER
    finally:
        os.seteuid(0)
        os.setegid(0)


@contextmanager
def with_a_zombie() -> Iterator[int]:
    """A process that will never ask for the exit code of its child."""
    user = _OTHER if os.geteuid() == 0 else None
    code = ["sh", "-c", "sleep 600 & echo $!; exec cat"]
    with subprocess.Popen(code, stdin=-1, stdout=-1, user=user, group=user) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        # A shell would ask for the code; what comes back shows that there is none any more.
        process.stdin.write(b"cat\n")
        process.stdin.flush()
        process.stdout.readline()
        child.kill()
        while child.status() != psutil.STATUS_ZOMBIE:
            pass
        yield process.pid
        process.communicate()


@pytest.mark.parametrize("what", ["files", "memory", "threads"])
@pytest.mark.parametrize("in_family", [True, False])
def test_a_child_when_a_zombie_then_holds_nothing_whoever_asks(
    what: str, in_family: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To other accounts than root the kernel does not show what a zombie holds, not even its own."""
    with with_a_zombie() as pid:
        if in_family:  # as one that ends between being found and being looked at
            both = [psutil.Process(pid), *psutil.Process(pid).children()]
            assert len(both) == 2
            monkeypatch.setattr(process_module, "family", lambda _pid: both)
        alone = {"files": psutil.Process.num_fds, "threads": psutil.Process.num_threads}
        expected = alone.get(what, lambda leader: leader.memory_info().rss)(psutil.Process(pid))
        with as_no_root():
            value = read(what, pid).value
    assert value == expected + (in_family and what == "threads")


class Answering:
    """Connections whose only service answers with one body."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.asked: list[tuple[str, str]] = []

    async def http(self, service: str) -> "Answering":
        return self

    async def call(self, method: str, url: str, **_more: Any) -> HttpAnswer:
        self.asked.append((method, url))
        elapsed = Duration.of_ms(1)
        return HttpAnswer(status=200, headers=Headers(), body=self.body, elapsed=elapsed)


def lag(body: bytes, **more: Any) -> tuple[Reading, Answering]:
    service = Answering(body)
    asked = probe("loop_lag", endpoint="GET /lag", **more)
    return asyncio.run(asked.read(cast("Connections", service))), service


def test_a_lag_when_asked_for_then_needs_no_process() -> None:
    reading, service = lag(b'{"loop_lag_ms": 12.5}')
    assert (reading.value, reading.exact) == ("12.5", True)
    assert service.asked == [("GET", "/lag")]
    assert lag(b'{"lag": [3]}', value="json.lag[0]")[0].value == 3


@pytest.mark.parametrize(
    "body", [b'{"loop_lag_ms": "12"}', b'{"loop_lag_ms": true}', b'{"loop_lag_ms": null}']
)
def test_a_lag_when_no_number_then_says_what_came(body: bytes) -> None:
    with pytest.raises(TargetError, match="where a number of milliseconds belongs"):
        lag(body)


def test_a_lag_when_its_endpoint_cannot_be_read_then_the_probe_is_named() -> None:
    with pytest.raises(UserError, match="probe held: "):
        probe("loop_lag", endpoint="/lag")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"process": "loop_lag"}, "process: the lag of a loop is known to its service alone"),
        ({"process": "files", "endpoint": "GET /lag"}, "endpoint: says nothing to files"),
        ({"process": "memory", "value": "json"}, "value: says nothing to memory"),
    ],
)
def test_attributes_when_they_do_not_fit_then_the_one_to_blame_is_named(
    params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as raised:
        Process.Params(**params)
    assert str(raised.value).startswith(message)
