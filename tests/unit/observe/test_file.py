"""The probe ``file``: its counts, its refusals, and its limits."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.connections.pool import Connections
from harness.kinds import to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.model.units import Duration
from harness.observe import PROBES
from harness.observe import file as file_module
from harness.observe.file import File, counted
from harness.observe.read import Reading
from harness.observe.records import Records
from tests.support.sources import sources_at

FORM = r"(?P<id>\w+) begin\n(?P=id) end"


def read(folder: Path, count: str = "whole", *, record: str = FORM, **more: Any) -> Reading:
    params = {"file": "{folder}/report.log", "record": record, "count": count, **more}
    plan = ProbePlan(name="torn", kind="file", on="", params=params)
    probe = File.make(plan, {"folder": str(folder)}, sources_at())
    return asyncio.run(probe.read(Connections({})))


def test_the_kind_when_looked_up_then_is_found_under_its_word_and_asks_nobody() -> None:
    assert PROBES["file"] is File
    assert File.speaks == ""


@pytest.mark.parametrize(
    ("count", "value"),
    [
        ("whole", 4),
        ("torn", 1),
        ("lines", 9),
        ("ids", [1, 3, "x", 3]),
        ("doubled", 1),
    ],
)
def test_a_file_when_counted_then_says_what_was_asked(
    tmp_path: Path, count: str, value: Any
) -> None:
    (tmp_path / "report.log").write_text(
        "".join(f"{each} begin\n{each} end\n" for each in "13x3") + "4 begin\n"
    )
    assert read(tmp_path, count).value == value


def test_a_file_when_ids_are_missing_then_they_are_counted_up_to_the_last(tmp_path: Path) -> None:
    (tmp_path / "report.log").write_text("1 begin\n1 end\n3 begin\n3 end\n9 begin\n9 end\n")
    assert [read(tmp_path, "missing", of=of).value for of in (1, 3, 5)] == [0, 1, 3]


def missing(of: int, *ids: str) -> Any:
    asked = to_params(File.Params, {"file": "/x", "record": FORM, "count": "missing", "of": of})
    return counted(Records(whole=len(ids), torn=0, lines=0, ids=[*ids]), asked)


def test_ids_when_padded_with_zeros_then_count_by_their_numbers() -> None:
    assert missing(3, "001", "002", "2", "x", "0", "000", "004") == 1
    assert missing(10, *(f"{n:06}" for n in range(1, 11))) == 0
    assert missing(3, "0" * 5_000 + "1", "9" * 5_000, "٢", "-3") == 2


@pytest.mark.timeout(30)
def test_ids_when_as_many_should_be_there_as_no_memory_holds_then_are_counted_all_the_same() -> (
    None
):
    assert missing(10**15, "1", "7") == 10**15 - 2


@pytest.mark.parametrize(("count", "value"), [("whole", 0), ("torn", 0), ("ids", [])])
def test_a_file_when_not_there_then_has_no_records(tmp_path: Path, count: str, value: Any) -> None:
    assert read(tmp_path, count).value == value
    assert read(tmp_path, "missing", of=10).value == 10


def test_ids_when_no_whole_numbers_as_programs_write_them_then_stay_texts() -> None:
    asked = to_params(File.Params, {"file": "/x", "record": "(?P<id>.)", "count": "ids"})
    found = Records(whole=4, torn=0, lines=4, ids=["7", "07", "-7", "٧"])
    assert counted(found, asked) == [7, "07", "-7", "٧"]


def test_a_file_when_it_cannot_be_read_then_the_systems_own_words(tmp_path: Path) -> None:
    (tmp_path / "report.log").mkdir()
    with pytest.raises(TargetError, match=r"^probe torn: file .*: cannot be read: Is a directory"):
        read(tmp_path)


def test_a_file_when_too_large_then_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "MOST_BYTES", 10)
    (tmp_path / "report.log").write_text("x" * 11)
    with pytest.raises(TargetError, match="is larger than"):
        read(tmp_path)


def test_a_record_when_matching_takes_for_ever_then_it_is_ended_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "PROBE_LIMIT", Duration.of_ms(300))
    (tmp_path / "report.log").write_text("a" * 60)
    with pytest.raises(TargetError, match=r"took longer than 300 ms.*\n.*repetition") as raised:
        read(tmp_path, record=r"(a+)+b")
    assert "report.log" in str(raised.value)


def test_a_path_when_not_absolute_then_says_where_files_belong(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"report.log.*absolute(.|\n)*\{folder\}"):
        read(tmp_path, file="report.log")


def test_a_path_when_it_has_a_placeholder_without_a_value_then_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'other' has no value"):
        read(tmp_path, file="{other}/report.log")
    with pytest.raises(UserError, match="probe torn: "):
        read(tmp_path, file="{folder")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"record": "a(", "count": "whole"}, "record: 'a(' is no regular expression: missing )"),
        ({"record": "a", "count": "ids"}, "record: ids needs the ids of the records; name"),
        ({"record": "a", "count": "doubled"}, "record: doubled needs the ids"),
        ({"record": FORM, "count": "missing"}, "count: missing needs to know how many"),
        ({"record": FORM, "count": "missing", "of": 0}, "of: 0 records cannot be missed"),
        ({"record": FORM, "count": "torn", "of": 3}, "of: says nothing to torn"),
    ],
)
def test_attributes_when_they_do_not_fit_then_the_one_to_blame_is_named(
    params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as raised:
        File.Params(file="/x", **params)
    assert str(raised.value).startswith(message)
