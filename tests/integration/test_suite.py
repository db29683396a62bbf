"""A suite as a user runs it: a table for many runs, an early end for bugs that have shown themselves."""

import shutil
from pathlib import Path

import pytest

from tests.support.cli import VAULT, harness
from tests.support.vault import a_vault


def a_suite(folder: Path, *, rounds: int = 1) -> Path:
    """Two experiments on one target, both with both variants."""
    file = a_vault(folder, experiment={"rounds: 3": f"rounds: {rounds}"})
    again = file.read_text().replace("experiment: vault", "experiment: again")
    (file.parent / "again.yaml").write_text(again)
    return file.parent


def test_suite_when_it_has_four_runs_then_a_table_has_a_line_for_each_and_a_sum(tmp_path: Path):
    ran = harness("run", a_suite(tmp_path), "--seed", "7", cwd=tmp_path)
    assert ran.code == 0, ran
    table = ran.out.partition("experiment  variant")[2].splitlines()
    rows = [line.split() for line in table[1:5]]
    assert [row[:4] for row in rows] == [
        ["again", "naive", "violated", "conserved"],
        ["again", "atomic", "held", "held"],
        ["vault", "naive", "violated", "conserved"],
        ["vault", "atomic", "held", "held"],
    ]
    assert "4 of 4 as expected in" in ran.out and "seed 7" in ran.out
    assert "tested with" not in ran.out, "what is as expected is told in full"


def test_suite_when_a_variant_surprises_then_exit_1_and_it_alone_is_told_in_full(tmp_path: Path):
    suite = a_suite(tmp_path)
    file = suite / "again.yaml"
    file.write_text(file.read_text().replace("atomic: held", "atomic: violated"))
    ran = harness("run", suite, cwd=tmp_path)
    assert ran.code == 1, ran
    assert "3 of 4 as expected" in ran.out and "1 not as expected" in ran.out, ran
    assert ran.out.count("tested with") == 1
    (folder,) = (each for each in ran.folders if each.name.endswith("-again-atomic"))
    assert f"runs/{folder.name}/" in ran.out, "the folder to look into is named"


@pytest.mark.parametrize(
    ("options", "rounds"), [((), 5), (("--full",), 7)], ids=["as-it-is", "full"]
)
def test_run_when_an_expected_bug_shows_in_five_rounds_then_they_are_enough_unless_full(
    tmp_path: Path, options: tuple[str, ...], rounds: int
):
    arguments = ("--variant", "naive", "--rounds", "7", "--json", *options)
    ran = harness("run", VAULT, *arguments, cwd=tmp_path)
    assert ran.code == 0, ran
    (run,) = ran.json["runs"]
    assert (run["rounds"], run["planned_rounds"]) == (rounds, 7)
    assert run["run_ms"] > run["round_ms_p50"] > 0


def test_suite_when_a_copy_of_a_target_is_used_then_it_may_go_on_beside_the_first(tmp_path: Path):
    """What tells targets apart is their file: two checkouts do not wait for each other."""
    shutil.copytree(VAULT.parent, tmp_path / "copy")
    files = (a_vault(tmp_path), tmp_path / "copy" / "vault.yaml")
    ran = harness("run", *files, "--dry-run", "--jobs", "2", cwd=tmp_path)
    assert "up to 2 at a time" in " ".join(ran.out.split()), ran
