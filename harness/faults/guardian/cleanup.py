"""The guardian's work once the runner is gone: undo, end, remove, and write down what was done.

Faults on other people's proxies are undone, and containers removed, beside the ending of processes,
so that none waits for the other; what was put on our own proxy ends with its process.
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from harness.faults.guardian.duties import Duties, duties, events_in
from harness.faults.guardian.told import in_words
from harness.faults.guardian.undo import (
    close_hop,
    not_undone,
    remove_container,
    undo_fault,
    undone,
)
from harness.journal.reader import GUARDIAN_FILE
from harness.journal.writer import Journal
from harness.model.events import (
    AnyEvent,
    ContainerIntended,
    FaultIntended,
    FaultNotUndone,
    HarnessFailed,
    HopIntended,
    ProcessEnded,
)
from harness.model.units import Duration, Instant
from harness.processes.ending import end_marked
from harness.processes.marks import Group
from harness.processes.scratch import remove_scratch, scratch_of

Record = Callable[[AnyEvent], object]
Intention = FaultIntended | HopIntended | ContainerIntended

# Two seconds are promised for all; a service that obeys SIGTERM needs a fraction of this.
_GRACE = Duration.of_ms(500)
# A foreign proxy may be slow: nobody waits for the guardian, so it waits for the proxy.
_UNDO_LIMIT = Duration.of_s(60)


def clean_up(journal: Path, mark: str) -> int:
    """Undoes what the run left. The exit code is 0, or 6 when something could not be undone."""
    todo = duties(events_in(journal))
    if todo.finished:
        return 0
    told: list[AnyEvent] = []
    record = _recorder(journal.with_name(GUARDIAN_FILE), told)
    undoing = _in_threads(todo, mark, record)
    _end_processes(todo, mark, record)
    for scratch in scratch_of(mark):
        remove_scratch(scratch)
    deadline = Instant.of_ns(time.monotonic_ns()) + _UNDO_LIMIT
    for each in undoing:
        each.give_up(at=deadline)
    record(HarnessFailed(what="the run", detail=in_words(told)))
    return 6 if any(isinstance(event, FaultNotUndone) for event in told) else 0


def _recorder(path: Path, told: list[AnyEvent]) -> Record:
    """Writes down what happens as long as that works: a full disk must not keep us from undoing."""
    try:
        journal = Journal(path)
    except Exception:
        journal = None

    def record(event: AnyEvent) -> None:
        told.append(event)
        if journal is not None:
            try:
                journal.record(event)
                journal.flush()
            except Exception:
                return

    return record


def _in_threads(todo: Duties, mark: str, record: Record) -> list["_Undoing"]:
    """A thread for each proxy and container: a stuck one, or its server, must not hold up the others."""
    by_proxy: dict[tuple[object, object], list[Intention]] = {}
    for fault in todo.faults:
        if not _is_ours(fault, todo):
            key = fault.undo.get("admin"), fault.undo.get("proxy")
            by_proxy.setdefault(key, []).append(fault)
    for hop in todo.hops:
        by_proxy.setdefault((hop.admin, hop.proxy), []).append(hop)
    alone: list[list[Intention]] = [[container] for container in todo.containers]
    undoing = [_Undoing(each, mark, record) for each in (*by_proxy.values(), *alone)]
    for each in undoing:
        each.thread.start()
    return undoing


class _Undoing:
    """Takes intentions back one by one, in a thread of its own."""

    def __init__(self, intentions: list[Intention], mark: str, record: Record) -> None:
        self._left = intentions
        self._mark = mark
        self._record = record
        self.thread = Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while self._left:
            told = self._take_back(self._left[0])
            self._left.pop(0)
            self._record(told)

    def _take_back(self, intention: Intention) -> AnyEvent:
        match intention:
            case FaultIntended():
                return undo_fault(intention)
            case HopIntended():
                return close_hop(intention)
            case ContainerIntended():
                return remove_container(intention, self._mark)

    def give_up(self, *, at: Instant) -> None:
        """Waits until then, and tells what is not done by then."""
        self.thread.join(max(0.0, (at.ns - time.monotonic_ns()) / 1e9))
        for intention in tuple(self._left):
            self._record(not_undone(intention, f"not done within {_UNDO_LIMIT}"))


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
