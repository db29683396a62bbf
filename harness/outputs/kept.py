"""What ``--keep`` left running, where it answers, and how to stop it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.model.events import (
    AnyEvent,
    ContainerRemoved,
    ContainerStarted,
    HopOpened,
    ProcessEnded,
    ProcessStarted,
    ServiceReady,
)
from harness.outputs.paragraphs import safe

# It ends by itself once the run has finished.
_NOT_KEPT = "guardian"


def kept_text(events: Iterable[AnyEvent], scratch: Sequence[Path]) -> str:
    """Lines for people; empty when nothing was left up. ``scratch`` goes once all has stopped."""
    processes: dict[int, ProcessStarted] = {}
    events = list(events)
    containers = _containers(events)
    ready: list[str] = []
    for event in events:
        if isinstance(event, ProcessStarted) and event.name != _NOT_KEPT:
            processes[event.pid] = event
        elif isinstance(event, ProcessEnded):
            processes.pop(event.pid, None)
        elif isinstance(event, ServiceReady):
            ready.append(f"  {safe(event.name)} answers at {safe(event.address)}")
        elif isinstance(event, HopOpened):
            ready.append(f"  hop {safe(event.hop)} listens at {safe(event.listen)}")
    if not processes:
        return ""
    groups = " ".join(f"-{process.pgid}" for process in reversed(processes.values()))
    kept = [*[process.name for process in processes.values()], *containers.values()]
    names = ", ".join(safe(name) for name in kept)
    lines = [f"kept    {names}", *ready, f"  stop them with:   kill -s INT -- {groups}"]
    if containers:
        removed = " ".join(safe(name) for name in containers)
        lines.append(f"  then remove:      docker rm --force --volumes {removed}")
    if scratch:
        lines.append(f"  then remove:      rm -r {' '.join(safe(str(path)) for path in scratch)}")
    return "\n".join([*lines, ""])


def _containers(events: Sequence[AnyEvent]) -> dict[str, str]:
    """Those that were not removed, each with its service's name."""
    left: dict[str, str] = {}
    for event in events:
        if isinstance(event, ContainerStarted):
            left[event.container] = event.name
        elif isinstance(event, ContainerRemoved):
            left.pop(event.container, None)
    return left
