"""How a half-open state ended: which calls were its trials, and what their settling decided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.judge.breaker.known import Interval, Joined
from harness.judge.breaker.settlements import NEVER
from harness.judge.breaker.terms import MOST_TRIALS

Ended = Literal["closed", "reopened", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """How many trials decide. ``to_close`` None: not known; ``still_closed`` then tells at which it stayed.

    ``to_reopen`` from the fewest that may be enough to the most that may be needed. With several
    ``instances`` behind one address each needs its own, and no rejection tells whose it was.
    """

    to_close: int | None
    to_reopen: tuple[int, int]
    instances: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """``when`` is the settling that decided; None for ``unknown``."""

    how: Ended
    trials: Sequence[Joined]
    deciding: Sequence[Joined] = ()
    when: Interval | None = None


@dataclass(slots=True)
class _Trials:
    needed: Needed
    still_closed: Callable[[int], bool]
    rejected: Sequence[Joined]
    at: int = 0
    """Rejections before this one came while a trial was out."""
    all: list[Joined] = field(default_factory=list)
    good: list[Joined] = field(default_factory=list)
    bad: list[Joined] = field(default_factory=list)
    busy_until: int = 0
    """By then all of them had settled; ``NEVER`` while one has no end."""

    def add(self, joined: Joined) -> None:
        self.all.append(joined)
        settled = joined.settled
        hi = NEVER if settled is None or settled.hi is None else settled.hi
        self.busy_until = max(self.busy_until, hi)
        if settled is None:
            return
        if joined.outcome == "success":
            self.good.append(joined)
        elif joined.outcome == "failure":
            self.bad.append(joined)

    def closed(self) -> Interval | None:
        """The settling of the last good trial that was needed."""
        needed, instances = self.needed.to_close, self.needed.instances
        if needed is not None and instances == 1:
            return _nth(self.good, needed, needed)
        fewest = needed or 1
        most = fewest * instances + MOST_TRIALS
        for count in range(fewest * instances, min(len(self.good), most) + 1):
            settled = _nth(self.good, fewest if needed else count, count)
            if settled and settled.hi is not None and self.still_closed(settled.hi):
                return settled
        return None

    def reopened(self) -> Interval | None:
        fewest, most = self.needed.to_reopen
        return _nth(self.bad, fewest, most * self.needed.instances)

    def failed_by(self, closed: Interval) -> Interval | None:
        """What may have opened it again before ``closed``; None where nothing did, or it did for certain."""
        fewest, most = self.needed.to_reopen
        first = _nth(self.bad, fewest, fewest)
        if first is None or closed.hi is None or first.lo > closed.hi:
            return None
        certain = fewest == most and first.hi is not None and first.hi < closed.lo
        return None if certain else first

    def by_what_followed(
        self, closed: Interval, first: Interval, reopened: Interval | None
    ) -> tuple[Interval | None, Interval | None]:
        """Closed, if nothing was rejected after it without another failure; else opened again."""
        assert closed.hi is not None  # that is why
        if self.still_closed(closed.hi):
            return closed, None
        if reopened is not None and reopened.hi is not None:
            return None, reopened
        later = (one.call.ended for one in self.rejected if one.call.sent > closed.hi)
        seen = next((ended for ended in later if ended is not None), None)
        return None, None if seen is None else Interval(first.lo, seen)

    def shown_open(self, before: int) -> Interval | None:
        """A rejection while no trial was out, after a failed one: it had opened again by then.

        Only where it is not known how many failed trials that takes.
        """
        fewest, most = self.needed.to_reopen
        known = fewest == most or self.needed.instances > 1
        if known or len(self.bad) < fewest or self.busy_until >= NEVER:
            return None
        while self.at < len(self.rejected):
            call = self.rejected[self.at].call
            if call.sent > self.busy_until:
                first = _nth(self.bad, fewest, fewest)
                seen = first is not None and call.ended is not None and call.ended < before
                return Interval(first.lo, call.ended) if first is not None and seen else None
            self.at += 1
        return None

    def over_by(self) -> int:
        """No trial is let in for certain from here on."""
        most = self.needed.to_reopen[1] * self.needed.instances
        ends = (self.closed(), _nth(self.bad, most, most))
        return min((end.lo for end in ends if end is not None), default=NEVER)


def half_open(
    forwarded: Sequence[Joined],
    rejected: Sequence[Joined],
    after: int,
    needed: Needed,
    still_closed: Callable[[int], bool],
) -> Ending:
    """Follows the trials among ``forwarded`` (by arrival, from the first that may be one).

    Calls sent before ``after``, the trip, are stragglers. ``rejected`` from the trip on, by ``sent``.
    """
    trials = _Trials(needed, still_closed, rejected)
    over = NEVER
    shown: Interval | None = None
    for joined in forwarded:
        if joined.call.sent <= after:
            continue
        if joined.call.arrivals[0].arrived >= over:
            break
        shown = trials.shown_open(joined.call.sent)
        if shown is not None:
            break
        trials.add(joined)
        over = trials.over_by()
    else:
        shown = trials.shown_open(NEVER)
    return _ending(trials, shown)


def _ending(trials: _Trials, shown: Interval | None) -> Ending:
    closed, reopened = trials.closed(), trials.reopened() or shown
    if closed is not None and (first := trials.failed_by(closed)) is not None:
        # Good and failed ones, in an order or of a number that leaves it open what they decided.
        closed, reopened = trials.by_what_followed(closed, first, reopened)
    elif closed is not None and reopened is not None:
        closed, reopened = (closed, None) if closed.lo <= reopened.lo else (None, reopened)
    if closed is not None and closed.hi is not None:
        return Ending(how="closed", trials=trials.all, deciding=trials.good, when=closed)
    if reopened is not None and reopened.hi is not None:
        return Ending(how="reopened", trials=trials.all, deciding=trials.bad, when=reopened)
    return Ending(how="unknown", trials=trials.all)


def _nth(trials: Sequence[Joined], low: int, high: int) -> Interval | None:
    """From the ``low``-th smallest lower end to the ``high``-th smallest upper end of their settlings."""
    if len(trials) < high:
        return None
    settled = [joined.settled for joined in trials if joined.settled is not None]
    lower = sorted(one.lo for one in settled)[low - 1]
    upper = sorted(NEVER if one.hi is None else one.hi for one in settled)[high - 1]
    return Interval(lower, None if upper >= NEVER else upper)
