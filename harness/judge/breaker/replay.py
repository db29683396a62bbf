"""The reference replay: what is declared and what had settled, folded into the interval of the trip (contract §3.0).

Expected behaviour is never computed from a nominal failure rate: the hop logged what each arrival
suffered. Where the order of settlings is unknown, the kindest and the strictest order bound the trip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.breaker import consecutive, sliding
from harness.judge.breaker.known import Joined
from harness.judge.breaker.rule import Rule
from harness.judge.breaker.settlements import FAIL, NEVER, Settlement
from harness.judge.breaker.sliding import Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """``lo``: no order trips earlier; ``hi``: by then every order has, None if some never does."""

    lo: int
    hi: int | None
    failures: int
    because: Sequence[Joined]


def trip(
    settled: Sequence[Settlement], rule: Rule, counted: Counted, since: int = -NEVER
) -> Trip | None:
    """The first trip of a circuit that was closed at ``since``; None if no order trips.

    ``settled`` by lower ends: all that may count, of before then as well. With several instances behind one
    address the earliest may be one instance alone, the last all of them one after the other.
    """
    if not any(one.mask & FAIL for one in settled):
        return None
    if rule.instances > 1:
        return _of_several(settled, rule)
    if rule.kind == "consecutive":
        return _in_a_row(settled, rule)
    return _in(settled, rule, counted, since)


def _in_a_row(settled: Sequence[Settlement], rule: Rule) -> Trip | None:
    lo = consecutive.earliest(settled, rule.failures)
    if lo is None:
        return None
    last = consecutive.latest(settled, rule.failures)
    return _open_ended(settled, lo) if last is None else _trip(lo, *last)


def _in(settled: Sequence[Settlement], rule: Rule, counted: Counted, since: int) -> Trip | None:
    lo = sliding.earliest(settled, rule, counted, since)
    if lo is None:
        return None
    hi = sliding.latest(settled, rule, counted)
    if hi is None:
        return _open_ended(settled, lo)
    return _trip(lo, hi, [one for one in settled if one.mask == FAIL and one.hi <= hi])


def sooner(one: Trip | None, other: Trip | None) -> Trip | None:
    """Of two rules that each open the circuit, the trip by whichever comes first."""
    if one is None or other is None:
        return one or other
    first = one if _end(one) <= _end(other) else other
    return Trip(
        lo=min(one.lo, other.lo), hi=first.hi, failures=first.failures, because=first.because
    )


def _of_several(settled: Sequence[Settlement], rule: Rule) -> Trip | None:
    """K failures at one of them are enough for the first; all of them take n·K, and what was in flight."""
    each = rule.failures if rule.share is None else rule.fewest(rule.least[0])
    lo = consecutive.earliest(settled, each, broken=False)
    if lo is None:
        return None
    # With nothing but failures an instance looks at its share once it has had the minimum of calls.
    every = rule.failures if rule.share is None else rule.least[1]
    flying = sum(one.joined.call.sent <= lo < one.hi and one.lo > lo for one in settled)
    last = consecutive.latest(settled, rule.instances * every + flying)
    return _open_ended(settled, lo) if last is None else _trip(lo, *last)


def _trip(lo: int, hi: int, because: Sequence[Settlement]) -> Trip:
    return Trip(lo=min(lo, hi), hi=hi, failures=len(because), because=_calls(because))


def _open_ended(settled: Sequence[Settlement], lo: int) -> Trip:
    row = [one for one in settled if one.mask & FAIL and one.lo <= lo]
    return Trip(lo=lo, hi=None, failures=len(row), because=_calls(row))


def _calls(settled: Sequence[Settlement]) -> list[Joined]:
    """In order of settling; a call whose attempts count one by one stands there once."""
    ordered = sorted(settled, key=lambda one: (one.hi, one.lo))
    return list({one.joined.call.rid: one.joined for one in ordered}.values())


def _end(one: Trip) -> int:
    return NEVER if one.hi is None else one.hi
