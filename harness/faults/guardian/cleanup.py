"""The guardian's work once the runner is gone: undo, end, remove, and write down what was done.

Faults on other people's proxies are undone beside the ending of processes, so that neither waits
for the other; what was put on our own proxy ends with its process.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from threading import Thread

from harness.faults.guardian.duties import Duties, duties, events_in
from harness.faults.guardian.undo import close_hop, undo_fault, undone
from harness.journal.writer import Journal
from harness.model.events import (
    AnyEvent,
    FaultIntended,
    FaultNotUndone,
    Interrupted,
    ProcessEnded,
)
from harness.model.units import Duration, Instant
from harness.processes.ending import end_marked
from harness.processes.marks import Group
from harness.processes.scratch import remove_scratch, scratch_of

Record = Callable[[AnyEvent], object]

# Two seconds are promised for all; a service that obeys SIGTERM needs a fraction of this.
_GRACE = Duration.of_ms(500)
# A foreign proxy may be slow: nobody waits for the guardian, so it waits for the proxy.
_UNDO_LIMIT = Duration.of_s(60)

FILE = "guardian.jsonl"


def clean_up(journal: Path, mark: str) -> int:
    """Undoes what the run left. The exit code is 0, or 6 when something could not be undone."""
    todo = duties(events_in(journal))
    if todo.finished:
        return 0
    failed: list[AnyEvent] = []
    record = _recorder(journal.with_name(FILE), failed)
    record(Interrupted(signal="the runner ended without finishing", during="not known"))
    undoing = _in_threads(todo, record)
    _end_processes(todo, mark, record)
    for scratch in scratch_of(mark):
        remove_scratch(scratch)
    deadline = time.monotonic_ns() + _UNDO_LIMIT.ns
    for thread in undoing:
        thread.join(max(0.0, (deadline - time.monotonic_ns()) / 1e9))
    return 6 if failed or any(thread.is_alive() for thread in undoing) else 0


def _recorder(path: Path, failed: list[AnyEvent]) -> Record:
    """Writes down what happens as long as that works: a full disk must not keep us from undoing."""
    try:
        journal = Journal(path)
    except Exception:
        journal = None

    def record(event: AnyEvent) -> None:
        if isinstance(event, FaultNotUndone):
            failed.append(event)
        if journal is not None:
            try:
                journal.record(event)
                journal.flush()
            except Exception:
                return

    return record


def _in_threads(todo: Duties, record: Record) -> list[Thread]:
    """One thread for each server, since a stuck one must not hold up the others."""
    by_admin: dict[str, list[Callable[[], AnyEvent]]] = {}
    for fault in todo.faults:
        if not _is_ours(fault, todo):
            admin = str(fault.undo.get("admin", ""))
            by_admin.setdefault(admin, []).append(partial(undo_fault, fault))
    for hop in todo.hops:
        by_admin.setdefault(hop.admin, []).append(partial(close_hop, hop))
    threads = [
        Thread(target=_one_by_one, args=(steps, record), daemon=True) for steps in by_admin.values()
    ]
    for thread in threads:
        thread.start()
    return threads


def _one_by_one(steps: Iterable[Callable[[], AnyEvent]], record: Record) -> None:
    for step in steps:
        record(step())


def _end_processes(todo: Duties, mark: str, record: Record) -> None:
    asked = Instant.of_ns(time.monotonic_ns())
    groups = tuple(Group(pgid=event.pgid, created=event.created) for event in todo.started)
    folders = tuple(scratch_of(mark))
    left = {
        process.pid for process in end_marked(mark, grace=_GRACE, groups=groups, folders=folders)
    }
    for event in todo.running:
        if event.pid not in left:
            record(ProcessEnded(name=event.name, pid=event.pid, exit_code=None, expected=False))
    for pid in left:
        record(
            FaultNotUndone(
                fault=f"process {pid}",
                round=0,
                because="it would not end",
                remains=f"process {pid}",
                command=f"kill -9 {pid}",
            )
        )
    for fault in todo.faults:
        if _is_ours(fault, todo):
            record(undone(fault, asked=asked, found=True))


def _is_ours(fault: FaultIntended, todo: Duties) -> bool:
    """True if it was put on our own proxy, which is one of the processes that end."""
    return fault.undo.get("admin") in todo.own_admins
