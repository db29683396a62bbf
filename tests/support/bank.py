"""Copies of the bank that we ship with one thing changed, for what happens with a real database."""

import shutil
from pathlib import Path

from tests.support.cli import BANK, ROOT
from tests.support.vault import replace_in


def a_bank(
    folder: Path,
    *,
    target: dict[str, str] | None = None,
    experiment: dict[str, str] | None = None,
    code: dict[str, str] | None = None,
    reset: dict[str, str] | None = None,
) -> Path:
    """The experiment file of a copy in ``folder``; each map is text to replace: old to new.

    ``code`` changes ``app.py``, ``reset`` the SQL script.
    """
    shutil.copytree(ROOT / "targets" / "bank", folder / "targets" / "bank")
    (folder / "experiments").mkdir()
    file = folder / "experiments" / BANK.name
    shutil.copy(BANK, file)
    bank = folder / "targets" / "bank"
    replace_in(bank / "target.yaml", target or {})
    replace_in(bank / "app.py", code or {})
    replace_in(bank / "reset.sql", reset or {})
    replace_in(file, experiment or {})
    return file
