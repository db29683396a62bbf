"""The unprivileged account for programs that refuse to run as root, and what it can reach."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import UserError

# ``nobody`` is on every Linux and macOS; ``daemon`` is what some minimal images keep instead.
_NAMES = ("nobody", "daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account to start a process as."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """None when we are not root: then there is nothing to drop.

    Raises:
        UserError: we are root and the machine knows no unprivileged account.
    """
    if os.geteuid() != 0:
        return None
    for name in _NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise UserError(
        f"PostgreSQL refuses to run as root, and this machine has no account {' or '.join(_NAMES)}.",
        hint="Add one (useradd --system nobody), or run as an ordinary user.",
    )


def can_reach(path: Path, account: Account) -> bool:
    """True if ``account`` may enter every folder on the way to ``path``, and ``path`` itself."""
    resolved = path.resolve()
    return all(_may_enter(folder, account) for folder in (*resolved.parents, resolved))


def _may_enter(path: Path, account: Account) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
