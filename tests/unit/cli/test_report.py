"""``harness report``: the verdict comes from the journal alone, whatever lies beside it."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.cli import main
from harness.journal.lines import encode
from harness.model.events import (
    AnyEvent,
    FaultApplied,
    FaultNotUndone,
    FaultUndone,
    HarnessFailed,
    HopClosed,
    ProbeRead,
    ProcessEnded,
)
from tests.support.journals import a, a_run, changed, numbered

RUN = "2026-11-25T10-12-31-bank-overdraft-atomic"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, under the working directory as a user has it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    return Path("runs")


def written(runs: Path, events: Iterable[AnyEvent], run: str = RUN) -> Path:
    folder = runs / run
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(b"".join(map(encode, events)))
    return folder


def test_report_when_given_a_folder_then_prints_the_verdict_and_writes_the_result(
    runs: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    folder = written(runs, a_run(20))
    assert main(["report", str(folder)]) == 0
    assert capsys.readouterr().out == snapshot
    assert json.loads((folder / "result.json").read_text())["verdict"] == "held"


def test_report_when_given_an_id_then_it_is_found_under_runs(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(runs, a_run(3))
    assert main(["report", RUN, "--json"]) == 0
    suite = json.loads(capsys.readouterr().out)
    assert (suite["verdict"], suite["exit_code"], len(suite["runs"])) == ("held", 0, 1)


def test_report_when_run_twice_then_the_bytes_are_the_same(runs: Path) -> None:
    folder = written(runs, a_run(3))
    main(["report", str(folder)])
    first = (folder / "result.json").read_bytes()
    (folder / "result.json").unlink()
    main(["report", str(folder)])
    assert (folder / "result.json").read_bytes() == first


def test_report_when_one_event_was_edited_then_another_verdict(runs: Path) -> None:
    edited = changed(a_run(3), a(ProbeRead, purpose="at-end", round=2), value=90)
    folder = written(runs, edited)
    (folder / "result.json").write_text('{"verdict": "held"}')
    assert main(["report", str(folder)]) == 1
    assert json.loads((folder / "result.json").read_text())["verdict"] == "violated"


def test_report_when_the_last_line_is_torn_then_it_says_so_and_is_no_pass(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(runs, a_run(3))
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-10])
    assert main(["report", str(folder)]) != 0
    said = capsys.readouterr()
    assert "was not finished" in said.err
    assert "held   " not in said.out


def test_report_when_the_run_is_unknown_then_the_nearest_ids_and_exit_2(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(runs, a_run(1))
    written(runs, a_run(1), run="2026-01-01T00-00-00-other")
    assert main(["report", RUN.replace("atomic", "atomc")]) == 2
    said = capsys.readouterr().err
    assert f"The nearest: {RUN}" in said
    assert "Traceback" not in said


def test_report_when_there_are_no_runs_then_it_says_so(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "anything"]) == 2
    assert "There are no runs in runs/ yet." in capsys.readouterr().err


def test_report_when_the_result_cannot_be_written_then_the_verdict_is_printed_all_the_same(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(runs, a_run(3))
    (folder / "result.json").mkdir()
    assert main(["report", str(folder)]) == 0
    said = capsys.readouterr()
    assert "not rewritten" in said.err
    assert "as expected" in said.out


BROKEN_OFF = a_run(3)[: 1 + [isinstance(each, FaultApplied) for each in a_run(3)].index(True)]
IN_FORCE = BROKEN_OFF[-1]
assert isinstance(IN_FORCE, FaultApplied)


def killed(runs: Path, *guardian: AnyEvent) -> Path:
    """A run that was killed with its first fault in force, and what its guardian wrote."""
    folder = written(runs, BROKEN_OFF)
    (folder / "guardian.jsonl").write_bytes(b"".join(map(encode, numbered(guardian))))
    return folder


ROLLED_BACK = HarnessFailed(what="the run", detail="it was killed, the guardian rolled it back")


def test_report_when_the_guardian_rolled_back_then_error_and_it_says_so(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undone = FaultUndone(
        fault=IN_FORCE.fault,
        round=IN_FORCE.round,
        asked=IN_FORCE.confirmed,
        confirmed=IN_FORCE.confirmed,
        found=True,
        by="guardian",
    )
    ended = ProcessEnded(name="app", pid=7, exit_code=None, expected=False)
    closed = HopClosed(hop="db", admin="http://h:1", proxy="p", found=True)
    folder = killed(runs, ended, undone, closed, ROLLED_BACK)
    assert main(["report", str(folder), "--json"]) == 5
    (result,) = json.loads(capsys.readouterr().out)["runs"]
    assert result["verdict"] == "error"
    assert "the guardian rolled it back" in result["reason"]
    assert "contradicts" not in result["reason"]
    assert result["not_undone"] == []


def test_report_when_the_guardian_could_not_undo_something_then_exit_6_and_the_command_is_last(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [
        FaultNotUndone(
            fault=name, round=number, because="no answer", remains=f"{name} of p", command=command
        )
        for name, number, command in [
            (IN_FORCE.fault, IN_FORCE.round, "curl -X DELETE http://h:1/proxies/p/toxics/t"),
            ("hop db", 0, "curl -X DELETE http://h:1/proxies/p"),
        ]
    ]
    folder = killed(runs, *left, ROLLED_BACK)
    assert main(["report", str(folder)]) == 6
    said = capsys.readouterr().out
    assert said.rstrip().endswith("curl -X DELETE http://h:1/proxies/p")
    result = json.loads((folder / "result.json").read_text())
    assert len(result["not_undone"]) == 2
    assert "contradicts" not in result["reason"]
    assert "the guardian rolled it back" in result["reason"]
