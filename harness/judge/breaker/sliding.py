"""The replay of windows: so many failures, or a share, among the last calls or in the last stretch of time.

Instead of trying every order, bounds on what a window may hold at an instant: the most and the
fewest failures, the most and the fewest calls. Both ends are sound: nothing trips before ``earliest``,
and everything has by ``latest``.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from harness.judge.breaker.rule import Rule
from harness.judge.breaker.settlements import FAIL, GOOD, NEVER, NONE, Settlement


class Possible:
    """How many of some intervals may lie within a stretch; asked in any order."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._lower = sorted(lo for lo, _ in spans)
        self._upper = sorted(hi for _, hi in spans)

    def __call__(self, since: int, until: int) -> int:
        return bisect_right(self._lower, until) - bisect_left(self._upper, since)

    def begun(self, until: int) -> int:
        return bisect_right(self._lower, until)

    def over(self, until: int) -> int:
        return bisect_right(self._upper, until)


class Certain:
    """How many lie within for certain; asked with stretches whose ends never go back."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._waiting = sorted((hi, lo) for lo, hi in spans)
        self._at = 0
        self._within: list[int] = []

    def __call__(self, since: int, until: int) -> int:
        while self._at < len(self._waiting) and self._waiting[self._at][0] <= until:
            heappush(self._within, self._waiting[self._at][1])
            self._at += 1
        while self._within and self._within[0] <= since:
            heappop(self._within)
        return len(self._within)


def earliest(
    settled: Sequence[Settlement], rule: Rule, counted: "Counted", since: int = -NEVER
) -> int | None:
    """The first instant at which some order trips; None if none does. ``settled`` by lower ends.

    It was closed at ``since``, whatever its window held: it takes a failure after that.
    """
    failed = (one.lo for one in settled if one.mask & FAIL and one.lo >= since)
    since = min(failed, default=NEVER)
    moments = [one.lo for one in settled if one.mask & (FAIL | GOOD) and one.lo >= since]
    if rule.kind == "count-window":
        window = _LastCalls(settled, rule)
        return next((now for now in moments if window.may_trip(now)), None)
    assert rule.window is not None
    # A success that leaves the window raises the share, and a call settling just then trips.
    leaving = [one.lo + rule.window for one in settled if one.mask == GOOD]
    leaving = [instant for instant in leaving if instant >= since]
    alive = Possible([(one.lo, one.hi) for one in settled if one.mask & (FAIL | GOOD)])
    stretch = _LastStretch(settled, rule, counted)
    for now in sorted({*moments, *leaving}):
        if alive(now, now) and stretch.may_trip(now):
            return now
    return None


def latest(settled: Sequence[Settlement], rule: Rule, counted: "Counted") -> int | None:
    """The instant by which every order has tripped; None if some never does."""
    if rule.kind == "count-window" and rule.counts_calls:
        return None  # the last W offered calls cannot be told from the hop alone
    window = (
        _LastCalls(settled, rule)
        if rule.kind == "count-window"
        else _LastStretch(settled, rule, counted)
    )
    failed = [one for one in settled if one.mask == FAIL and one.hi < NEVER]
    looked = -NEVER
    for one in sorted(failed, key=lambda one: one.hi):
        # Some look at the window only when a call fails; the last of these did not before this.
        looked = max(looked, one.lo)
        if window.must_trip(one.hi, looked):
            return one.hi
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The calls that a share is taken of, where that is not the settled ones: when they were let in.

    ``perhaps_…`` are all that a window may hold, those before it began to count as well.
    """

    admitted: Sequence[tuple[int, int]] = ()
    refused: Sequence[tuple[int, int]] = ()
    perhaps_admitted: Sequence[tuple[int, int]] = ()
    perhaps_refused: Sequence[tuple[int, int]] = ()

    def of(self, name: str) -> "tuple[Possible, Certain]":
        """Of the ``admitted`` or the ``offered``: how many may be in a window, and how many must."""
        if name == "admitted":
            return Possible(self.perhaps_admitted), Certain(self.admitted)
        perhaps = [*self.perhaps_admitted, *self.perhaps_refused]
        return Possible(perhaps), Certain([*self.admitted, *self.refused])


class _LastStretch:
    """A time window. The questions come with instants that never go back."""

    def __init__(self, settled: Sequence[Settlement], rule: Rule, counted: Counted) -> None:
        assert rule.window is not None
        self._rule, self._length = rule, rule.window
        self._fail_possible = Possible(_spans(settled, lambda mask: bool(mask & FAIL)))
        self._fail_certain = Certain(_spans(settled, lambda mask: mask == FAIL))
        self._good_possible = Possible(_spans(settled, lambda mask: bool(mask & GOOD)))
        self._good_certain = Certain(_spans(settled, lambda mask: mask == GOOD))
        self._pools = [counted.of(name) for name in rule.denominators if name != "settled"]
        self._by_settled = "settled" in rule.denominators or rule.share is None

    def may_trip(self, now: int) -> bool:
        since = now - self._length
        failures = self._fail_possible(since, now)
        if not failures:
            return False
        least = self._rule.least[0]
        if self._by_settled:
            calls = max(failures + self._good_certain(since, now - 1), least)
            most = failures + self._good_possible(since, now)
            if calls <= most and self._rule.reached(failures, calls):
                return True
        for possible, certain in self._pools:
            calls = max(certain(since, now - 1), failures, least)
            if calls <= max(possible(since, now), failures) and self._rule.reached(failures, calls):
                return True
        return False

    def must_trip(self, now: int, looked: int) -> bool:
        since, longest = now - self._length, looked - self._length
        failures = self._fail_certain(since, now)
        least = self._rule.least[1]
        good = self._good_certain(since, looked - 1), self._good_possible(longest, now)
        if self._by_settled and not (
            failures + good[0] >= least and self._rule.reached(failures, failures + good[1])
        ):
            return False
        return all(
            certain(since, looked) >= least and self._rule.reached(failures, possible(longest, now))
            for possible, certain in self._pools
        )


class _LastCalls:
    """A window of the last calls to settle. The questions come with instants that never go back."""

    def __init__(self, settled: Sequence[Settlement], rule: Rule) -> None:
        assert rule.window is not None
        self._rule, self._size = rule, rule.window
        self._fail_possible = Possible(_spans(settled, lambda mask: bool(mask & FAIL)))
        self._fail_certain = Certain(_spans(settled, lambda mask: mask == FAIL))
        self._good_certain = Certain(_spans(settled, lambda mask: mask == GOOD))
        self._any = Possible(_spans(settled, lambda mask: bool(mask & (FAIL | GOOD))))
        sure = _spans(settled, lambda mask: not mask & NONE)
        self._sure = Possible(sure)
        self._failed = Possible(_spans(settled, lambda mask: mask == FAIL))
        self._upper = sorted(one.hi for one in settled if one.mask & (FAIL | GOOD))
        self._last = _LastLower(self._size, sure)

    def may_trip(self, now: int) -> bool:
        # What settled before so many others for certain did is out of the window.
        since = self._last(now)
        failures = min(self._size, self._fail_possible(since, now))
        if not failures:
            return False
        least = self._rule.least[0]
        if self._sure.over(now - 1) >= self._size:
            calls = self._size
        elif self._any.begun(now) > self._size:
            calls = max(failures, least)
        else:
            calls = max(failures + self._good_certain(-NEVER, now - 1), least)
        most = min(self._size, self._any.begun(now))
        return calls <= most and self._rule.reached(failures, calls)

    def must_trip(self, now: int, looked: int) -> bool:
        least = self._rule.least[1]
        begun = self._any.begun(now)
        good = self._good_certain(-NEVER, looked - 1)
        if min(self._size, self._failed.over(now) + good) < least:
            return False
        # So far back the window reaches at least, whatever the order: no more than its size may lie after.
        beyond = begun - self._size
        since = -NEVER if beyond <= 0 else self._upper[beyond - 1]
        failures = self._fail_certain(since, now)
        return self._rule.reached(failures, min(self._size, begun))


class _LastLower:
    """The instant after which ``size`` of the intervals lie for certain; −∞ while they do not."""

    def __init__(self, size: int, spans: Sequence[tuple[int, int]]) -> None:
        self._size = size
        self._waiting = sorted((hi, lo) for lo, hi in spans)
        self._at = 0
        self._lowest: list[int] = []

    def __call__(self, now: int) -> int:
        while self._at < len(self._waiting) and self._waiting[self._at][0] < now:
            heappush(self._lowest, self._waiting[self._at][1])
            if len(self._lowest) > self._size:
                heappop(self._lowest)
            self._at += 1
        return self._lowest[0] if len(self._lowest) == self._size else -NEVER


def _spans(settled: Sequence[Settlement], wanted: Callable[[int], bool]) -> list[tuple[int, int]]:
    return [(one.lo, one.hi) for one in settled if wanted(one.mask)]
