"""Finds the processes of a run on this machine: by mark, by group, by descent, by where they work.

Four ways, since each has a hole: a daemon leaves its group, PostgreSQL's children leave the group
and overwrite the memory that shows their environment, an orphan has lost its parent, and only those
with a folder of the run's own can be told by it.
Signals are sent in ``ending.py``, never here.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import psutil

MARK = "HARNESS_RUN"
"""Stands in the environment of all that a run starts; its value is the run's mark."""

PART = "HARNESS_PROCESS"
"""Beside the mark: the name under which the process was started."""

# psutil derives the start time from the boot time, which moves a little when the clock is set.
_CREATED_TOLERANCE = 1.0

# psutil keeps what it listed before in a table of its own, and services are ended side by side.
_listing = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A process group we started: its number, and when its leader, the process of that number, was."""

    pgid: int
    created: float

    def is_ours(self) -> bool:
        """False once the number was given to somebody else.

        It cannot be while a member is left, so a leader that is gone says nothing against it.
        """
        try:
            leader = psutil.Process(self.pgid)
            return bool(abs(leader.create_time() - self.created) < _CREATED_TOLERANCE)
        except psutil.Error:
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which processes to look for. ``part`` narrows the mark down to one started process.

    ``folders`` are the run's alone: whoever works in one of them belongs to it.
    """

    mark: str | None = None
    part: str | None = None
    groups: tuple[Group, ...] = ()
    folders: tuple[Path, ...] = ()
    spare: Collection[int] = ()


@dataclass(slots=True)
class _Seen:
    hits: list[psutil.Process] = field(default_factory=list)
    children: dict[int, list[psutil.Process]] = field(default_factory=dict)


def marked(mark: str) -> list[psutil.Process]:
    """The living processes that carry ``mark``, as far as this account may read environments."""
    return [process for process in _living() if carries(process, mark)]


def carries(process: psutil.Process, mark: str, part: str | None = None) -> bool:
    """True if the environment ``process`` was started with holds the mark (and the part)."""
    try:
        environment = process.environ()
    except (psutil.Error, OSError, ValueError):
        return False
    return environment.get(MARK) == mark and part in (None, environment.get(PART))


def find(wanted: Wanted) -> list[psutil.Process]:
    """The living processes with the mark, in one of the groups or folders, and their descendants."""
    # Each of our groups began as a session of its own; a shell's jobs have groups within it.
    sessions = {group.pgid for group in wanted.groups if group.is_ours()}
    spare = {os.getpid(), *wanted.spare}
    seen = _Seen()
    for process in _living():
        if process.pid in spare:
            continue
        try:
            parent, session = process.ppid(), os.getsid(process.pid)
        except (psutil.Error, OSError):
            continue
        seen.children.setdefault(parent, []).append(process)
        by_mark = wanted.mark is not None and carries(process, wanted.mark, wanted.part)
        if session in sessions or by_mark or _works_in(process, wanted.folders):
            seen.hits.append(process)
    return _with_descendants(seen)


def _works_in(process: psutil.Process, folders: tuple[Path, ...]) -> bool:
    if not folders:
        return False
    try:
        here = Path(process.cwd())
    except (psutil.Error, OSError):
        return False
    return any(here.is_relative_to(folder) for folder in folders)


def _with_descendants(seen: _Seen) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    ahead = list(seen.hits)
    while ahead:
        process = ahead.pop()
        if process.pid not in found:
            found[process.pid] = process
            ahead.extend(seen.children.get(process.pid, ()))
    return list(found.values())


def is_living(process: psutil.Process) -> bool:
    """False for one that ended, also if nobody has asked for its exit code yet (a zombie)."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def _living() -> list[psutil.Process]:
    with _listing:
        found = list(psutil.process_iter())
    return [process for process in found if is_living(process)]
