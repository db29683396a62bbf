"""Ctrl-C, SIGTERM and kill -9 in each phase: rolled back, reported, nothing left running."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.model.events import (
    BurstReleased,
    FaultApplied,
    FaultUndone,
    ProbeRead,
    ProcessIntended,
    RunStarted,
    ServiceReady,
    SteadyStateJudged,
)
from harness.model.units import Duration
from harness.proxy.client import ProxyServer
from tests.support.cli import VAULT, Running, harness, left_behind
from tests.support.engines import toxiproxy_server
from tests.support.proxies import foreign_toxiproxy
from tests.support.vault import a_vault
from tests.support.waiting import until_sync

pytestmark = pytest.mark.serial  # sends signals at moments that count

s = Duration.of_s
# That it takes two seconds at most is tested in test_guardian.py, on less than a whole run.
GONE = s(15)

PHASES = [
    pytest.param(RunStarted, id="start"),
    pytest.param(ProcessIntended, id="starting-services"),
    pytest.param(ServiceReady, id="services-up"),
    pytest.param(FaultApplied, id="fault-in-force"),
    pytest.param(BurstReleased, id="burst"),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("phase", PHASES)
def test_run_when_interrupted_then_exit_130_and_nothing_remains(
    tmp_path: Path, phase: type, number: signal.Signals
):
    running = Running("run", VAULT, "--variant", "atomic", "--rounds", "50", cwd=tmp_path)
    until_sync(lambda: running.events(phase), within=s(30), what=f"{phase.__name__} is journalled")
    running.send(number)
    ran = running.finish(within=30)
    assert ran.code == 130, ran
    assert left_behind(ran.folders) == []
    applied = [e for e in ran.events if isinstance(e, FaultApplied)]
    undone = [e for e in ran.events if isinstance(e, FaultUndone)]
    assert len(applied) <= len(undone)
    assert ran.result["verdict"] == "interrupted"


def settling(running: Running) -> object:
    return [e for e in running.events(ProbeRead) if e.purpose == "settle"]


def undone(running: Running) -> object:
    return running.events(FaultUndone)


def steady_state_after(running: Running) -> object:
    return [e for e in running.events(SteadyStateJudged) if e.when == "after"]


def stopping(running: Running) -> object:
    log = running.folder and running.folder / "logs" / "store.log"
    return log and log.exists() and "asked to end" in log.read_text()


# Each with what makes the phase last until the signal is there.
LATE_PHASES = [
    pytest.param(
        settling, {"experiment": {"rounds: 3": "rounds: 1\nsettle: {gap: 5s}"}}, id="settling"
    ),
    pytest.param(undone, {"experiment": {"rounds: 3": "rounds: 50"}}, id="undone"),
    pytest.param(
        steady_state_after,
        {
            "experiment": {"rounds: 3": "rounds: 1"},
            "store": {  # the third reset, which comes after the round, is not a good one
                "lock = Lock()": "lock = Lock()\nresets = []",
                'state["value"] = START': 'resets.append(1)\n                state["value"] = START - sum(resets) // 3',
            },
        },
        id="steady-state-after",
    ),
    pytest.param(
        stopping,
        {
            "experiment": {"rounds: 3": "rounds: 1"},
            "store": {  # is asked to end when the app has ended, and does not
                "import json\n": "import json\nimport signal\n",
                'if __name__ == "__main__":': 'if __name__ == "__main__":\n    signal.signal(signal.SIGTERM, lambda *_: print("asked to end", flush=True))',
            },
        },
        id="stopping",
    ),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize(("phase", "changes"), LATE_PHASES)
def test_run_when_interrupted_late_then_exit_130_and_nothing_remains(
    tmp_path: Path,
    phase: Callable[[Running], object],
    changes: dict[str, dict[str, str]],
    number: signal.Signals,
):
    running = Running("run", a_vault(tmp_path, **changes), "--variant", "atomic", cwd=tmp_path)
    until_sync(lambda: phase(running), within=s(30), what=f"the phase {phase.__name__}")
    running.send(number)
    ran = running.finish(within=30)
    assert ran.code == 130, ran
    assert left_behind(ran.folders) == []
    applied = {e.round for e in ran.events if isinstance(e, FaultApplied)}
    assert applied <= {e.round for e in ran.events if isinstance(e, FaultUndone)}
    assert ran.result["verdict"] == "interrupted"


@pytest.mark.parametrize("phase", PHASES)
def test_run_when_killed_then_the_guardian_ends_all_that_was_started(tmp_path: Path, phase: type):
    running = Running("run", VAULT, "--variant", "atomic", "--rounds", "50", cwd=tmp_path)
    until_sync(lambda: running.events(phase), within=s(30), what=f"{phase.__name__} is journalled")
    folder = running.folder
    assert folder is not None
    running.send(signal.SIGKILL)
    running.finish(within=30)
    until_sync(
        lambda: not left_behind([folder]), within=GONE, what="no process carries the run's mark"
    )


@pytest.mark.engine("toxiproxy")
def test_run_when_killed_then_the_guardian_clears_a_foreign_proxy(tmp_path: Path):
    with foreign_toxiproxy(toxiproxy_server()) as url:
        arguments = ["--variant", "atomic", "--rounds", "50", "--proxy", url]
        running = Running("run", VAULT, *arguments, cwd=tmp_path)
        until_sync(lambda: running.events(FaultApplied), within=s(30), what="a fault is in force")
        assert ProxyServer(url).proxies() != {}
        running.send(signal.SIGKILL)
        running.finish(within=30)
        until_sync(
            lambda: ProxyServer(url).proxies() == {}, within=GONE, what="the proxy is clean again"
        )


def test_run_when_a_killed_run_held_the_lock_then_the_next_run_may_start(tmp_path: Path):
    running = Running("run", VAULT, "--variant", "atomic", "--rounds", "50", cwd=tmp_path)
    until_sync(lambda: running.events(ServiceReady), within=s(30), what="services are up")
    running.send(signal.SIGKILL)
    running.finish(within=30)
    ran = harness("run", VAULT, "--variant", "atomic", "--rounds", "1", cwd=tmp_path)
    assert ran.code == 0, ran
