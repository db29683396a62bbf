"""A suite with several runs at a time: results, and that nothing remains, whoever is ended when."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from harness.journal.reader import read
from harness.model.events import (
    FaultApplied,
    FaultUndone,
    Interrupted,
    RoundFinished,
    RunFinished,
    RunStarted,
)
from harness.model.units import Duration
from tests.support.cli import Running, harness, left_behind
from tests.support.vault import a_vault
from tests.support.waiting import until_sync

s = Duration.of_s
GONE = s(30)


def two_vaults(folder: Path, *, rounds: int) -> list[Path]:
    """Two targets that have nothing in common, each with an experiment."""
    found = []
    for name in ("one", "two"):
        (folder / name).mkdir()
        changes = {"experiment: vault": f"experiment: {name}", "rounds: 3": f"rounds: {rounds}"}
        found.append(a_vault(folder / name, experiment=changes))
    return found


def runs_of(folder: Path) -> list[Path]:
    """The folders of runs that have begun."""
    journals = (folder / "runs").glob("*/journal.jsonl")
    return sorted(journal.parent for journal in journals if journal.stat().st_size)


def events_in(run: Path, kind: type) -> list[object]:
    return [event for event in read(run / "journal.jsonl").events if isinstance(event, kind)]


def both_in_a_round(folder: Path) -> bool:
    runs = runs_of(folder)
    return len(runs) == 2 and all(events_in(run, FaultApplied) for run in runs)


def test_run_when_targets_share_nothing_then_their_runs_go_on_at_a_time(tmp_path: Path):
    files = two_vaults(tmp_path, rounds=2)
    ran = harness("run", *files, "--jobs", "2", "--seed", "7", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    seen = [(run["experiment"], run["variant"], run["verdict"]) for run in ran.json["runs"]]
    assert seen == [
        ("one", "naive", "violated"),
        ("one", "atomic", "held"),
        ("two", "naive", "violated"),
        ("two", "atomic", "held"),
    ]
    assert "4 of 4 as expected" in ran.err and "one naive: begun" in ran.err, ran
    processes = {event.pid for run in runs_of(tmp_path) for event in events_in(run, RunStarted)}
    assert len(processes) == 4, "each in a process of its own"
    first_ends = min(events_in(run, RunFinished)[0].t for run in runs_of(tmp_path))
    began = sorted(events_in(run, RunStarted)[0].t for run in runs_of(tmp_path))
    assert began[1] < first_ends < began[2], "two at a time, and of one target never two"
    assert left_behind(ran.folders) == []


def test_run_when_there_is_one_job_then_all_is_done_by_the_command_itself(tmp_path: Path):
    files = two_vaults(tmp_path, rounds=1)
    ran = harness("run", *files, "--variant", "atomic", "--jobs", "1", cwd=tmp_path)
    assert ran.code == 0, ran
    processes = {event.pid for run in runs_of(tmp_path) for event in events_in(run, RunStarted)}
    assert len(processes) == 1


def test_run_when_one_of_two_targets_is_in_use_then_the_user_is_told_and_nothing_remains(
    tmp_path: Path,
):
    from harness.services.target_lock import lock_target

    files = two_vaults(tmp_path, rounds=1)
    with lock_target(files[1].parent / "vault" / "target.yaml"):
        ran = harness("run", *files, "--variant", "atomic", "--jobs", "2", cwd=tmp_path)
    assert ran.code == 2 and "another run is using this target" in ran.err, ran
    assert "Traceback" not in ran.err, ran
    assert left_behind(ran.folders) == []


@pytest.mark.serial
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_run_when_interrupted_then_each_run_rolls_back_and_none_begins(
    tmp_path: Path, number: signal.Signals
):
    running = Running("run", *two_vaults(tmp_path, rounds=50), "--jobs", "2", cwd=tmp_path)
    until_sync(lambda: both_in_a_round(tmp_path), within=s(60), what="both are in a round")
    running.send(number)
    ran = running.finish(within=60)
    assert ran.code == 130, ran
    assert "2 interrupted, 2 not run" in ran.out, ran
    assert len(ran.folders) == 2
    for run in ran.folders:
        assert [event.signal for event in events_in(run, Interrupted)] == [number.name]
        assert len(events_in(run, FaultApplied)) <= len(events_in(run, FaultUndone))
    assert left_behind(ran.folders) == []


@pytest.mark.serial
def test_run_when_the_command_is_killed_then_each_run_rolls_back_by_itself(tmp_path: Path):
    running = Running("run", *two_vaults(tmp_path, rounds=50), "--jobs", "2", cwd=tmp_path)
    until_sync(lambda: both_in_a_round(tmp_path), within=s(60), what="both are in a round")
    running.send(signal.SIGKILL)
    running.finish(within=60)
    runs = runs_of(tmp_path)
    until_sync(lambda: not left_behind(runs), within=GONE, what="no process carries a run's mark")
    for run in runs:
        assert events_in(run, Interrupted) and events_in(run, RunFinished), run
        assert len(events_in(run, FaultApplied)) <= len(events_in(run, FaultUndone))
    assert len(runs_of(tmp_path)) == 2, "no further run began"


@pytest.mark.serial
def test_run_when_command_and_runs_are_killed_then_the_guardians_clean_up(tmp_path: Path):
    running = Running("run", *two_vaults(tmp_path, rounds=50), "--jobs", "2", cwd=tmp_path)
    until_sync(lambda: both_in_a_round(tmp_path), within=s(60), what="both are in a round")
    for child in psutil.Process(running.pid).children():
        child.kill()
    running.send(signal.SIGKILL)
    running.finish(within=60)
    runs = runs_of(tmp_path)
    until_sync(lambda: not left_behind(runs), within=GONE, what="no process carries a run's mark")


@pytest.mark.serial
def test_run_when_one_run_is_killed_then_it_is_an_error_and_the_others_go_on(tmp_path: Path):
    files = two_vaults(tmp_path, rounds=10)
    running = Running("run", *files, "--variant", "atomic", "--jobs", "2", "--json", cwd=tmp_path)
    until_sync(lambda: both_in_a_round(tmp_path), within=s(60), what="both are in a round")
    (killed,) = (run for run in runs_of(tmp_path) if run.name.endswith("-one-atomic"))
    os.kill(events_in(killed, RunStarted)[0].pid, signal.SIGKILL)
    ran = running.finish(within=120)
    assert ran.code == 5, ran
    seen = {run["experiment"]: run["verdict"] for run in ran.json["runs"]}
    assert seen == {"one": "error", "two": "held"}
    (other,) = (run for run in runs_of(tmp_path) if run != killed)
    assert len(events_in(other, RoundFinished)) == 10
    assert left_behind(ran.folders) == []
