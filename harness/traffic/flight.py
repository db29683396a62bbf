"""One call from its first byte to its end, whichever that is. No socket is opened or read here."""

import socket
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Failure
from harness.traffic.response import ResponseReader
from harness.traffic.timers import Handle

How = Literal["", "answered", "left", "deadline", "refused", "reset", "eof"]
"""How a call ended; empty while it goes on. ``left`` is our own planned departure."""

LEFT = "we left, as planned"


@dataclass(slots=True, eq=False)
class Line:
    """One connection: with a flight on it, or idle ``since``. ``rest`` has not been written yet."""

    socket: socket.socket
    flight: Any = None
    since: int = 0
    rest: memoryview | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Flight:
    """``content`` is the whole request. Moments are nanoseconds of the monotonic clock, 0 before they came.

    ``sent`` is just before its first byte; of one that never got a connection, when that was begun.
    ``last`` is just after the last byte of its answer was read, or its end in another way was seen.
    """

    content: bytes
    reader: ResponseReader
    timeout: Duration
    leave_after: Duration | None = None
    begun: int = 0
    sent: int = 0
    first: int = 0
    last: int = 0
    how: How = ""
    because: str = ""
    line: Line | None = None
    alarms: list[Handle] = field(default_factory=list)

    def result(self) -> Answer | Failure:
        """What came of it, once it has ended."""
        first = Instant.of_ns(self.first) if self.first else None
        last, status = Instant.of_ns(self.last), self.reader.status
        if self.how != "answered" or status is None or first is None:
            because = self.because or self.reader.broken or self.how
            return Failure(because=because, how=self.how, status=status, first=first, last=last)
        return Answer(
            status=status,
            headers=self.reader.headers,
            body=self.reader.body,
            sent=Instant.of_ns(self.sent),
            first=first,
            last=last,
        )
