"""Text to a tree, or a problem with its place; whatever the bytes are."""

import os

from harness.experiment.nodes import plain
from harness.experiment.report import Report
from harness.experiment.source import MAX_BYTES, Unreadable, parse, read_text


def read(path):
    report = Report()
    try:
        return read_text(path, path.name, report), report
    except Unreadable:
        (problem,) = report.problems
        return None, problem


def parsed(text):
    report = Report()
    try:
        return plain(parse(text, "f", report)), report
    except Unreadable:
        return None, report


def test_read_when_there_is_no_file_or_a_directory_then_says_so(tmp_path):
    assert str(read(tmp_path / "a.yaml")[1]) == "a.yaml: there is no such file."
    (tmp_path / "b.yaml").mkdir()
    assert "this is a directory" in read(tmp_path / "b.yaml")[1].found


def test_read_when_not_utf8_then_names_byte_and_place(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xe9t\xe9\n")
    problem = read(path)[1]
    assert (problem.line, problem.column) == (2, 4)
    assert "0xe9" in problem.found


def test_read_when_too_large_then_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.touch()
    os.truncate(path, 1 << 40)  # sparse: reading it whole would not end
    assert f"{MAX_BYTES // 1024} KiB" in read(path)[1].found


def test_read_when_it_begins_with_a_byte_order_mark_then_that_is_left_out(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read(path)[0] == "a: 1"


def test_parse_when_values_nest_too_deep_then_is_refused():
    value, report = parsed("a: " + "[" * 50_000)
    assert value is None
    assert "more than 40 levels" in report.problems[0].found


def test_parse_when_values_are_too_many_then_is_refused(monkeypatch):
    monkeypatch.setattr("harness.experiment.source.MAX_NODES", 100)
    value, report = parsed("a: [" + "1," * 200 + "]")
    assert value is None
    assert "more than 100 values" in report.problems[0].found


def test_parse_when_aliases_would_multiply_then_nothing_is_expanded():
    laughs = "a: &a [x, x]\n" + "\n".join(
        f"{new}: &{new} [*{old}, *{old}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    value, report = parsed(laughs)
    assert value == {"a": ["x", "x"], **{key: [] for key in "bcdefghi"}}
    assert len(report) == 9 + 16


def test_parse_when_a_character_is_not_allowed_then_its_place_is_told():
    _, report = parsed("a: 1\nb: x\x01")
    (problem,) = report.problems
    assert (problem.line, problem.column) == (2, 5)
    assert "U+0001" in problem.found


def test_parse_when_the_parser_itself_fails_then_that_is_a_problem(monkeypatch):
    class Broken:
        def __init__(self, **settings):
            pass

        def parse(self, text):
            raise IndexError("odd")

    monkeypatch.setattr("harness.experiment.source.YAML", Broken)
    _, report = parsed("a: 1")
    assert "IndexError" in report.problems[0].found
