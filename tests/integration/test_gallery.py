"""Two rows of the gallery, run anew: one that is broken, one that is sound. And how the page is made."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_gallery import gallery_rows, name
from tests.support.bank import a_bank
from tests.support.cli import ROOT, harness

EXPERIMENT = "bank-overdraft"
VARIANTS = ("naive", "atomic")


def seen_in_the_gallery() -> dict[str, str]:
    """The first word of what was seen, by variant."""
    rows = [row for row in gallery_rows() if name(row["experiment"]) == EXPERIMENT]
    return {name(row["variant"]): row["seen"].partition(" ")[0] for row in rows}


@pytest.mark.engine("postgres")
def test_gallery_when_two_of_its_rows_run_anew_then_their_verdicts_are_the_same(tmp_path: Path):
    only = [part for variant in VARIANTS for part in ("--variant", variant)]
    ran = harness("run", a_bank(tmp_path), *only, "--rounds", "5", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    again = {run["variant"]: run["verdict"] for run in ran.json["runs"]}
    assert set(again.values()) == {"violated", "held"}
    told = seen_in_the_gallery()
    assert again == {variant: told[variant] for variant in VARIANTS}

    suite = tmp_path / "suite.json"
    suite.write_text(ran.out)
    made = subprocess.run(
        [sys.executable, ROOT / "scripts" / "gallery", suite],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "2 of 2 as expected" in made.stdout
    for variant in VARIANTS:
        assert f"| `{variant}` |" in made.stdout


def test_gallery_script_when_a_target_is_not_ours_then_it_says_so(tmp_path: Path):
    from harness.outputs.result_json import suite_bytes
    from tests.support.results import a_result

    suite = tmp_path / "suite.json"
    suite.write_bytes(suite_bytes([a_result(target="strange")]))
    made = subprocess.run(
        [sys.executable, ROOT / "scripts" / "gallery", suite], capture_output=True, text=True
    )
    assert (made.returncode, made.stdout) == (2, "")
    assert "strange" in made.stderr
    assert json.loads(suite.read_bytes())["runs"]
