"""Several runs at a time: who may go when, and what comes of runs that end well, badly or not at all.

The runs are programs of a few lines that answer as the worker does.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.journal import lines
from harness.model.errors import HarnessBug, UserError
from harness.model.events import AnyEvent, RunStarted
from harness.model.plan import Plan
from harness.model.verdicts import Result
from harness.outputs.result_json import result_bytes
from harness.outputs.run_files import run_files
from harness.runner.side_by_side import run_side_by_side
from harness.runner.suite import SuiteOptions
from tests.support.journals import a_plan, a_run
from tests.support.results import a_result

replace = msgspec.structs.replace

# Says that it has begun, leaves marks for the others, and waits for theirs as it is told.
PROGRAM = """
import json, os, pathlib, sys, time
job = json.loads(sys.stdin.buffer.readline())
name = job["plan"]["experiment"]
here = pathlib.Path(job["runs"])
said = json.loads((here / "answers.json").read_text())[name]
if said.get("line"):
    sys.stdout.write(said["line"])
    sys.stdout.flush()
(here / (name + ".begun")).touch()
for other in said.get("wait_for", []):
    while not (here / (other + ".begun")).exists():
        time.sleep(0.01)
for other in said.get("not_beside", []):
    if (here / (other + ".begun")).exists() and not (here / (other + ".over")).exists():
        sys.exit("beside " + other)
(here / (name + ".over")).touch()
sys.stderr.write(said.get("error", ""))
sys.exit(said.get("code", 0))
"""


class AListener:
    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.results: list[Result] = []

    def handle(self, event: AnyEvent) -> None:
        raise AssertionError("each run has a listener of its own")

    def beside(self) -> Callable[[AnyEvent], None]:
        return self.events.append

    def judged(self, result: Result) -> None:
        self.results.append(result)


def a_plan_of(experiment: str, target: str) -> Plan:
    plan = a_plan()
    return replace(plan, experiment=experiment, target=replace(plan.target, file=target))


def begun(experiment: str) -> str:
    started = a_run(0)[0]
    assert isinstance(started, RunStarted)
    return lines.encode(replace(started, run=experiment)).decode()


@pytest.fixture
def crew(tmp_path: Path):
    """Runs plans, each an experiment on a target, whose processes answer as they are told."""

    def run(plans: dict[str, str], answers: dict[str, dict[str, object]], jobs: int = 2):
        told = {name: {"line": begun(name), **answers.get(name, {})} for name in plans}
        (tmp_path / "answers.json").write_text(json.dumps(told))
        for name in plans:
            (tmp_path / name).mkdir()
            (tmp_path / name / "journal.jsonl").write_text(begun(name).replace('"n":0', '"n":1'))
            found = a_result(run=name, experiment=name, exit_code=told[name].get("found", 0))
            if "code" not in told[name]:
                (tmp_path / name / "result.json").write_bytes(result_bytes(found))
        listener = AListener()
        options = SuiteOptions(runs=tmp_path, environment={}, write=run_files)
        work = run_side_by_side(
            [a_plan_of(name, target) for name, target in plans.items()],
            options,
            listener,
            jobs=jobs,
            worker=[sys.executable, "-c", PROGRAM],
        )
        return asyncio.run(work), listener

    return run


def test_run_side_by_side_when_two_share_nothing_then_they_go_on_at_a_time(crew) -> None:
    answers = {"a": {"wait_for": ["b"]}, "b": {"wait_for": ["a"]}}
    results, listener = crew({"a": "one", "b": "two"}, answers)
    assert [result.run for result, _ in results] == ["a", "b"]
    assert {event.run for event in listener.events} == {"a", "b"}
    assert sorted(result.run for result in listener.results) == ["a", "b"]


def test_run_side_by_side_when_two_share_a_target_then_another_goes_before_the_second(crew) -> None:
    answers = {
        "a": {"wait_for": ["c"]},
        "b": {"not_beside": ["a"]},
        "c": {"wait_for": ["a"]},
    }
    results, _ = crew({"a": "one", "b": "one", "c": "two"}, answers)
    assert [result.run for result, _ in results] == ["a", "b", "c"], "in the order of the plans"


def test_run_side_by_side_when_there_are_more_than_jobs_then_they_wait(crew) -> None:
    plans = {name: name for name in "abcd"}
    answers = {name: {"not_beside": [o for o in plans if o != name]} for name in plans}
    results, _ = crew(plans, answers, jobs=1)
    assert len(results) == 4


def test_run_side_by_side_when_a_target_is_held_by_another_run_then_the_user_is_told(crew) -> None:
    answers = {"a": {"code": 2, "error": "another run is using this target", "line": ""}}
    with pytest.raises(UserError, match="another run is using this target"):
        crew({"a": "one", "b": "two"}, answers)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"code": 5, "error": "Traceback"}, id="failed"),
        pytest.param({"code": 5, "error": "Traceback", "line": ""}, id="failed-at-once"),
        pytest.param({"code": 0, "error": "Traceback", "line": ""}, id="never-began"),
    ],
)
def test_run_side_by_side_when_a_run_fails_through_us_then_it_is_a_bug(crew, answer) -> None:
    with pytest.raises(HarnessBug, match="Traceback"):
        crew({"a": "one", "b": "two"}, {"a": answer})


def test_run_side_by_side_when_a_foreign_kind_prints_then_the_run_is_not_lost(crew) -> None:
    results, listener = crew({"a": "one", "b": "two"}, {"a": {"line": f"hello\n{begun('a')}"}})
    assert len(results) == len(listener.events) == 2


@pytest.mark.parametrize("code", [2, 130], ids=["refused", "interrupted"])
def test_run_side_by_side_when_going_on_makes_no_sense_then_no_other_begins(
    crew, tmp_path: Path, code: int
) -> None:
    results, _ = crew({"a": "one", "b": "one"}, {"a": {"found": code}})
    assert [result.run for result, _ in results] == ["a"]
    assert not (tmp_path / "b.begun").exists()


def test_run_side_by_side_when_a_run_was_killed_then_its_journal_is_judged_and_others_go_on(
    crew, tmp_path: Path
) -> None:
    results, listener = crew({"a": "one", "b": "one"}, {"a": {"code": 137}})
    assert [result.exit_code for result, _ in results] == [5, 0]
    assert "ends before the run did" in results[0][0].reason
    assert (tmp_path / "a" / "result.json").read_bytes() == result_bytes(results[0][0])
    assert len(listener.results) == 2


def test_run_side_by_side_when_a_listener_raises_then_the_result_comes_all_the_same(
    crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(_self: AListener) -> Callable[[AnyEvent], None]:
        return lambda _event: {}["lost"]

    monkeypatch.setattr(AListener, "beside", raising)
    results, _ = crew({"a": "one", "b": "two"}, {})
    assert len(results) == 2
