"""kill -9 of a runner: whatever it started is gone within two seconds, and its faults are undone."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.journal.reader import read
from harness.model.events import (
    AnyEvent,
    FaultApplied,
    FaultUndone,
    HarnessFailed,
    HopClosed,
    OperationReturned,
    RunStarted,
)
from harness.model.units import Duration
from harness.processes.marks import is_living, marked
from harness.processes.scratch import scratch_of
from harness.proxy.client import ProxyServer
from tests.support.cli import VAULT, Ran, Running, harness
from tests.support.engines import toxiproxy_server
from tests.support.proxies import foreign_toxiproxy
from tests.support.waiting import until_sync

pytestmark = pytest.mark.serial

ROOT = Path(__file__).parents[2]
PROMISE = Duration.of_s(2)
# What a machine four times as slow adds: here the grace is half a second, the work a third of one.
SLACK = Duration.of_s(1.5)
START = Duration.of_s(20)

# What a run does, in short: journal, guardian, a proxy, services, a fault on a foreign proxy; then it
# is busy until somebody kills it, or finishes when told to.
RUNNER = """
import asyncio, os, sys
from pathlib import Path
from harness.faults.guardian.start import watch
from harness.journal.writer import Journal
from harness.model.events import FaultIntended, RunFinished
from harness.model.plan import HopPlan
from harness.proxy.client import ProxyServer
from harness.services.hops import ProxyEndpoint
from harness.services.own_proxy import start_proxy
from harness.services.stack import Stack
from tests.support.stacks import a_plan, a_service, a_target

STUBBORN = '''
import signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
import http.server
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
'''
DAEMON = '''
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
'''

async def main(folder, mark, foreign, postgres):
    target = folder / "shop"
    target.mkdir()
    (target / "stubborn.py").write_text(STUBBORN)
    (target / "daemon.py").write_text(DAEMON)
    services = [a_service("stubborn", run="python stubborn.py {port}"), a_service("daemon", run="python daemon.py")]
    if postgres:
        services.append(a_service("postgres", "embedded-postgres"))
    hop = HopPlan(name="web", source=None, to="stubborn")
    run = folder / mark
    run.mkdir()
    journal = Journal(run / "journal.jsonl")
    guardian = await watch(journal.path, mark=mark, record=journal.record)
    _, own = await start_proxy(folder=run, mark=mark, record=journal.record, seed=1)
    stack = Stack(
        a_plan(a_target(target, services, [hop])), folder=run, mark=mark, record=journal.record,
        proxy=ProxyEndpoint(own=own, foreign=foreign), env=os.environ,
    )
    await stack.bring_up()
    where = stack.hops["web"]
    toxic = {"admin": where.admin, "proxy": where.proxy, "toxic": "slow"}
    journal.record(FaultIntended(fault="slow", kind="toxic", on="web", round=1, params={}, undo=toxic))
    ProxyServer(where.admin).add_toxic(
        where.proxy, name="slow", type="latency", stream="downstream", toxicity=1.0, attributes={"latency": 10}
    )
    print("up", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    journal.record(RunFinished())
    print("code", await guardian.release(), flush=True)

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] or None, bool(sys.argv[4])))
"""


class Runner:
    """A runner-like process that is up, and the traces by which it is found afterwards."""

    def __init__(self, folder: Path, *, foreign: str = "", postgres: bool = False) -> None:
        self.mark = f"test-{uuid.uuid4().hex}"
        self.folder = folder / self.mark
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                RUNNER,
                str(folder),
                self.mark,
                foreign,
                "1" if postgres else "",
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"

    def kill(self) -> Duration:
        """kill -9; returns after how long nothing of the run was left on this machine."""
        killed = time.monotonic_ns()
        self.process.kill()
        self.process.wait()
        until_sync(self.is_gone, within=START, what=f"nothing carries {self.mark}")
        return Duration.of_ns(time.monotonic_ns() - killed)

    def is_gone(self) -> bool:
        return not marked(self.mark) and not scratch_of(self.mark)

    def told(self) -> list[AnyEvent]:
        """What the guardian wrote down."""
        return read(self.folder / "guardian.jsonl").events

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        until_sync(self.is_gone, within=START, what=f"nothing carries {self.mark}")


@pytest.fixture
def runners() -> Iterator[list[Runner]]:
    started: list[Runner] = []
    yield started
    for runner in started:
        runner.close()


def test_guardian_when_the_runner_is_killed_then_all_is_gone_within_two_seconds(
    tmp_path: Path, runners: list[Runner]
) -> None:
    runner = Runner(tmp_path)
    runners.append(runner)
    # proxy, guardian, the stubborn one, the daemon's parent and the daemon itself
    until_sync(
        lambda: len(marked(runner.mark)) == 5,
        within=START,
        what="all five carry the mark",
    )
    assert runner.kill() <= PROMISE + SLACK
    last = runner.told()[-1]
    assert isinstance(last, HarnessFailed)
    assert "undid slow of round 1" in last.detail
    assert [event.by for event in runner.told() if isinstance(event, FaultUndone)] == ["guardian"]


@pytest.mark.engine("postgres")
def test_guardian_when_there_was_a_database_then_it_and_its_data_are_gone_too(
    tmp_path: Path, runners: list[Runner]
) -> None:
    runner = Runner(tmp_path, postgres=True)
    runners.append(runner)
    (scratch,) = scratch_of(runner.mark)
    postmaster = psutil.Process(int((scratch / "data" / "postmaster.pid").read_text().split()[0]))
    servers = [postmaster, *postmaster.children()]
    assert len(servers) > 3
    assert runner.kill() <= PROMISE + SLACK
    assert [pid for pid in servers if is_living(pid)] == []
    assert not scratch.exists()


@pytest.mark.engine("toxiproxy")
def test_guardian_when_a_fault_is_on_a_foreign_proxy_then_it_and_the_hop_are_taken_back(
    tmp_path: Path, runners: list[Runner]
) -> None:
    with foreign_toxiproxy(toxiproxy_server()) as foreign:
        runner = Runner(tmp_path, foreign=foreign)
        runners.append(runner)
        assert list(ProxyServer(foreign).proxies()) == [f"harness-{runner.mark}-web"]
        assert runner.kill() <= PROMISE + SLACK
        assert ProxyServer(foreign).proxies() == {}
    told = runner.told()
    assert [event.found for event in told if isinstance(event, FaultUndone)] == [True]
    assert [event.found for event in told if isinstance(event, HopClosed)] == [True]


def test_guardian_when_the_journal_s_tail_is_torn_then_it_works_all_the_same(
    tmp_path: Path, runners: list[Runner]
) -> None:
    runner = Runner(tmp_path)
    runners.append(runner)
    runner.process.send_signal(signal.SIGSTOP)
    with (runner.folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"type":"RunFinished","n":99')
    assert runner.kill() <= PROMISE + SLACK


def test_guardian_when_the_run_finished_then_it_ends_and_does_nothing(
    tmp_path: Path, runners: list[Runner]
) -> None:
    runner = Runner(tmp_path)
    runners.append(runner)
    output, _ = runner.process.communicate("", timeout=20)
    assert output == "code 0\n"
    assert not (runner.folder / "guardian.jsonl").exists()
    # All but the guardian run on, as after ``--keep``: this runner stopped nothing.
    left = marked(runner.mark)
    assert len(left) == 4
    for process in left:
        process.kill()


def killed_run(folder: Path, *arguments: str, before: Callable[[], None] = lambda: None) -> Ran:
    """A run of the vault, killed with a fault in force, and the report on it afterwards."""
    running = Running("run", VAULT, "--variant", "atomic", *arguments, cwd=folder)
    until_sync(
        lambda: running.events(FaultApplied) and running.events(OperationReturned),
        within=START,
        what="a fault is in force",
    )
    (started,) = running.events(RunStarted)
    running.send(signal.SIGSTOP)
    before()
    running.send(signal.SIGKILL)
    running.finish(within=30)
    until_sync(lambda: not marked(started.mark), within=START, what="the guardian is done")
    return harness("report", started.run, cwd=folder)


def test_report_when_the_run_was_killed_then_it_tells_that_the_guardian_rolled_it_back(
    tmp_path: Path,
) -> None:
    ran = killed_run(tmp_path, "--rounds", "50")
    assert ran.code == 5, ran
    assert "killed, or crashed" in ran.out, ran
    assert ran.result["not_undone"] == [], ran
    assert "contradicts" not in ran.result["reason"], ran
    assert {"app", "proxy"} & set(ran.result["reason"].replace(",", "").split()), ran


def test_report_when_the_foreign_proxy_was_dead_then_exit_6_and_the_command_is_last(
    tmp_path: Path,
) -> None:
    """An embedded proxy on its own stands in for somebody's Toxiproxy."""
    foreign = subprocess.Popen(
        [sys.executable, "-m", "harness.proxy", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert foreign.stdout is not None
        url = json.loads(foreign.stdout.readline())["api"]

        def kill() -> None:
            foreign.kill()
            foreign.wait()

        ran = killed_run(tmp_path, "--rounds", "50", "--proxy", url, before=kill)
    finally:
        foreign.kill()
        foreign.communicate()
    assert ran.code == 6, ran
    assert ran.result["verdict"] == "error", ran
    assert f"curl -X DELETE {url}/proxies/harness-" in ran.out.rstrip().splitlines()[-1], ran
    assert "contradicts" not in ran.result["reason"], ran
