"""Copies of the vault target with one thing changed, for what happens when something is wrong."""

import shutil
from pathlib import Path

from tests.support.cli import VAULT


def a_vault(
    folder: Path,
    *,
    target: dict[str, str] | None = None,
    experiment: dict[str, str] | None = None,
    code: dict[str, str] | None = None,
) -> Path:
    """The experiment file of a copy in ``folder``; each map is text to replace: old to new.

    ``code`` changes ``app.py``. A text that does not occur is an error of the test.
    """
    shutil.copytree(VAULT.parent, folder / "chaos")
    _replace(folder / "chaos" / "vault" / "target.yaml", target or {})
    _replace(folder / "chaos" / "vault" / "app.py", code or {})
    _replace(folder / "chaos" / "vault.yaml", experiment or {})
    return folder / "chaos" / "vault.yaml"


def _replace(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text()
    for old, new in changes.items():
        if old not in text:
            raise AssertionError(f"{file.name} has no {old!r}")
        text = text.replace(old, new)
    file.write_text(text)
