"""How late the event loop is: a timer of its own, and by how much it was missed at worst."""

from collections.abc import Callable

from harness.model.units import Duration, Instant
from harness.proxy.alarms import Handle, Timers

PERIOD = Duration.of_ms(100)


class Lag:
    """Looks every ``PERIOD`` between ``start`` and ``stop``."""

    def __init__(self, timers: Timers, clock: Callable[[], Instant]) -> None:
        self._timers = timers
        self._clock = clock
        self._timer: Handle | None = None
        self._due = 0
        self._worst = 0

    def start(self) -> None:
        """Once more does no harm."""
        if self._timer is None:
            self._set()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def worst(self) -> Duration:
        """Since the last such question, and never below 0. A timer that is late now counts too."""
        if self._timer is not None:
            self._note()
        worst, self._worst = self._worst, 0
        return Duration.of_ns(worst)

    def _set(self) -> None:
        self._due = self._clock().ns + PERIOD.ns
        self._timer = self._timers.call_at(self._due / 1e9, self._rings)

    def _rings(self) -> None:
        self._note()
        self._set()

    def _note(self) -> None:
        self._worst = max(self._worst, self._clock().ns - self._due)
