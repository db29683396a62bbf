"""Folders outside the run's own, for data that an unprivileged account writes and no run keeps.

Their names hold the run's mark, so that whoever cleans up after a crash finds them.
"""

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from harness.model.errors import UserError
from harness.processes.account import Account, can_reach

_NAME = r"harness-{mark}-[a-z]+-[a-z0-9_]{{8}}"


def places() -> list[Path]:
    """Where scratch folders may be: the system's folder for such, and the two that all may enter."""
    found = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - places to look, not names
    return [path for path in dict.fromkeys(path.resolve() for path in found) if path.is_dir()]


def make_scratch(mark: str, label: str, *, account: Account | None) -> Path:
    """A new folder of mode 0700, owned by ``account`` if there is one. ``label``: small letters.

    Raises:
        UserError: no place for it that the account can reach and we can write.
    """
    problem: OSError | None = None
    for place in places():
        if account is not None and not can_reach(place, account):
            continue
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"harness-{mark}-{label}-", dir=place))
            if account is not None:
                os.chown(folder, account.uid, account.gid)
        except OSError as error:
            problem = error
            continue
        return folder
    looked = ", ".join(str(place) for place in places())
    raise UserError(
        f"No folder for temporary data could be made in {looked}: {problem or 'none can be entered'}.",
        hint="Set TMPDIR to a folder that every account may enter.",
    )


def scratch_of(mark: str) -> list[Path]:
    """The scratch folders of the run ``mark`` that are left; never a link to somewhere else."""
    name = re.compile(_NAME.format(mark=re.escape(mark)))
    found: list[Path] = []
    for place in places():
        try:
            entries = list(os.scandir(place))
        except OSError:
            continue
        found.extend(
            Path(entry.path)
            for entry in entries
            if name.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        )
    return found


def remove_scratch(folder: Path) -> bool:
    """Removes ``folder`` with all in it; True when it is gone. Safe to repeat."""
    if folder.is_symlink() or (folder.exists() and not stat.S_ISDIR(folder.lstat().st_mode)):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
