"""Own keys win, mappings merge, circles and missing files are told where they are named."""

from pathlib import Path

import pytest

from harness.experiment.include import MAX_FILES, beside, read_file
from harness.experiment.nodes import find, plain
from harness.experiment.report import Report


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(**texts):
        for name, text in texts.items():
            Path(f"{name}.yaml").write_text(text)

    return write


def read(name="own"):
    report = Report()
    root = read_file(Path(f"{name}.yaml"), report)
    return root, plain(root), [f"{p.file}:{p.line}:{p.column} {p.found}" for p in report.problems]


def test_include_when_both_have_a_key_then_own_wins_and_mappings_merge(files):
    files(
        own="include: other.yaml\na: 1\nm: {x: 1, deep: {p: 1}}\nl: [1]\n",
        other="a: 2\nb: 3\nm: {x: 2, y: 2, deep: {q: 2}}\nl: [2, 3]\n",
    )
    root, value, wrong = read()
    assert value == {"a": 1, "b": 3, "l": [1], "m": {"x": 1, "y": 2, "deep": {"p": 1, "q": 2}}}
    assert wrong == []
    assert find(root, ("m", "deep", "q")).mark.file == "other.yaml"
    assert {entry.key.file for key, entry in root.entries.items() if key != "b"} == {"own.yaml"}


def test_include_when_a_list_then_later_files_win(files):
    files(own="include: [one.yaml, two.yaml]\n", one="a: 1\nb: 1\n", two="a: 2\n")
    assert read()[1] == {"a": 2, "b": 1}


def test_include_when_two_branches_share_a_file_then_that_is_no_circle(files):
    files(
        own="include: [one.yaml, two.yaml]\n",
        one="include: three.yaml\n",
        two="include: three.yaml\n",
        three="a: 3\n",
    )
    assert read()[1:] == ({"a": 3}, [])


def test_include_when_in_a_circle_then_is_told_where_it_closes(files):
    files(own="include: one.yaml\n", one="a: 1\ninclude: own.yaml\n")
    assert read()[2] == ["one.yaml:2:10 own.yaml includes itself in a circle"]


def test_include_when_missing_broken_or_no_path_then_is_told(files):
    files(own="include: [nowhere.yaml, broken.yaml, 3]\na: 1\n", broken="a: b: c\n")
    _, value, wrong = read()
    assert value == {"a": 1}
    assert [line.split(" ")[0] for line in wrong] == [
        "broken.yaml:1:5", "own.yaml:1:11", "own.yaml:1:38"
    ]  # fmt: skip


def test_include_when_the_chain_is_endless_then_is_bounded(files):
    files(**{f"f{i}": f"include: f{i + 1}.yaml\n" for i in range(MAX_FILES + 5)})
    files(**{f"f{MAX_FILES + 5}": "a: 1\n"})
    assert f"more than {MAX_FILES} files" in read("f0")[2][0]


def test_beside_when_a_path_goes_up_then_is_shortened(tmp_path):
    assert beside(Path("experiments/a.yaml"), "../targets/bank") == Path("targets/bank")
    assert beside(Path("a.yaml"), "../b") == Path("../b")
    assert beside(Path("a/b.yaml"), "/abs") == Path("/abs")
    assert beside(Path("a.yaml"), "nul\0") is None
    (tmp_path / "link").symlink_to(tmp_path)
    assert beside(tmp_path / "link" / "a.yaml", "../b") == tmp_path / "link" / ".." / "b"
