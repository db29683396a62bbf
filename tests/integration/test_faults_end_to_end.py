"""Whole runs with faults of every sort, from the file to the verdict, and what is left after a kill."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.model.events import (
    FaultApplied,
    FaultIntended,
    FaultSeen,
    FaultUndone,
    ProcessStarted,
    RunStarted,
)
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.proxy.client import ProxyServer
from tests.support.cli import Ran, Running, harness, left_behind
from tests.support.servers import original, ours
from tests.support.vault import a_vault
from tests.support.waiting import until_sync

START = Duration.of_s(30)
# What a server of ours still holds for a run that is gone: its lease, and time to look.
GONE = Duration.of_s(10)
# The vault's own fault, which a test replaces, and its burst.
FAULT = "latency: 40ms"
BURST = "  - burst: {operation: take, concurrency: 20}\n"
SOON = {"    vars: {amount: 10}\n": "    vars: {amount: 10}\n    timeout: 2s\n"}
# A burst may be over between two readings; what samples find is no matter of these tests.
UNSAMPLED = {"  never-negative: {always: value >= 0}\n": ""}
# Asks the state alone: an unknown outcome may hide an error from what counts acknowledged requests.
SOLD_OUT = {"100 - value == 10 * acknowledged(take)": "value == 0"}


def run_with(
    folder: Path,
    fault: str,
    *arguments: object,
    rounds: int = 1,
    asks: dict[str, str] | None = None,
) -> Ran:
    file = a_vault(folder, experiment={FAULT: fault, **UNSAMPLED, **(asks or {})}, target=SOON)
    return harness(
        "run", file, "--variant", "atomic", "--rounds", rounds, "--json", *arguments, cwd=folder
    )


def only_run(ran: Ran) -> Any:
    (run,) = ran.json["runs"]
    return run


def seen_in(ran: Ran) -> list[FaultSeen]:
    return [event for event in ran.events if isinstance(event, FaultSeen)]


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        pytest.param("http_status: 503, skip: 3, first: 2", 2, id="http_status"),
        pytest.param("cut: {messages: 0}, first: 5", 5, id="cut"),
        pytest.param("slow_close: 100ms, stream: upstream", 20, id="slow_close"),
    ],
)
def test_run_when_a_few_are_hit_then_exactly_these_are_seen_and_the_verdict_stands(
    tmp_path: Path, fault: str, hit: int
):
    """Whoever was hit is unknown; the others still show whether more was taken than there was."""
    ran = run_with(tmp_path, fault, asks=SOLD_OUT)
    assert ran.code == 0, ran
    assert [(e.hit, e.missed) for e in seen_in(ran)] == [(hit, 0)]
    run = only_run(ran)
    assert run["faults"][0]["seen_on_wire"], run
    assert run["verdict"] == "held", run
    assert left_behind(ran.folders) == []


def test_run_when_it_is_repeated_with_its_seed_then_the_same_requests_are_hit(tmp_path: Path):
    hits = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ran = run_with(tmp_path / name, "http_status: 503, toxicity: 50%", "--seed", 7)
        hits.append([e.hit for e in seen_in(ran)])
    assert hits[0] == hits[1] != [0]


def test_run_when_a_hop_is_down_and_nobody_was_connected_then_exit_3_and_the_reason(
    tmp_path: Path,
):
    ran = run_with(tmp_path, "down: true", rounds=2)
    assert ran.code == 3, ran
    (why,) = [each for each in only_run(ran)["missing"] if "down@store" in each]
    assert "nobody sees who dials a closed port" in why
    assert [e.found for e in ran.events if isinstance(e, FaultUndone)] == [True, True]


def test_run_when_faults_follow_one_another_then_each_is_seen_in_its_own_time(tmp_path: Path):
    """Several of one kind, one of them for a while, and a hop that is down after that."""
    file = a_vault(
        tmp_path,
        target=SOON,
        experiment={
            **UNSAMPLED,
            f"  - fault: {{on: store, {FAULT}}}\n{BURST}": (
                "  - fault: {on: store, latency: 20ms, for: 1s}\n"
                "  - fault: {on: store, latency: 10ms, stream: upstream}\n" + BURST
            ),
        },
    )
    ran = harness("run", file, "--variant", "atomic", "--rounds", "2", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    assert {e.fault for e in seen_in(ran)} == {"latency@store", "latency@store#2"}
    assert [(e.hit, e.missed) for e in seen_in(ran)] == [(20, 0)] * 4
    words = [each["summary"] for each in only_run(ran)["faults"]]
    assert words[0].startswith("20 ms latency seen on 40 messages")
    assert words[1].startswith("10 ms latency seen on 40 messages")


@pytest.mark.engine("toxiproxy")
def test_run_when_nothing_can_be_seen_outside_then_exit_3_and_not_a_pass(tmp_path: Path):
    with original() as daemon:
        url = f"http://{daemon.api.host}:{daemon.api.port}"
        ran = run_with(tmp_path, "slow_close: 100ms", "--proxy", url)
    assert ran.code == 3, ran
    (why,) = [each for each in only_run(ran)["missing"] if "slow_close@store" in each]
    assert "no trace that can be seen from outside" in why


@pytest.mark.engine("toxiproxy")
def test_run_when_the_foreign_proxy_would_ignore_a_key_then_exit_2_and_nothing_was_started(
    tmp_path: Path,
):
    with original() as daemon:
        url = f"http://{daemon.api.host}:{daemon.api.port}"
        ran = run_with(tmp_path, "latency: 40ms, first: 2", "--proxy", url)
        assert daemon.api.get("/proxies").json() == {}
    assert ran.code == 2, ran
    assert "latency@store needs first" in ran.json["problem"]
    assert ran.folders == ()


# Asks its store a question when it is warmed up, and the store is slow at taking.
ASKS = {
    "    def do_GET(self) -> None:\n": "    def do_GET(self) -> None:\n        ask('GET', '/value')\n"
}
SLOW_STORE = {
    '        with lock:\n            if self.path == "/reset":': (
        "        if self.path == '/take':\n            import time\n\n            time.sleep(0.08)\n"
        '        with lock:\n            if self.path == "/reset":'
    )
}
LONG_HOLD = "  - burst: {operation: take, concurrency: 20, hold: 1s}\n"


@pytest.mark.serial
@pytest.mark.parametrize(
    "fault",
    ["noop: true", "bandwidth: 1KB/s", "slow_close: 10ms", "reset_peer: 0s", "down: true"],
    ids=lambda fault: fault.partition(":")[0],
)
def test_run_when_a_fault_was_over_before_the_burst_was_released_then_exit_3_and_not_a_pass(
    tmp_path: Path, fault: str
):
    """What it did to those that warmed up tests nothing; the hold is far longer than it lasts."""
    file = a_vault(
        tmp_path,
        target=SOON,
        code=ASKS,
        experiment={FAULT: f"{fault}, for: 150ms", BURST: LONG_HOLD},
    )
    ran = harness("run", file, "--variant", "atomic", "--rounds", "1", "--json", cwd=tmp_path)
    assert ran.code == 3, ran
    assert [(e.hit, e.unseen) for e in seen_in(ran)] == [
        (0, "it was over before the first request was released")
    ]
    assert not only_run(ran)["faults"][0]["seen_on_wire"]


@pytest.mark.engine("toxiproxy")
def test_run_when_a_service_is_as_slow_as_a_share_would_be_outside_then_exit_3_and_not_a_pass(
    tmp_path: Path,
):
    file = a_vault(
        tmp_path,
        target=SOON,
        store=SLOW_STORE,
        experiment={FAULT: f"{FAULT}, toxicity: 0.0001%"},
    )
    with original() as daemon:
        url = f"http://{daemon.api.host}:{daemon.api.port}"
        ran = harness(
            "run", file, "--variant", "atomic", "--rounds", "1", "--json", "--proxy", url,
            cwd=tmp_path,
        )  # fmt: skip
    assert ran.code == 3, ran
    (why,) = [each for each in only_run(ran)["missing"] if "latency@store" in each]
    assert "a share of messages cannot be told from a slow service" in why


def test_run_when_the_foreign_proxy_is_one_of_ours_then_faults_have_a_lease_and_leave_with_it(
    tmp_path: Path,
):
    with ours() as daemon:
        url = f"http://{daemon.api.host}:{daemon.api.port}"
        fault = "cut: {messages: 0}, first: 5, stream: upstream"
        ran = run_with(tmp_path, fault, "--proxy", url, asks=SOLD_OUT)
        assert daemon.api.get("/leases").json() == {}
        assert daemon.api.get("/proxies").json() == {}
    assert ran.code == 0, ran
    assert [e.hit for e in seen_in(ran)] == [5]


@pytest.fixture
def killed() -> Iterator[list[Running]]:
    running: list[Running] = []
    yield running
    for each in running:
        each.send(signal.SIGKILL)
        ran = each.finish()
        marks = [e.mark for e in ran.events if isinstance(e, RunStarted)] if ran.folders else []
        for process in [process for mark in marks for process in marked(mark)]:
            process.kill()


@pytest.mark.serial
@pytest.mark.parametrize("fault", ["latency: 500ms", "down: true"], ids=["toxic", "down"])
def test_kill_9_when_the_guardian_is_killed_too_then_the_lease_takes_the_fault_back(
    tmp_path: Path, killed: list[Running], fault: str
):
    file = a_vault(tmp_path, experiment={FAULT: fault, "rounds: 3": "rounds: 50"})
    with ours() as daemon:
        url = f"http://{daemon.api.host}:{daemon.api.port}"
        running = Running("run", file, "--variant", "atomic", "--proxy", url, cwd=tmp_path)
        killed.append(running)
        until_sync(lambda: running.events(FaultApplied), within=START, what="a fault is in force")
        intended = running.events(FaultIntended)[-1]
        guardian = next(e.pid for e in running.events(ProcessStarted) if e.name == "guardian")
        psutil.Process(guardian).kill()
        running.send(signal.SIGKILL)
        proxy, server = str(intended.undo["proxy"]), ProxyServer(url)
        until_sync(lambda: _is_clean(server, proxy), within=GONE, what="the fault is gone")
        until_sync(
            lambda: daemon.api.get("/leases").json() == {}, within=GONE, what="no lease is left"
        )


def _is_clean(server: ProxyServer, proxy: str) -> bool:
    state = server.proxy(proxy)
    return state is not None and state.enabled and server.toxics(proxy) == ()


@pytest.mark.serial
@pytest.mark.engine("toxiproxy")
def test_kill_9_when_a_foreign_proxy_was_down_then_the_guardian_lets_it_listen_and_removes_it(
    tmp_path: Path, killed: list[Running]
):
    file = a_vault(tmp_path, experiment={FAULT: "down: true", "rounds: 3": "rounds: 50"})
    with original() as daemon:
        url = f"http://{daemon.api.host}:{daemon.api.port}"
        running = Running("run", file, "--variant", "atomic", "--proxy", url, cwd=tmp_path)
        killed.append(running)
        until_sync(lambda: running.events(FaultApplied), within=START, what="a fault is in force")
        (started,) = running.events(RunStarted)
        running.send(signal.SIGKILL)
        until_sync(lambda: not marked(started.mark), within=START, what="the guardian is done")
        assert daemon.api.get("/proxies").json() == {}
    told = harness("report", started.run, cwd=tmp_path)
    assert told.result["not_undone"] == [], told
    assert "undid down@store of round" in told.result["reason"], told
