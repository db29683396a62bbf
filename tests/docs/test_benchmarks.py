"""Each benchmark still loads: a call that has changed shows here, not on the day of measuring."""

import runpy

import pytest

from tests.support.cli import ROOT

BENCHMARKS = sorted((ROOT / "benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda file: file.stem)
def test_benchmark_when_loaded_then_has_a_main_and_runs_nothing(
    file, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(str(ROOT))
    assert callable(runpy.run_path(str(file), run_name="loaded")["main"])


def test_benchmarks_when_listed_then_the_documentation_names_each():
    pages = (ROOT / "benchmarks" / "README.md").read_text() + (
        ROOT / "docs" / "benchmarks.md"
    ).read_text()
    assert [file.stem for file in BENCHMARKS if file.stem not in pages] == []
