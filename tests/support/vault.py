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
    store: dict[str, str] | None = None,
) -> Path:
    """The experiment file of a copy in ``folder``; each map is text to replace: old to new.

    ``code`` changes ``app.py``, ``store`` the number behind it.
    """
    shutil.copytree(VAULT.parent, folder / "chaos")
    replace_in(folder / "chaos" / "vault" / "target.yaml", target or {})
    replace_in(folder / "chaos" / "vault" / "app.py", code or {})
    replace_in(folder / "chaos" / "vault" / "store.py", store or {})
    replace_in(folder / "chaos" / "vault.yaml", experiment or {})
    return folder / "chaos" / "vault.yaml"


def replace_in(file: Path, changes: dict[str, str]) -> None:
    """Replaces texts in a file; one that does not occur is an error of the test."""
    text = file.read_text()
    for old, new in changes.items():
        if old not in text:
            raise AssertionError(f"{file.name} has no {old!r}")
        text = text.replace(old, new)
    file.write_text(text)
