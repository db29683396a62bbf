"""Ends processes: asks first, kills after the grace, and looks again until none is left.

Blocks; callers with an event loop give it a thread. Whom to end is decided by ``marks.py``.
"""

import signal
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import psutil

from harness.model.units import Duration
from harness.processes.marks import Group, Wanted, find, is_living

Find = Callable[[], list[psutil.Process]]

_PAUSE = Duration.of_ms(10)
# A killed process is gone within milliseconds, unless it waits for a disk or a debugger.
_KILL_LIMIT = Duration.of_s(5)


def end(
    search: Find,
    *,
    grace: Duration,
    polite: Sequence[signal.Signals] = (signal.SIGTERM,),
    polite_to: Find | None = None,
) -> list[psutil.Process]:
    """Ends all that ``search`` finds, also what appears meanwhile. Returns what would not go.

    Each signal of ``polite`` is sent once to each process, and gets ``grace``; then SIGKILL.
    ``polite_to`` narrows down who is asked: a PostgreSQL wants to tell its children itself.
    """
    for number in polite:
        if _ask(search, polite_to or search, number, grace):
            return []
    return _kill(search)


def end_marked(
    mark: str,
    *,
    spare: Collection[int] = (),
    grace: Duration,
    groups: tuple[Group, ...] = (),
    folders: tuple[Path, ...] = (),
) -> list[psutil.Process]:
    """Ends every process that carries ``mark`` or is in ``groups`` or ``folders``, but for ``spare``."""
    wanted = Wanted(mark=mark, groups=groups, folders=folders, spare=spare)
    return end(lambda: find(wanted), grace=grace)


def _ask(search: Find, polite_to: Find, number: signal.Signals, grace: Duration) -> bool:
    """True once nobody is left within the grace."""
    deadline = time.monotonic_ns() + grace.ns
    asked: set[psutil.Process] = set()
    while True:
        left = search()
        if not left:
            return True
        for process in left if polite_to is search else polite_to():
            if process not in asked:
                asked.add(process)
                _send(process, number)
        while any(is_living(process) for process in left):
            if time.monotonic_ns() >= deadline:
                return False
            time.sleep(_PAUSE.in_s)  # noqa: TID251 - between two looks at processes that end


def _kill(search: Find) -> list[psutil.Process]:
    deadline = time.monotonic_ns() + _KILL_LIMIT.ns
    while left := search():
        if time.monotonic_ns() >= deadline:
            return left
        for process in left:
            _send(process, signal.SIGKILL)
        while any(is_living(process) for process in left) and time.monotonic_ns() < deadline:
            time.sleep(_PAUSE.in_s)  # noqa: TID251 - between two looks at processes that end
    return []


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # psutil refuses when the pid was given to somebody else
    except psutil.Error:
        return  # gone meanwhile, or not ours to end: what is left is found by the next search
