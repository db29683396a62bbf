"""A suite: a folder for each run, an end where going on makes no sense, no verdict on half a story."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from harness.judge.fold import Judge
from harness.model.errors import HarnessBug, UserError
from harness.model.events import AnyEvent, Interrupted, SetupRefused
from harness.model.plan import Plan
from harness.model.verdicts import Result
from harness.runner.run import Run
from harness.runner.suite import SuiteOptions, new_run_folder, run_suite
from tests.support.journals import a_plan

AT = datetime(2026, 11, 25, 10, 12, 31, tzinfo=UTC)


class AListener:
    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.results: list[Result] = []

    def handle(self, event: AnyEvent) -> None:
        self.events.append(event)

    def judged(self, result: Result) -> None:
        self.results.append(result)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan whose target file exists, since it is what a run locks."""
    file = tmp_path / "target.yaml"
    file.write_text("target: bank\n")
    made = a_plan()
    return msgspec.structs.replace(
        made, target=msgspec.structs.replace(made.target, file=str(file), folder=str(tmp_path))
    )


def suite(plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *happen: AnyEvent):
    """Runs in which nothing but ``happen`` is recorded, one of them a run, then nothing."""
    left = list(happen)

    async def drive(self: Run) -> None:
        if left:
            self._record(left.pop(0))

    monkeypatch.setattr(Run, "_drive", drive)
    listener = AListener()
    options = SuiteOptions(
        runs=tmp_path / "runs",
        environment={},
        write=lambda r, _cases: {"result.json": r.run.encode()},
    )
    return asyncio.run(run_suite(plans, options, listener)), listener


def test_run_suite_when_two_plans_run_then_each_has_its_folder_and_result(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    results, listener = suite([plan, plan], tmp_path, monkeypatch)
    folders = [folder for _, folder in results]
    assert len(set(folders)) == 2
    assert all((f / "result.json").read_text() == f.name for f in folders)
    assert [r.run for r in listener.results] == [f.name for f in folders]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        pytest.param(Interrupted(signal="SIGINT", during="round 1"), 130, id="interrupted"),
        pytest.param(SetupRefused(message="port taken"), 2, id="refused"),
    ],
)
def test_run_suite_when_going_on_makes_no_sense_then_it_ends(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: AnyEvent, code: int
):
    results, _ = suite([plan, plan], tmp_path, monkeypatch, event)
    assert [result.exit_code for result, _ in results] == [code]


def test_run_suite_when_the_judge_raises_then_there_is_no_verdict(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(_self: Judge, _event: AnyEvent) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(Judge, "feed", broken)
    with pytest.raises(HarnessBug, match="the judge failed"):
        suite([plan], tmp_path, monkeypatch)


def test_run_suite_when_another_run_holds_the_target_then_no_folder_is_made(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from harness.services.target_lock import lock_target

    with lock_target(Path(plan.target.file)), pytest.raises(UserError, match="another run"):
        suite([plan], tmp_path, monkeypatch)
    assert not (tmp_path / "runs").exists()


def test_new_run_folder_when_the_second_is_the_same_then_the_names_differ(tmp_path: Path):
    names = [new_run_folder(tmp_path, a_plan(), AT)[0] for _ in range(3)]
    assert len(set(names)) == 3
    assert all(name.startswith("2026-11-25T10-12-31-") for name in names)


def test_new_run_folder_when_a_file_is_in_the_way_then_the_option_is_named(tmp_path: Path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match="--runs"):
        new_run_folder(tmp_path / "runs", a_plan(), AT)


def test_run_suite_when_two_runs_have_the_same_id_then_their_marks_differ(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        "harness.runner.suite.new_run_folder",
        lambda runs, _plan, _at: new_run_folder(runs / str(len(marks)), a_plan(), AT),
    )
    marks: list[str] = []
    monkeypatch.setattr(Run, "_drive", lambda self: _nothing(marks.append(self._options.mark)))
    options = SuiteOptions(runs=tmp_path / "runs", environment={}, write=lambda _r, _cases: {})
    results = asyncio.run(run_suite([plan, plan], options, AListener()))
    assert len({result.run for result, _ in results}) == 1
    assert len(set(marks)) == 2


async def _nothing(_done: None) -> None:
    """A run in which nothing happens."""
