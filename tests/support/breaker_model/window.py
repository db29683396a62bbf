"""What a closed circuit has counted, and whether that is enough to open: three kinds of counting."""

from collections import deque
from dataclasses import dataclass, field

from tests.support.breaker_model.clock import MS
from tests.support.breaker_model.settings import Defect, Settings


@dataclass(slots=True)
class Consecutive:
    """Failures in a row."""

    threshold: int
    failures: int = 0

    def count(self, now: int, *, failed: bool, slow: bool) -> None:
        del now, slow
        self.failures = self.failures + 1 if failed else 0

    def reached(self, now: int, in_flight: int) -> bool:
        del now, in_flight
        return self.failures >= self.threshold


@dataclass(slots=True)
class Sliding:
    """Failures, or their share, among the last ``calls`` or those of the last ``span``."""

    settings: Settings
    share: float | None
    calls: int | None
    span: int | None
    entries: deque[tuple[int, bool, bool]] = field(default_factory=deque)

    def count(self, now: int, *, failed: bool, slow: bool) -> None:
        self.entries.append((now, failed, slow))
        if self.calls is not None and len(self.entries) > self.calls:
            self.entries.popleft()

    def reached(self, now: int, in_flight: int) -> bool:
        if self.span is not None:
            while self.entries and self.entries[0][0] <= now - self.span:
                self.entries.popleft()
        s = self.settings
        total = len(self.entries) + (in_flight if s.admitted else 0)
        if total < (s.minimum or 1):
            return False
        failed = sum(entry[1] for entry in self.entries)
        if s.threshold is not None and failed >= s.threshold + s.above:
            return True
        slow = sum(entry[2] for entry in self.entries)
        return (self.share is not None and self._above(failed, self.share * total)) or (
            s.slow_share is not None and self._above(slow, s.slow_share * total)
        )

    def _above(self, count: int, limit: float) -> bool:
        # Shares are tenths and the like: a limit of 5 must not become 5.000000001.
        return count > limit + 1e-9 if self.settings.above else count >= max(limit - 1e-9, 1)


def window_of(settings: Settings, defects: frozenset[Defect]) -> Consecutive | Sliding:
    """What the settings say, with what is wrong about it."""
    early = "trips-early" in defects
    s = settings
    if s.kind == "consecutive":
        assert s.threshold is not None, "a consecutive breaker has a threshold"
        return Consecutive(s.threshold + s.above - early)
    assert s.window is not None, f"a {s.kind} breaker has a window"
    return Sliding(
        settings=s,
        share=s.share - 0.2 * early if s.share is not None else None,
        calls=round(s.window) if s.kind == "count-window" else None,
        span=round(s.window * MS) if s.kind == "time-window" else None,
    )
