"""What a guardian did, in one sentence for the report: nothing is looked up or decided here."""

from collections.abc import Sequence
from typing import TypeVar

from harness.model.events import (
    AnyEvent,
    ContainerRemoved,
    FaultNotUndone,
    FaultUndone,
    HopClosed,
    ProcessEnded,
)

T = TypeVar("T")


def in_words(events: Sequence[AnyEvent]) -> str:
    """Why there is no verdict, and what was taken back; what was not is told by its own event."""
    done = [
        *[f"undid {each.fault} of round {each.round}" for each in _of(FaultUndone, events)],
        *[f"closed hop {each.hop}" for each in _of(HopClosed, events)],
    ]
    if names := [each.name for each in _of(ProcessEnded, events)]:
        done.append(f"ended {', '.join(dict.fromkeys(names))}")
    if names := [each.name for each in _of(ContainerRemoved, events)]:
        done.append(f"removed the container of {', '.join(dict.fromkeys(names))}")
    if left := _of(FaultNotUndone, events):
        done.append(f"could not take back {', '.join(each.remains for each in left)}")
    return (
        "it was killed, or crashed, before it finished, and the guardian rolled it back: "
        f"{_listed(done) or 'there was nothing left of it'}"
    )


def _of(kind: type[T], events: Sequence[AnyEvent]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
