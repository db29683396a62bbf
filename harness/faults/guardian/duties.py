"""What a journal leaves to be undone: a fold over the events that announce, undo and finish.

Lenient where the reader of verdicts is strict: a damaged line must not keep the rest from being
undone. Nothing is judged here, so a line too many or too few can only mean one more attempt.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.journal.lines import decode
from harness.model.events import (
    AnyEvent,
    ContainerIntended,
    ContainerRemoved,
    FaultIntended,
    FaultUndone,
    HopClosed,
    HopIntended,
    HopOpened,
    ProcessEnded,
    ProcessStarted,
    RunFinished,
)

# Tells apart, before decoding, the few lines that matter from a hundred thousand that do not.
_MATTERS = re.compile(
    rb'"type":\s*"(?:FaultIntended|FaultUndone|HopIntended|HopOpened|HopClosed'
    rb'|ProcessStarted|ProcessEnded|ContainerIntended|ContainerRemoved|RunFinished)"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """``finished``: the runner did it all itself. ``own_admins``: APIs of the proxies that end with the
    run; one in a container lives on, and is announced like somebody else's.

    ``started`` are all processes ever started, since children may outlive an ended one; ``running``
    those whose end nobody has seen.
    """

    finished: bool = False
    faults: tuple[FaultIntended, ...] = ()
    hops: tuple[HopIntended, ...] = ()
    started: tuple[ProcessStarted, ...] = ()
    running: tuple[ProcessStarted, ...] = ()
    containers: tuple[ContainerIntended, ...] = ()
    own_admins: frozenset[str] = frozenset()


def duties(events: Iterable[AnyEvent]) -> Duties:
    """What is left to do after ``events``, the latest first."""
    finished = False
    faults: dict[tuple[str, int], FaultIntended] = {}
    hops: dict[tuple[str, str], HopIntended] = {}
    started: list[ProcessStarted] = []
    running: dict[tuple[str, int], ProcessStarted] = {}
    containers: dict[str, ContainerIntended] = {}
    own_admins: set[str] = set()
    for event in events:
        match event:
            case RunFinished():
                finished = True
            case FaultIntended():
                faults[event.fault, event.round] = event
            case FaultUndone():
                faults.pop((event.fault, event.round), None)
            case HopIntended():
                hops[event.admin, event.proxy] = event
            case HopClosed():
                hops.pop((event.admin, event.proxy), None)
            case HopOpened() if _ends_with_the_run(event, hops):
                own_admins.add(event.admin)
            case ProcessStarted():
                started.append(event)
                running[event.name, event.pid] = event
            case ProcessEnded():
                running.pop((event.name, event.pid), None)
            case _:
                _follow_container(event, containers)
    return Duties(
        finished=finished,
        faults=tuple(reversed(faults.values())),
        hops=tuple(reversed(hops.values())),
        started=tuple(started),
        running=tuple(running.values()),
        containers=tuple(reversed(containers.values())),
        own_admins=frozenset(own_admins),
    )


def _ends_with_the_run(event: HopOpened, announced: Mapping[tuple[str, str], HopIntended]) -> bool:
    return event.observed == "here" and (event.admin, event.proxy) not in announced


def _follow_container(event: AnyEvent, containers: dict[str, ContainerIntended]) -> None:
    match event:
        case ContainerIntended():
            containers[event.container] = event
        case ContainerRemoved():
            containers.pop(event.container, None)
        case _:
            pass


def events_in(journal: Path) -> Iterator[AnyEvent]:
    """The events that matter here, from whatever can be read of the file."""
    try:
        file = journal.open("rb")
    except OSError:
        return
    with file:
        for line in file:
            if not _MATTERS.search(line):
                continue
            try:
                yield decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
                continue  # a torn tail, or damage: what it announced cannot be known
