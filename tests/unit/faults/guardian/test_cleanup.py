"""The guardian's work, with real processes and a journal made up for it."""

import os
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path

import psutil
import pytest

from harness.faults.guardian import cleanup, undo
from harness.faults.guardian.cleanup import clean_up
from harness.journal.reader import read
from harness.journal.writer import Journal
from harness.model.events import (
    AnyEvent,
    ContainerIntended,
    ContainerRemoved,
    FaultIntended,
    FaultNotUndone,
    FaultUndone,
    HarnessFailed,
    HopOpened,
    ProcessEnded,
    ProcessStarted,
    RunFinished,
)
from harness.model.units import Duration
from harness.processes.marks import MARK, marked
from harness.processes.scratch import make_scratch, scratch_of
from tests.support.containers import EngineInMemory


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def journal_of(folder: Path, *events: AnyEvent) -> Path:
    path = folder / "journal.jsonl"
    with Journal(path) as journal:
        for event in events:
            journal.record(event)
    return path


def sleeper(mark: str | None) -> "subprocess.Popen[bytes]":
    env = {"PATH": os.environ["PATH"]} | ({MARK: mark} if mark else {})
    code = "print('up', flush=True); import time; time.sleep(60)"
    popen = subprocess.Popen(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, start_new_session=True
    )
    assert popen.stdout is not None
    assert popen.stdout.readline() == b"up\n"
    popen.stdout.close()
    return popen


def started(popen: "subprocess.Popen[bytes]", *, created: float | None = None) -> ProcessStarted:
    at = psutil.Process(popen.pid).create_time() if created is None else created
    return ProcessStarted(name="app", pid=popen.pid, pgid=popen.pid, created=at)


def fault(admin: str, name: str = "latency-1", proxy: str = "p") -> FaultIntended:
    undo = {"admin": admin, "proxy": proxy}
    return FaultIntended(fault=name, kind="toxic", on="db", round=1, params={}, undo=undo)


def told(folder: Path) -> list[AnyEvent]:
    return read(folder / "guardian.jsonl").events


def test_clean_up_when_the_run_finished_then_nothing_is_touched(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    kept = sleeper(mark)
    try:
        assert clean_up(journal_of(tmp_path, RunFinished()), mark) == 0
        assert kept.poll() is None
        assert not (tmp_path / "guardian.jsonl").exists()
    finally:
        kept.kill()
        kept.wait()


def test_clean_up_when_it_did_not_then_marked_and_announced_processes_end_and_data_goes(
    tmp_path: Path,
) -> None:
    mark = uuid.uuid4().hex
    unannounced, unmarked = sleeper(mark), sleeper(None)
    make_scratch(mark, "pg", account=None)
    path = journal_of(tmp_path, started(unmarked))
    assert clean_up(path, mark) == 0
    assert unannounced.wait() == unmarked.wait() == -15
    assert marked(mark) == []
    assert scratch_of(mark) == []
    ended, last = told(tmp_path)
    assert isinstance(ended, ProcessEnded)
    assert not ended.expected
    assert isinstance(last, HarnessFailed)
    assert last.detail.endswith("rolled it back: ended app")


def test_clean_up_when_a_number_was_reused_then_the_stranger_lives(tmp_path: Path) -> None:
    stranger = sleeper(None)
    try:
        path = journal_of(tmp_path, started(stranger, created=1.0))
        assert clean_up(path, uuid.uuid4().hex) == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_clean_up_when_a_fault_is_on_our_own_proxy_then_it_ends_with_it_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "UNDO", {})
    opened = HopOpened(
        hop="db", admin="http://own:1", proxy="db", listen="x:1", upstream="x:2", observed="here"
    )
    assert clean_up(journal_of(tmp_path, opened, fault("http://own:1")), uuid.uuid4().hex) == 0
    assert [event.fault for event in told(tmp_path) if isinstance(event, FaultUndone)] == [
        "latency-1"
    ]


def test_clean_up_when_a_foreign_fault_cannot_be_undone_then_code_6_and_the_rest_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(event: FaultIntended) -> bool:
        if event.fault == "bad":
            raise OSError("stuck")
        return True

    monkeypatch.setattr(undo, "UNDO", {"toxic": answer})
    path = journal_of(tmp_path, fault("http://far:1", "bad"), fault("http://far:1", "good"))
    assert clean_up(path, uuid.uuid4().hex) == 6
    kinds = {type(event) for event in told(tmp_path)}
    assert {FaultUndone, FaultNotUndone} <= kinds


def test_clean_up_when_one_server_is_stuck_then_processes_and_other_servers_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    process = sleeper(mark)
    other_done = threading.Event()

    def answer(event: FaultIntended) -> bool:
        if event.undo["admin"] == "http://other:1":
            other_done.set()
            return True
        # The stuck one answers only when everything else is over.
        return process.wait(timeout=20) == -15 and other_done.wait(20)

    monkeypatch.setattr(undo, "UNDO", {"toxic": answer})
    path = journal_of(tmp_path, fault("http://other:1", "a"), fault("http://stuck:1", "b"))
    assert clean_up(path, mark) == 0


def test_clean_up_when_one_does_not_end_in_time_then_what_is_left_is_told_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(undo, "UNDO", {"toxic": lambda _event: over.wait(20)})
    monkeypatch.setattr(cleanup, "_UNDO_LIMIT", Duration.of_ms(50))
    path = journal_of(tmp_path, fault("http://far:1", "a"), fault("http://far:1", "b"))
    try:
        assert clean_up(path, uuid.uuid4().hex) == 6
        left = [event for event in told(tmp_path) if isinstance(event, FaultNotUndone)]
        assert {event.fault for event in left} == {"a", "b"}
        assert {event.because for event in left} == {"not done within 50 ms"}
        assert {event.command for event in left} == {"curl -X DELETE http://far:1/proxies/p"}
    finally:
        over.set()


def test_clean_up_when_one_proxy_of_a_server_is_stuck_then_its_others_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_done = threading.Event()

    def answer(event: FaultIntended) -> bool:
        if event.undo["proxy"] == "q":
            other_done.set()
        return other_done.wait(20)

    monkeypatch.setattr(undo, "UNDO", {"toxic": answer})
    faults = [fault("http://far:1", "a", proxy="q"), fault("http://far:1", "b")]
    assert clean_up(journal_of(tmp_path, *faults), uuid.uuid4().hex) == 0


def test_clean_up_when_its_own_file_cannot_be_written_then_it_works_all_the_same(
    tmp_path: Path,
) -> None:
    mark = uuid.uuid4().hex
    process = sleeper(mark)
    (tmp_path / "guardian.jsonl").mkdir()
    assert clean_up(journal_of(tmp_path), mark) == 0
    assert process.wait() == -15


def test_clean_up_when_the_run_had_a_container_then_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    engine = EngineInMemory().install(monkeypatch)
    engine.create("harness-app-1", {"Labels": {"harness.mark": mark}})
    intended = ContainerIntended(name="app", container="harness-app-1", image="app:1")
    assert clean_up(journal_of(tmp_path, intended), mark) == 0
    assert engine.containers == {}
    assert ContainerRemoved in {type(event) for event in told(tmp_path)}


def test_clean_up_when_a_container_stays_then_exit_code_6(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EngineInMemory(fails="remove").install(monkeypatch)
    intended = ContainerIntended(name="app", container="harness-app-1", image="app:1")
    assert clean_up(journal_of(tmp_path, intended), uuid.uuid4().hex) == 6
    (left,) = (event for event in told(tmp_path) if isinstance(event, FaultNotUndone))
    assert left.command == "docker rm --force --volumes harness-app-1"
