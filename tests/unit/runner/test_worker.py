"""One run elsewhere: its job survives the way there, its end of input counts as a signal."""

import dataclasses
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.journal import lines
from harness.model.events import AnyEvent, ProbeRead, RunFinished, RunStarted
from harness.model.plan import Plan
from harness.model.verdicts import Result
from harness.runner import worker
from harness.runner.stop import StopSignals
from harness.runner.suite import Listener, SuiteOptions
from harness.runner.worker import Job, work
from tests.support.journals import a_plan, a_run


def written(result: Result, cases: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
    return {"result.json": result.run.encode(), **{f"{case}": b"" for case in cases}}


OPTIONS = SuiteOptions(
    runs=Path("runs"),
    environment={"cpus": 2, "engines": {}},
    write=written,
    foreign_proxy="http://127.0.0.1:8474",
    keep=True,
    allow_hosts=("a.example",),
)


def test_job_when_it_was_a_line_then_plan_and_options_are_the_same() -> None:
    job = Job.read(Job.of(a_plan(), OPTIONS).line())
    assert job.plan == a_plan()
    assert job.options(written) == OPTIONS


def test_job_when_an_option_of_a_suite_is_added_then_it_goes_along() -> None:
    names = {field.name for field in dataclasses.fields(SuiteOptions)} - {"write"}
    assert set(Job.__struct_fields__) == names | {"plan"}


Body = Callable[[Listener, StopSignals], None]


@pytest.fixture
def run_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Body], tuple[list[bytes], int]]:
    """Lets ``body`` be the run; gives the lines told, and the descriptor that keeps the job open."""

    def run(body: Body) -> tuple[list[bytes], int]:
        async def one(plan: Plan, options: SuiteOptions, listener: Listener, stop: StopSignals):
            assert (plan, options) == (a_plan(), OPTIONS)
            body(listener, stop)

        monkeypatch.setattr(worker, "run_one", one)
        ours, theirs = os.pipe()
        os.write(theirs, Job.of(a_plan(), OPTIONS).line())
        told: list[bytes] = []
        try:
            work(ours, write=written, say=told.append)
        finally:
            os.close(ours)
        return told, theirs

    return run


def test_work_when_events_come_then_those_that_are_watched_are_told(run_of) -> None:
    events = a_run(1)

    def body(listener: Listener, _stop: StopSignals) -> None:
        for event in events:
            listener.handle(event)

    told, theirs = run_of(body)
    os.close(theirs)
    heard: list[AnyEvent] = [lines.decode(line) for line in told]
    assert isinstance(heard[0], RunStarted) and isinstance(heard[-1], RunFinished)
    assert not any(isinstance(event, ProbeRead) for event in heard)


def test_work_when_the_input_ends_before_the_job_is_whole_then_nothing_begins() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, Job.of(a_plan(), OPTIONS).line()[:-10])
    os.close(theirs)
    with pytest.raises(KeyboardInterrupt):
        work(ours, write=written, say=lambda _line: None)
    os.close(ours)


def test_look_when_the_suite_is_gone_then_it_counts_as_a_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import asyncio

    sent: list[int] = []
    monkeypatch.setattr(worker.os, "kill", lambda _pid, number: sent.append(number))

    async def gone() -> bool:
        ours, theirs = os.pipe()
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, worker._look, ours)
        os.close(theirs)
        worker._look(ours)
        removed = loop.remove_reader(ours)
        os.close(ours)
        return removed

    assert asyncio.run(gone()) is False, "an input that has ended would be looked at for ever"
    assert sent == [signal.SIGTERM]


def test_result_when_written_by_one_process_then_another_reads_the_same(tmp_path: Path) -> None:
    from harness.outputs.result_json import result_bytes
    from harness.runner.side_by_side import _result_in
    from tests.support.results import a_violation

    (tmp_path / "result.json").write_bytes(result_bytes(a_violation()))
    assert _result_in(tmp_path) == msgspec.structs.replace(a_violation())
