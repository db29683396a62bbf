"""The files beside a journal: their names, what they hold, and that they can be made again from it."""

import csv
import io

import msgspec
import pytest

from harness.cli.report import run as report
from harness.journal.lines import encode
from harness.judge.fold import folded
from harness.model.events import RunFinished
from harness.outputs.result_json import result_bytes
from harness.outputs.run_files import PICTURE, run_files
from harness.runner.suite import write_files
from tests.support.breaker_histories import Story
from tests.support.breaker_journals import a_breaker_plan, a_breaker_run
from tests.support.journals import a_run
from tests.support.results import a_result

CALLS = "breaker-calls.csv"
FIELDS = [
    "rid",
    "key",
    "phase",
    "due",
    "sent",
    "answered",
    "end",
    "status",
    "class",
    "flags",
    "arrivals",
    "arrived",
    "ended",
    "arrival_end",
    "arrival_status",
    "injected",
]


def a_story():
    story = Story(baseline=20)
    story.phase(5, "outage", fault="status")
    story.write("5F 3R", injected=("http_status", "latency"))
    story.call("S", at=200, arrivals=[{"at": 201, "ended": 204}, {"at": 206, "ended": 210}])
    story.call("H", at=230, key='shop "9", Köln\nand more')
    return story


def files_of(events):
    followed = folded(events)
    return run_files(followed.result(), followed.cases())


def table(content):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_files_when_the_run_judged_a_breaker_then_are_result_picture_and_calls():
    files = files_of(a_breaker_run(a_story().history()))
    assert list(files) == ["result.json", PICTURE, CALLS]
    assert files[PICTURE].startswith(b"<svg ")


def test_files_when_the_run_judged_none_then_is_the_result_alone():
    assert run_files(a_result(), iter(())) == {"result.json": result_bytes(a_result())}
    assert list(files_of(a_run(1))) == ["result.json"]


def test_result_when_written_then_names_the_table_that_lies_beside_it():
    files = files_of(a_breaker_run(a_story().history()))
    result = msgspec.json.decode(files["result.json"])
    assert result["breaker"]["cases"] in files


def test_files_when_no_call_was_made_then_have_no_picture_and_a_table_without_rows():
    story = Story(baseline=0)
    story.phase(1, "baseline")
    files = files_of(a_breaker_run(story.history()))
    assert PICTURE not in files
    assert files[CALLS].decode() == ",".join(FIELDS) + "\n"


def test_files_when_the_clock_was_broken_then_there_is_no_picture_of_what_was_not_judged():
    story = a_story()
    story.call("S", at=300, lasts=-5)
    files = files_of(a_breaker_run(story.history()))
    assert PICTURE not in files
    assert table(files[CALLS]) == []
    assert b"clock is broken" in files["result.json"]


def test_table_when_read_then_has_the_columns_and_one_row_a_call():
    history = a_story().history()
    rows = table(files_of(a_breaker_run(history))[CALLS])
    assert list(rows[0]) == FIELDS
    assert [row["rid"] for row in rows] == [call.rid for call in history.calls]


def test_table_when_read_then_each_row_is_the_call_as_judged():
    rows = table(files_of(a_breaker_run(a_story().history()))[CALLS])
    failed, rejected, twice, hung = rows[20], rows[25], rows[-2], rows[-1]
    assert (failed["class"], failed["arrivals"], failed["arrival_status"]) == (
        "forwarded-failed",
        "1",
        "500",
    )
    assert failed["injected"] == "http_status latency"
    assert float(failed["arrived"]) > float(failed["sent"])
    assert (rejected["class"], rejected["arrivals"], rejected["arrived"]) == (
        "short-circuited",
        "0",
        "",
    )
    assert (hung["answered"], hung["end"], hung["arrival_end"]) == ("", "open", "open")
    assert hung["key"] == 'shop "9", Köln\nand more'
    assert twice["arrivals"] == "2"
    assert float(twice["arrived"]) - float(twice["sent"]) == pytest.approx(0.006)


def test_picture_when_drawn_then_bears_experiment_variant_and_verdict():
    history = a_story().history()
    for variant, title in (("sound", "checkout · sound"), (None, "checkout")):
        events = a_breaker_run(history, plan=a_breaker_plan(history, variant=variant))
        result = folded(events).result()
        picture = files_of(events)[PICTURE].decode()
        assert f"<title>{title}</title>" in picture
        assert f"<desc>{result.verdict}: " in picture


@pytest.mark.parametrize(
    ("verdict", "reason", "told"),
    [
        ("held", "held on 14 of 26", "held on 14 of 26"),
        ("violated", "BRK-01: never", "violated: BRK-01: never"),
        ("error", "", "error"),
    ],
)
def test_caption_when_the_reason_says_the_verdict_then_it_is_not_said_twice(verdict, reason, told):
    followed = folded(a_breaker_run(a_story().history()))
    result = msgspec.structs.replace(followed.result(), verdict=verdict, reason=reason)
    assert f"<desc>{told}</desc>" in run_files(result, followed.cases())[PICTURE].decode()


# Made again


def a_folder(tmp_path, events):
    (tmp_path / "journal.jsonl").write_bytes(b"".join(map(encode, events)))
    return tmp_path


def report_of(folder):
    class Arguments:
        run, runs, json, no_color = str(folder), folder, True, True

    return report(Arguments())


def test_report_when_made_of_the_journal_alone_then_makes_every_file_again_byte_for_byte(
    tmp_path, capfdbinary
):
    events = a_breaker_run(a_story().history())
    live = files_of(events)
    folder = a_folder(tmp_path, events)
    report_of(folder)
    capfdbinary.readouterr()
    again = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name: again[name] for name in live} == live
    assert set(again) == {*live, "journal.jsonl"}


def test_files_when_made_twice_then_are_the_same():
    events = a_breaker_run(a_story().history())
    assert files_of(events) == files_of(events)


def test_files_when_one_cannot_be_written_then_the_others_are(tmp_path):
    (tmp_path / PICTURE).mkdir()
    write_files(tmp_path, files_of(a_breaker_run(a_story().history())))
    assert (tmp_path / "result.json").is_file() and (tmp_path / CALLS).is_file()


def test_files_when_the_run_was_torn_then_are_made_of_what_is_there():
    events = a_breaker_run(a_story().history(), finished=False)
    assert not any(isinstance(event, RunFinished) for event in events)
    assert set(files_of(events)) == {"result.json", PICTURE, CALLS}
