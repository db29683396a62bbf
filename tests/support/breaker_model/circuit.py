"""One circuit: closed, open, half-open. Says no at once, and a call counts in the state that let it in.

Each mistake that a breaker of the model may make is one line here or in ``service.py``, asked by its name.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from tests.support.breaker_model.clock import MS
from tests.support.breaker_model.settings import Defect, Outcome, Settings
from tests.support.breaker_model.window import Consecutive, Sliding, window_of

State = Literal["closed", "open", "half-open"]

_TICK = 400 * MS
_FOREVER = 10**18


@dataclass(slots=True, eq=False)
class Ticket:
    """One admitted call. ``generation`` is the state that let it in."""

    generation: int
    trial: bool
    at: int
    settled: bool = False


@dataclass(slots=True)
class Circuit:
    """``cycle`` counts reopenings: the open time grows with them."""

    settings: Settings
    defects: frozenset[Defect]
    rng: Random
    checks_on_success: bool = False
    """It looks at the threshold whenever a call ends, not only when one fails."""
    state: State = "closed"
    generation: int = 0
    cycle: int = 0
    opened: int = 0
    lasts: int = 0
    in_flight: int = 0
    """Calls of the present generation."""
    window: Consecutive | Sliding = field(init=False)
    trials: list[Ticket] = field(default_factory=list)
    granted: int = 0
    good: int = 0
    bad: int = 0
    rejections: int = 0
    tick: int | None = None
    recovered: bool = False

    def __post_init__(self) -> None:
        self.window = window_of(self.settings, self.defects)

    def admit(self, now: int) -> Ticket | None:
        """Lets a call in, or says no."""
        self._late_trip(now)
        if self.state == "open" and now >= self.opened + self.lasts:
            self._end_of_open(now)
        if self.state == "closed" and self._opens_by_itself():
            self._open(now, 0)
        if self.state == "open":
            return self._refuse(now)
        if self.state == "half-open" and not self._permitted(now):
            self._count_rejection(now)
            return None
        ticket = Ticket(self.generation, self.state == "half-open", now)
        self.in_flight += 1
        if ticket.trial:
            self.trials.append(ticket)
            self.granted += 1
        return ticket

    def settle(
        self, ticket: Ticket, outcome: Outcome, now: int, *, slow: bool = False, gave_up: bool
    ) -> None:
        """A call has ended, once. ``slow``: it took too long for what counts slow calls apart."""
        if ticket.settled:
            return
        ticket.settled = True
        self._late_trip(now)
        outcome = self._as_counted(outcome)
        if ticket.generation != self.generation:
            self._straggler(outcome, now)
            return
        self.in_flight -= 1
        if not ticket.trial:
            self._count(outcome, now, slow=slow)
        elif self._given_back(ticket, outcome, gave_up=gave_up):
            self._decide(outcome, now, slow=slow)

    def _as_counted(self, outcome: Outcome) -> Outcome:
        match outcome:
            case "left" if "departure-is-success" in self.defects:
                return "ok"
            case "left" if self.settings.departure_is_failure or self._has("departure-is-failure"):
                return "failed"
            case "ignored" if self._has("ignored-is-failure"):
                return "failed"
            case "ignored" if self.settings.ignored_is_success:
                return "ok"
            case _:
                return outcome

    def _has(self, defect: Defect) -> bool:
        return defect in self.defects

    # Closed

    def _count(self, outcome: Outcome, now: int, *, slow: bool) -> None:
        if outcome not in ("ok", "failed"):
            return
        self.window.count(now, failed=outcome == "failed", slow=slow)
        looks = outcome == "failed" or slow or self.checks_on_success
        if looks and self.window.reached(now, self.in_flight) and not self._has("never-trips"):
            if self._has("counts-at-ticks"):
                self.tick = self.tick or (now // _TICK + 1) * _TICK
                self.opened = now
            else:
                self._open(now, 0)

    def _late_trip(self, now: int) -> None:
        """A breaker that counts at the ends of a timer opens at the next one."""
        if self.tick is not None and now >= self.tick:
            since = self.opened
            self.tick = None
            self._open(now, 0)
            self.opened = since

    def _opens_by_itself(self) -> bool:
        return self._has("opens-by-itself") and self.recovered and self.rng.random() < 0.02

    # Open

    def _open(self, now: int, cycle: int) -> None:
        s = self.settings
        lasts = s.open * s.factor**cycle
        if s.at_most is not None:
            lasts = min(lasts, max(s.at_most, s.open))
        lasts *= 1 + s.jitter * self.rng.uniform(-1, 1)
        if self._has("opens-too-short") or (cycle and self._has("reopens-too-short")):
            lasts *= 0.6
        self.cycle, self.opened, self.lasts = cycle, now, round(lasts * MS)
        if self._has("open-never-ends"):
            self.lasts = _FOREVER
        self._enter("open")

    def _count_rejection(self, now: int) -> None:
        self.rejections += 1
        if self._has("rejections-dilute"):
            self.window.count(now, failed=False, slow=False)

    def _refuse(self, now: int) -> Ticket | None:
        self._count_rejection(now)
        if self._has("rejections-restart-timer"):
            self.opened = now
        if self._has("leaks-every-tenth") and self.rejections % 10 == 0:
            return Ticket(-1, False, now)
        return None

    def _end_of_open(self, now: int) -> None:
        if self._has("closes-without-trial"):
            self._close()
        else:
            self._enter("half-open")

    # Half-open

    def _permitted(self, now: int) -> bool:
        s = self.settings
        if self._has("no-permits"):
            return True
        if s.lost_after is not None:
            lost = [one for one in self.trials if now >= one.at + s.lost_after * MS]
            for one in lost:
                self.trials.remove(one)
                one.settled = True
                self.in_flight -= 1
            if s.permits_in_total:
                self.granted -= len(lost)
        count = self.granted if s.permits_in_total else len(self.trials)
        return count < s.permits

    def _given_back(self, ticket: Ticket, outcome: Outcome, *, gave_up: bool) -> bool:
        """Whether the trial counts; its permit is free again, however it ended."""
        if gave_up and self._has("timed-out-trial-keeps-permit"):
            return False
        if outcome == "left" and self._has("departed-trial-keeps-permit"):
            return False
        self.trials.remove(ticket)
        if outcome in ("ignored", "left"):
            self.granted -= 1
        return True

    def _decide(self, outcome: Outcome, now: int, *, slow: bool) -> None:
        if outcome == "ok" and not (slow and self.settings.slow_share is not None):
            self.good += 1
            if self.good >= self.settings.to_close:
                if self._has("good-trial-does-not-close"):
                    self._open(now, 0)
                else:
                    self._close()
        elif outcome in ("ok", "failed"):
            if self._has("failed-trial-stays-half-open"):
                self.granted -= 1
                return
            self.bad += 1
            if self.bad >= self.settings.to_reopen:
                self._open(now, self.cycle + 1)

    def _close(self) -> None:
        self._enter("closed")
        self.cycle = 0
        self.recovered = True

    def _straggler(self, outcome: Outcome, now: int) -> None:
        """Admitted in another state: it decides nothing."""
        if self.state == "open":
            if outcome == "ok" and self._has("straggler-closes"):
                self._close()
            if outcome == "failed" and self._has("straggler-restarts-timer"):
                self.opened = now
        elif self.state == "half-open" and outcome == "ok" and self._has("straggler-frees-permit"):
            self._close()

    def _enter(self, state: State) -> None:
        self.state = state
        self.generation += 1
        self.in_flight = 0
        if not self._has("rejections-dilute"):
            self.window = window_of(self.settings, self.defects)
        self.trials = []
        self.granted = self.good = self.bad = 0
