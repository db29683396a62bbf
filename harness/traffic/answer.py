"""What came back for a request: an answer, or the reason why there is none. No socket enters here."""

from dataclasses import dataclass

from harness.connections.answer import Headers, Seen
from harness.model.outcomes import Outcome, Unknown
from harness.model.units import Instant

_UNSORTED = Unknown("not sorted by an operation yet")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No answer that counts. ``because`` is a short reason for people; what was seen of it stays."""

    because: str
    status: int | None = None
    first: Instant | None = None
    last: Instant
    outcome: Outcome = _UNSORTED
