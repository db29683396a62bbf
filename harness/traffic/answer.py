"""What became of an operation: an answer, a program's end, or why there is neither. No socket enters here."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.connections.answer import Headers, Seen
from harness.model.outcomes import Outcome, Unknown
from harness.model.units import Instant

_UNSORTED = Unknown("not sorted by an operation yet")
# Of the whole program, or of any command within it: POSIX, 2.8.2.
_NOT_RUN = (126, 127)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. ``sent`` is when its request's last byte went out."""

    status: int
    headers: Headers
    body: bytes
    sent: Instant
    first: Instant
    last: Instant
    outcome: Outcome = _UNSORTED

    def values(self) -> Seen:
        """What rules and captures see."""
        return Seen(
            status=self.status,
            headers=self.headers,
            body=self.body,
            elapsed=self.last - self.sent,
        )

    def words(self) -> str:
        """What came, for people."""
        return f"answered {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A program that ended by itself. ``sent`` is when it was let go, ``last`` when its end was seen.

    ``exit_code`` below 0 is the signal that ended it. ``output`` and ``errors`` are the beginning of
    what it wrote, without the last line's end; ``cut`` names those of the two that had more.
    """

    exit_code: int
    output: str
    errors: str
    cut: frozenset[str] = frozenset()
    sent: Instant
    last: Instant
    outcome: Outcome = _UNSORTED

    @property
    def status(self) -> None:
        """There is none; a program has an exit code."""
        return

    @property
    def first(self) -> Instant:
        """Its end is all that is seen of it."""
        return self.last

    @property
    def says_nothing(self) -> bool:
        """True of a signal, and of the codes by which a shell, or we, say that a command could not be run."""
        return self.exit_code < 0 or self.exit_code in _NOT_RUN

    def values(self) -> Mapping[str, Any]:
        """What rules and captures see."""
        return {
            "exit_code": self.exit_code,
            "output": self.output,
            "errors": self.errors,
            "elapsed": self.last - self.sent,
        }

    def words(self) -> str:
        """How it ended, for people."""
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        try:
            return f"ended by {signal.Signals(-self.exit_code).name}"
        except ValueError:
            return f"ended by signal {-self.exit_code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No answer that counts. ``because`` is a short reason for people; what was seen of it stays.

    ``how`` tells the kinds of end apart, where whoever received it did.
    """

    because: str
    how: Literal["", "answered", "left", "deadline", "refused", "reset", "eof"] = ""
    status: int | None = None
    first: Instant | None = None
    last: Instant
    outcome: Outcome = _UNSORTED
