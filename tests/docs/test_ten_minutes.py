"""The README's ten minutes, for real: its files as they stand, and a shop to test with them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.cli import Ran, harness
from tests.support.markdown import ROOT, blocks

SHOP = Path(__file__).parent / "shop"


def a_readers_folder(folder: Path) -> Path:
    """``shop/`` with the two YAML files of the README and what the reader has: the service."""
    shutil.copytree(SHOP, folder / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    named = [b for b in blocks(ROOT / "README.md") if b.info == ("yaml",) and b.named]
    assert [block.named for block in named] == ["shop/target.yaml", "shop/oversell.yaml"]
    for block in named:
        (folder / str(block.named)).write_text(block.text)
    return folder / "shop" / "oversell.yaml"


def by_name(ran: Ran) -> dict[str, str]:
    (run,) = json.loads(ran.out)["runs"]
    return {each["name"]: each["verdict"] for each in run["invariants"]}


@pytest.mark.engine("postgres")
def test_ten_minutes_when_followed_then_the_race_is_found_and_its_mending_holds(tmp_path: Path):
    file = a_readers_folder(tmp_path)
    assert harness("validate", file, cwd=tmp_path).code == 0
    planned = harness("run", file, "--dry-run", cwd=tmp_path)
    assert planned.code == 0 and "40 ms" in planned.out and planned.folders == (), planned
    arguments = ("run", file, "--rounds", "2", "--json")

    broken = harness(*arguments, cwd=tmp_path)
    assert broken.code == 1, broken
    assert by_name(broken)["never-negative"] == "violated", broken

    mended = harness(*arguments, cwd=tmp_path, env={"MENDED": "1"})
    assert mended.code == 0, mended
    assert set(by_name(mended).values()) == {"held"}, mended
