"""Which files are meant."""

import pytest

from harness.experiment.report import Report
from harness.experiment.search import experiment_files


@pytest.fixture
def folder(tmp_path):
    for name, text in {
        "b.yaml": "experiment: b\n",
        "a.yml": "experiment: a\n",
        "deep/c.yaml": "experiment: c\n",
        "broken.yaml": "experiment: x: y\n",
        "target.yaml": "target: t\n",
        "compose.yaml": "services: {experiment: {image: a}}\n",
        "template.yaml": "{{ experiment }}: {{ x\n",
        "inline.yaml": "experiment: i\ntarget: {target: t}\n",
        ".hidden/d.yaml": "experiment: d\n",
        "runs/e.yaml": "experiment: e\n",
        "notes.txt": "experiment: f\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(folder, *paths, **options):
    report = Report()
    found = experiment_files(paths, report, **options)
    return [str(path.relative_to(folder)) for path in found], report


def test_folder_when_searched_then_gives_experiments_in_order_and_broken_ones_too(folder):
    found, report = names(folder, folder)
    assert found == ["a.yml", "b.yaml", "broken.yaml", "inline.yaml", "deep/c.yaml"]
    assert not report


def test_folder_when_searched_for_targets_too_then_gives_both(folder):
    found, _ = names(folder, folder, words=("experiment", "target"))
    assert "target.yaml" in found and "compose.yaml" not in found


def test_file_when_named_twice_then_is_read_once(folder):
    found, _ = names(folder, folder / "b.yaml", folder / "deep" / ".." / "b.yaml", folder)
    assert found[0] == "b.yaml"
    assert [name for name in found if name.endswith("b.yaml")] == ["b.yaml"]


def test_folder_when_it_holds_none_then_that_is_told(tmp_path):
    _, report = names(tmp_path, tmp_path)
    assert "no file in this folder" in report.problems[0].found


def test_file_when_named_then_is_meant_whatever_it_is(tmp_path):
    assert names(tmp_path, tmp_path / "nowhere.txt")[0] == ["nowhere.txt"]
