"""Copies of the till target with some things changed: its breaker's declaration, or its code."""

import shutil
from pathlib import Path

from tests.support.cli import ROOT
from tests.support.vault import replace_in

TILL = ROOT / "tests" / "breakers" / "till.yaml"


def a_till(
    folder: Path,
    *,
    phases: str | None = None,
    experiment: dict[str, str] | None = None,
    target: dict[str, str] | None = None,
    code: dict[str, str] | None = None,
) -> Path:
    """The experiment file of a copy in ``folder``; each map is text to replace: old to new.

    ``phases`` are those to run, with commas between; without them the file's own.
    """
    shutil.copytree(TILL.parent, folder / "chaos")
    file = folder / "chaos" / "till.yaml"
    if phases is not None:
        own = next(line for line in file.read_text().splitlines() if "phases:" in line)
        replace_in(file, {own: f"  phases: [{phases}]"})
    replace_in(file, experiment or {})
    replace_in(folder / "chaos" / "till" / "target.yaml", target or {})
    replace_in(folder / "chaos" / "till" / "app.py", code or {})
    return file
