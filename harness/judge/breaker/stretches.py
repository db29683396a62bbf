"""Stretches of a circuit's life: its calls between two instants, the gaps in them, how a time is said.

For the invariants about trips, open states and recovery. Nothing here decides a verdict.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from harness.judge.breaker.known import MS, SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.terms import coarse
from harness.judge.breaker.times_in_words import in_ms, in_seconds

HIDES_ARRIVALS = "refuse"
"""A closed port is no place to log an arrival: a call that was let through looks like a rejected one."""

_SHORT = 100 * MS
# Between two calls of a steady load: one of them may have come late, and one not at all.
_STEADY_GAPS = 2.5
_STEADY_SHARE = 0.1


class Circuits:
    """The calls of each circuit, in the order in which they were sent; grouped once for one invariant."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._by_key: dict[str, Sequence[Joined]] | None = None

    def calls(self, outage: Outage) -> Sequence[Joined]:
        """All of the run that may have met this life's circuit; rejected ones belong to any instance."""
        calls = self.of_key(outage.key)
        if outage.instance is None:
            return calls
        return [one for one in calls if _instance(one) in (None, outage.instance)]

    def of_key(self, key: str) -> Sequence[Joined]:
        """``""`` is the circuit of every call where keys have none of their own."""
        if self._by_key is None:
            self._by_key = {}
            if any(outage.key for outage in self._known.outages):
                groups: dict[str, list[Joined]] = {}
                for joined in self._known.calls:
                    groups.setdefault(joined.call.key, []).append(joined)
                self._by_key.update(groups)
        return self._by_key.get(key, self._known.calls if not key else ())

    def until(self, outage: Outage) -> int:
        """Calls sent before then may belong to this life: up to the circuit's next one, or as long as watched."""
        later = [
            other.tau.lo
            for other in self._known.outages
            if (other.key, other.instance) == (outage.key, outage.instance)
            and other.tau.lo > outage.tau.lo
        ]
        return min([outage.until, *later])


def _instance(joined: Joined) -> str | None:
    arrivals = joined.call.arrivals
    return arrivals[0].instance if arrivals else None


def sent_within(calls: Sequence[Joined], since: int, until: int | None = None) -> Sequence[Joined]:
    """Those of ``calls``, which are in the order of sending, that were sent in [since, until)."""
    first = bisect_left(calls, since, key=_sent)
    if until is None:
        return calls[first:]
    return calls[first : bisect_left(calls, until, key=_sent)]


def walk(calls: Sequence[Joined], since: int, until: int | None = None) -> Iterator[Joined]:
    """The same one by one, for a search that ends early in a long run."""
    for index in range(bisect_left(calls, since, key=_sent), len(calls)):
        if until is not None and calls[index].call.sent >= until:
            return
        yield calls[index]


def _sent(joined: Joined) -> int:
    return joined.call.sent


def arrived(joined: Joined) -> int:
    """When a forwarded call's first attempt was at the hop."""
    return joined.call.arrivals[0].arrived


def largest_gap(calls: Iterable[Joined], since: int, until: int) -> int:
    """The longest stretch of [since, until] in which nobody called."""
    moments = [since, *(one.call.sent for one in calls if since < one.call.sent < until), until]
    return max((after - before for before, after in pairwise(moments)), default=0)


def steady_gap(view: PhaseView, duration: int) -> int:
    """The longest silence that still is a steady load, for an open state of ``duration``."""
    return round(max(_STEADY_GAPS * gap_of(view), _STEADY_SHARE * duration))


def gap_of(view: PhaseView) -> int:
    """1/λ; 0 where calls did not come at a rate.

    As planned, for a silence within the phase would spoil a measured one; as measured where the load
    was not driven as planned.
    """
    planned = view.phase.rate
    if not planned:
        return 0
    gap = round(SECOND / planned)
    return max(gap, round(SECOND / view.rate)) if view.lack and view.rate > 0 else gap


def coarseness(known: Known, duration: int) -> int:
    """How much longer than found an open state of ``duration`` may be; 0 where its length is declared."""
    return coarse(known.terms, duration)


def lacks_of(views: Iterable[PhaseView], *, timing: bool = False) -> list[str]:
    """What these phases lack, a sentence each; ``timing`` for invariants that compare durations."""
    found = []
    for view in views:
        found += [view.lack] if view.lack else []
        found += [f"{view.phase.id}: {view.timing}"] if timing and view.timing else []
    return found


def said(ns: int) -> str:
    """``12 ms`` below a tenth of a second, ``1.17 s`` above."""
    return in_ms(ns) if -_SHORT < ns < _SHORT else in_seconds(ns)


def several(known: Known, outage: Outage) -> bool:
    """Instances behind one address that cannot be told apart: they open, and are tried, one after the other."""
    value = known.terms.instances
    return outage.instance is None and value.known and value.number > 1


def visible_outages(known: Known, *numbers: int) -> list[Outage]:
    """The lives in these phases, but for those under a fault that hides whether a call was forwarded."""
    return [
        outage
        for outage in known.outages_in(*numbers)
        if known.by_id[outage.phase].phase.fault != HIDES_ARRIVALS
    ]
