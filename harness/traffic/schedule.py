"""When the requests of an open loop are due, and how late they went out. Pure; instants in nanoseconds."""

from dataclasses import dataclass
from math import ceil

from harness.model.units import Duration

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """``planned`` requests, ``rate`` a second, the first one due at ``first``."""

    first: int
    rate: float
    planned: int

    def due(self, k: int) -> int:
        """When request ``k``, counted from 0, is due.

        Reckoned from the first and not from the one before, so that nothing adds up: neither a
        fraction of a nanosecond nor an earlier delay.
        """
        return self.first + round(k * _SECOND / self.rate)


class Lateness:
    """How far behind their due times requests were sent."""

    def __init__(self) -> None:
        self._late: list[int] = []

    def add(self, *, sent: int, due: int) -> None:
        self._late.append(max(0, sent - due))

    @property
    def sent(self) -> int:
        return len(self._late)

    @property
    def p99(self) -> Duration:
        """What 99 % kept to, by the nearest rank; nothing where none was sent."""
        if not self._late:
            return Duration.ZERO
        return Duration.of_ns(sorted(self._late)[ceil(len(self._late) * 0.99) - 1])

    @property
    def max(self) -> Duration:
        return Duration.of_ns(max(self._late, default=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What an open loop came to. ``stopped``: a condition ended it before all were due.

    ``most`` is the highest number in flight; ``dropped`` were due while that stood at the cap.
    """

    planned: int
    sent: int
    dropped: int
    late_p99: Duration
    late_max: Duration
    most: int
    stopped: bool = False
