"""When the hop carried as many requests as the service is known to let through at once.

A call rejected then may have been refused by a bulkhead, and is no evidence of an open state.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from harness.model.breaker_history import BreakerHistory, Call

TRANSPARENT = 2
"""The number of the phase with bursts at a healthy downstream."""
_FOREVER = 2**62


class Crowding:
    """The stretches at the limit; ``limit`` None: none is known, and nothing is ever called crowded."""

    def __init__(self, limit: int | None, stretches: Sequence[tuple[int, int]] = ()) -> None:
        self.limit = limit
        self._starts = [start for start, _ in stretches]
        self._ends = [end for _, end in stretches]

    def within(self, lo: int, hi: int) -> bool:
        """Whether the limit was reached at some instant from ``lo`` to ``hi``."""
        index = bisect_left(self._ends, lo)
        return index < len(self._ends) and self._starts[index] <= hi


def crowding(
    history: BreakerHistory, slack: int, by_phase: Mapping[str, int] | None = None
) -> Crowding:
    """By the declared bulkhead, else by the most at once, where bursts at a healthy downstream were run.

    What it let through at once in any phase, a bulkhead of the service let through: it is no smaller.
    A service that was seen to let callers wait at that limit, as with a lock around the call, has none
    that refuses.
    An arrival holds its place from ``slack`` before it was seen to ``slack`` after: the service
    counts earlier and frees later than the hop can know. ``by_phase``: that of the phases that have
    their own, for one in which the harness was late must not spoil all others.
    """
    declared = history.declared
    if declared.bulkhead is not None:
        limit = declared.bulkhead * (declared.instances or 1)
    else:
        limit = max((level for _, level in levels(_spans(history.calls))), default=0)
        bursts = [phase.id for phase in history.phases if phase.number == TRANSPARENT]
        in_bursts = [call for call in history.calls if call.phase in bursts]
        if not bursts or _waits(in_bursts, limit):
            limit = 0
    if limit < 1:
        return Crowding(None)
    strays = [(one.arrived - slack, (one.ended or _FOREVER) + slack) for one in history.strays]
    every = [*_spans(history.calls, slack, by_phase or {}), *strays]
    return Crowding(limit, _at_least(limit, levels(every)))


def _waits(calls: Sequence[Call], limit: int) -> bool:
    """More callers than the limit were there at once, and all of them were passed on in the end."""
    if not all(call.arrivals for call in calls):
        return False
    fronts = [(call.sent, _FOREVER if call.ended is None else call.ended) for call in calls]
    return max((level for _, level in levels(fronts)), default=0) > limit


def levels(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(instant, how many spans hold from there on), by time; what ends gives way before what begins."""
    steps: dict[int, int] = {}
    for start, end in spans:
        steps[start] = steps.get(start, 0) + 1
        steps[end] = steps.get(end, 0) - 1
    found, level = [], 0
    for instant in sorted(steps):
        level += steps[instant]
        found.append((instant, level))
    return found


def _spans(
    calls: Iterable[Call], slack: int = 0, by_phase: Mapping[str, int] = MappingProxyType({})
) -> list[tuple[int, int]]:
    """One for each arrival, for as long as the service can have waited for it.

    A call that it has answered holds no place in it any more, whatever still hangs at the hop.
    """
    found = []
    for call in calls:
        answered = call.ended if call.end == "answered" and call.ended is not None else _FOREVER
        wide = by_phase.get(call.phase, slack)
        for one in call.arrivals:
            ended = _FOREVER if one.ended is None else one.ended
            found.append((one.arrived - wide, min(ended, answered) + wide))
    return found


def _at_least(limit: int, course: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    since: int | None = None
    for instant, level in course:
        if level >= limit and since is None:
            since = instant
        elif level < limit and since is not None:
            found.append((since, instant))
            since = None
    if since is not None:
        found.append((since, _FOREVER))
    return found
