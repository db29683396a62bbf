"""A test of a toxic or a chain as a dialogue: what goes in with ``>>``, what must come out with ``<<``.

    assert play(latency) >> at(0, b"a") << Injected(0) << WakeAt(t(40)) >> at(40) << Send(b"a")

Times are milliseconds from the start. For toxics alone there are ``started``, ``updated`` and
``removed`` beside ``at``. Every action must be expected, in order. A mismatch prints
the dialogue; a playbook that nobody asserted fails the test by itself.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.model.units import Instant
from harness.proxy.items import Chunk, Close
from harness.proxy.wire import Value


class Subject(Protocol):
    """A toxic or a chain."""

    def feed(self, item: Chunk | Close, now: Instant) -> Sequence[Any]: ...
    def wake(self, now: Instant) -> Sequence[Any]: ...


def t(milliseconds: float) -> Instant:
    """The instant so long after the start."""
    return Instant.of_ns(round(milliseconds * 1_000_000))


@dataclass(frozen=True, slots=True)
class Send:
    """A chunk with these bytes, of whatever turn; with ``stamp``, also stamped like that."""

    data: bytes
    stamp: Instant | None = None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Chunk):
            return self.data == other.data and self.stamp in {None, other.stamp}
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # compared with chunks, never kept in a set


@dataclass(frozen=True, slots=True)
class Stimulus:
    """Something that happens to the subject at ``now``."""

    now: Instant
    words: str
    happen: Callable[[Any, Instant], Sequence[Any]]


def at(milliseconds: float, item: bytes | Chunk | Close | None = None) -> Stimulus:
    """Feeds an item that arrives just then; without one, the subject is woken."""
    now = t(milliseconds)
    if item is None:
        return Stimulus(now, f"at {milliseconds} wake", lambda subject, when: subject.wake(when))
    fed = Chunk(item, now) if isinstance(item, bytes) else item
    return Stimulus(
        now, f"at {milliseconds} feed {item!r}", lambda subject, when: subject.feed(fed, when)
    )


def then(
    milliseconds: float, words: str, happen: Callable[[Any, Instant], Sequence[Any] | None]
) -> Stimulus:
    """Anything else: an update, a removal."""
    return Stimulus(
        t(milliseconds),
        f"at {milliseconds} {words}",
        lambda subject, when: happen(subject, when) or (),
    )


def started(milliseconds: float) -> Stimulus:
    """A toxic begins to act."""
    return then(milliseconds, "start", lambda toxic, now: toxic.start(now))


def updated(milliseconds: float, **values: Value) -> Stimulus:
    """A toxic's attributes change; these are all of them."""
    return then(
        milliseconds, f"update {values}", lambda toxic, now: toxic.update(dict(values), now)
    )


def removed(milliseconds: float) -> Stimulus:
    """A toxic is taken off."""
    return then(milliseconds, "remove", lambda toxic, now: toxic.remove(now))


class Playbook:
    """The dialogue so far. Truth means: as expected, and nothing unexpected came."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._said: deque[Any] = deque()
        self._lines: list[str] = []
        self._wrong = False
        self._asserted = False

    def __rshift__(self, stimulus: Stimulus) -> "Playbook":
        self._nothing_left()
        self._lines.append(f">> {stimulus.words}")
        self._said.extend(stimulus.happen(self._subject, stimulus.now))
        return self

    def __lshift__(self, expected: object) -> "Playbook":
        came = self._said.popleft() if self._said else None
        if came is not None and expected == came:
            self._lines.append(f"<< {came!r}")
        else:
            self._wrong = True
            self._lines.append(f"<< {came!r}   but expected was {expected!r}")
        return self

    def __bool__(self) -> bool:
        self._asserted = True
        self._nothing_left()
        if self._wrong:
            raise AssertionError("not as expected:\n" + "\n".join(self._lines))
        return True

    def __del__(self) -> None:
        if not self._asserted:
            raise AssertionError("unfinished playbook, assert it:\n" + "\n".join(self._lines))

    def _nothing_left(self) -> None:
        for unexpected in self._said:
            self._wrong = True
            self._lines.append(f"<< {unexpected!r}   but expected was nothing")
        self._said.clear()


def play(subject: Subject) -> Playbook:
    return Playbook(subject)
