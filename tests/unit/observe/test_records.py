"""Whole and torn records, found in any text; and the file as the program that it also is."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.observe import records
from harness.observe.records import Records, scan

FORM = re.compile(r"(?P<id>\d+): begin\n(?P=id): middle\n(?P=id): end", re.MULTILINE)


def written(number: int) -> str:
    return "".join(f"{number}: {part}\n" for part in ("begin", "middle", "end"))


@given(st.permutations(range(1, 8)), st.integers(0, 7))
def test_records_when_whole_then_none_is_torn_in_any_order(order: list[int], many: int) -> None:
    chosen = order[:many]
    found = scan("".join(map(written, chosen)), FORM)
    assert found == Records(whole=many, torn=0, lines=3 * many, ids=[str(n) for n in chosen])


@given(st.data())
def test_records_when_one_is_written_into_another_then_something_is_torn(data: Any) -> None:
    first, second = written(1), written(2)
    cut = data.draw(st.integers(1, len(first) - 1))
    text = written(3) + first[:cut] + second + first[cut:] + written(4)
    found = scan(text, FORM)
    assert found.torn > 0
    assert "1" not in found.ids
    assert {"3", "4"} <= {*found.ids}


@given(st.data())
def test_records_when_two_are_interleaved_in_pieces_then_something_is_torn(data: Any) -> None:
    """Whole runs of either are no interleaving; everything else is seen."""
    texts = {"1": written(1), "2": written(2)}
    steps = [*"1" * len(texts["1"]), *"2" * len(texts["2"])]
    taken = {"1": 0, "2": 0}
    text = ""
    for which in data.draw(st.permutations(steps)):
        text += texts[which][taken[which]]
        taken[which] += 1
    apart = text in (written(1) + written(2), written(2) + written(1))
    assert (scan(text, FORM).torn == 0) is apart


@given(st.lists(st.sampled_from([written(1), written(2), "junk\n", "\n", "1: begin\n"])))
def test_lines_when_counted_then_each_is_of_a_record_or_torn(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = scan(text, FORM)
    assert found.lines == text.count("\n") == 3 * found.whole + found.torn


@pytest.mark.parametrize(
    ("text", "whole", "torn"),
    [
        pytest.param("", 0, 0, id="empty"),
        pytest.param("a 1\na 2", 2, 0, id="no-line-feed-at-the-end"),
        pytest.param("a 1\r\na 2\r\n", 2, 0, id="windows"),
        pytest.param("a 1\na 2 a 3\na 4\n", 2, 1, id="two-on-one-line"),
        pytest.param("x a 1\n", 0, 1, id="not-at-the-beginning"),
        pytest.param("\n\n", 0, 2, id="empty-lines"),
        pytest.param("a 1\na ", 1, 1, id="cut"),
    ],
)
def test_a_record_when_of_one_line_then_fills_it(text: str, whole: int, torn: int) -> None:
    found = scan(text, re.compile(r"a \d", re.MULTILINE))
    assert (found.whole, found.torn) == (whole, torn)
    assert found.ids == []


@pytest.mark.parametrize("form", [r"a \d$", r"^a \d\n", r"(?s)a .", r"(?x) a\ \d  # one"])
def test_a_record_when_its_form_says_line_ends_itself_then_the_same(form: str) -> None:
    found = scan("a 1\na 2\nb\n", re.compile(form, re.MULTILINE))
    assert (found.whole, found.torn, found.lines) == (2, 1, 3)


@pytest.mark.parametrize(
    "form",
    [
        r"(?P<id>\d+) (ok|ok late)",
        r"(?P<id>\d+) ok.*?",
        r"(?P<id>\d+?) ok( late)??",
        r"|(?P<id>\d+) (ok|ok late)\r?",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_record_when_one_way_to_match_stops_within_the_line_then_the_others_are_tried(
    form: str, end: str
) -> None:
    lines = ["1 ok", "2 ok late", "x 3 ok", "4 o", "5 ok late"]
    found = scan(end.join(lines), re.compile(form, re.MULTILINE))
    assert (found.whole, found.torn, found.lines, found.ids) == (3, 2, 5, ["1", "2", "5"])


def test_a_record_when_its_last_line_has_more_than_one_way_then_the_whole_record_is_found() -> None:
    form = re.compile(r"a (?P<id>\d)\n(b|b c)", re.MULTILINE)
    found = scan("a 1\nb c\na 2\nb\na 3\nb d\n", form)
    assert (found.whole, found.torn, found.ids) == (2, 2, ["1", "2"])


def test_a_record_when_its_form_matches_nothing_at_all_then_every_line_is_torn() -> None:
    assert scan("a\nb\n", re.compile("", re.MULTILINE)) == Records(0, 2, 2, [])


@given(st.text(), st.sampled_from(["a*", "(?P<id>.)?", r"\n", r"[^\n]*\n?", "^$", "x|"]))
def test_any_text_when_scanned_then_comes_to_an_end_with_every_line_counted(
    text: str, form: str
) -> None:
    found = scan(text, re.compile(form, re.MULTILINE))
    assert found.lines == text.count("\n") + (text != "" and not text.endswith("\n"))


def as_program(**asked: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", records.__file__],
        input=json.dumps({"record": "a", "most": 100, "limit": 10, **asked}).encode(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_program_when_asked_of_a_file_then_prints_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a\n\xff\na\n")
    assert as_program(file=str(tmp_path / "log")) == {
        "whole": 2,
        "torn": 1,
        "lines": 3,
        "ids": [],
    }


def test_the_program_when_the_file_is_none_to_be_read_then_says_which_way(tmp_path: Path) -> None:
    assert as_program(file=str(tmp_path / "log")) == {"absent": True}
    assert as_program(file=str(tmp_path)) == {"refused": "Is a directory"}
    (tmp_path / "log").write_bytes(b"a" * 101)
    assert as_program(file=str(tmp_path / "log")) == {"too_large": True}


@pytest.mark.slow
def test_the_program_when_matching_takes_for_ever_then_the_system_ends_it(tmp_path: Path) -> None:
    """Also when nobody is left who waits for it."""
    (tmp_path / "log").write_text("a" * 60)
    asked = {"file": str(tmp_path / "log"), "record": "(a+)+b", "most": 100, "limit": 1}
    done = subprocess.run(
        [sys.executable, "-I", "-S", records.__file__],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
