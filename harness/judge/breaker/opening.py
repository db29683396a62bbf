"""How a closed circuit opens next: what the replay expects, and what rejections show.

Where too little is declared to replay it, the first rejection tells: the trip lies after the last call
that was let through and before that rejection was answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.breaker import consecutive
from harness.judge.breaker.circuit import Circuit, failing
from harness.judge.breaker.known import SECOND, Interval, Joined
from harness.judge.breaker.replay import Trip, sooner, trip
from harness.judge.breaker.rule import Rule
from harness.judge.breaker.settlements import GOOD, NEVER, Settlement
from harness.judge.breaker.sliding import Counted

MOST_FAILURES = 200
LONGEST = 30 * SECOND
"""An undeclared breaker has opened by so many failures and so much time, or there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``failures`` None: too little is declared."""

    failures: Rule | None
    slow: Rule | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What may count, by lower ends: for the failures, and where slow calls have a share of their own."""

    all: Sequence[Settlement]
    slow: Sequence[Settlement] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """``unnoticed``: calls were let through when it should have been open, and none was rejected.

    ``closed``: a good one among them then shows it closed.
    """

    tau: Interval
    threshold: int
    because: Sequence[Joined]
    rejection: Joined | None
    explained: bool = True
    unnoticed: bool = False
    closed: Interval | None = None


def next_opening(
    circuit: Circuit, since: Interval, settled: Settled, rules: Rules, reach: int
) -> tuple[Opening | None, list[Joined]]:
    """The next opening after ``since``, and the rejections before it that nothing explains.

    ``settled``: what may count since then. ``reach``: how long after its earliest trip it is open, in ns.
    """
    first = since.lo if since.hi is None else max(since.lo, since.hi)
    rejections = circuit.rejected_from(first)
    if rules.failures is None:
        return _without_rule(circuit, since, settled, rejections)
    counts_calls = any(rule.counts_calls for rule in (rules.failures, rules.slow) if rule)
    counted = circuit.counted_since(since.lo) if counts_calls else Counted()
    expected = trip(settled.all, rules.failures, counted, since.lo)
    if rules.slow is not None:
        expected = sooner(expected, trip(settled.slow, rules.slow, counted, since.lo))
    early, due = _split(circuit, rejections, expected, reach)
    failed = failing(settled.all, since.lo)
    if early and any(one.lo <= _answered(early[0]) for one in failed):
        return _shown(circuit, since, failed, early[0], explained=False), []
    if expected is None:
        return None, early
    # An early order would hide the open state; what a window held before may make one up.
    late = expected.hi is not None and expected.lo + reach < expected.hi
    refutable = late or rules.failures.kind != "consecutive"
    if expected.hi is not None and _let_through(circuit, expected, reach, due):
        closed = _good_after(circuit, expected.hi, due)
        if due is None or closed is not None:
            return _unnoticed(expected, closed), early
    return _expected(circuit, since, failed, expected, due, refutable=refutable), early


def _expected(
    circuit: Circuit,
    since: Interval,
    failed: Sequence[Settlement],
    expected: Trip,
    due: Joined | None,
    *,
    refutable: bool,
) -> Opening | None:
    if expected.hi is None:
        if due is None:
            return None
        lo = max(expected.lo, _shown(circuit, since, failed, due).tau.lo)
        tau = Interval(lo, max(lo, _answered(due)))
        return _opening(tau, expected, due)
    tau = Interval(expected.lo, expected.hi)
    if due is not None and refutable:
        # Calls let through since then have refuted the earliest orders.
        shown = _shown(circuit, since, failed, due).tau.lo
        tau = Interval(shown if expected.lo <= shown <= expected.hi else expected.lo, expected.hi)
    return _opening(tau, expected, due)


def _opening(tau: Interval, expected: Trip, due: Joined | None) -> Opening:
    return Opening(tau=tau, threshold=expected.failures, because=expected.because, rejection=due)


def _unnoticed(expected: Trip, closed: Interval | None) -> Opening:
    return Opening(
        tau=Interval(expected.lo, expected.hi),
        threshold=expected.failures,
        because=expected.because,
        rejection=None,
        unnoticed=True,
        closed=closed,
    )


def _split(
    circuit: Circuit, rejections: Sequence[Joined], expected: Trip | None, reach: int
) -> tuple[list[Joined], Joined | None]:
    """Those answered before any order trips, and the first that a trip may explain."""
    if expected is None:
        return list(rejections), None
    early = [one for one in rejections if _answered(one) < expected.lo]
    due = next((one for one in rejections if _answered(one) >= expected.lo), None)
    return early, _crowded(circuit, expected.lo, expected.lo + reach, due) or due


def _crowded(circuit: Circuit, lo: int, until: int, due: Joined | None) -> Joined | None:
    """One before ``due`` that a bulkhead may have rejected, if nothing was let through after it.

    Alone it would show no open state; where one is expected, and all else looks like one, it is its.
    """
    until = until if due is None else min(until, due.call.sent)
    crowd = (one for one in circuit.refused if "maybe-bulkhead" in one.flags)
    first = next((one for one in crowd if lo <= _answered(one) < until), None)
    if first is None:
        return None
    for one in circuit.forwarded_from(_answered(first)):
        if one.call.arrivals[0].arrived >= until:
            break
        if one.call.sent > _answered(first):
            return None
    return first


def _let_through(circuit: Circuit, expected: Trip, reach: int, due: Joined | None) -> bool:
    """A call that was forwarded while it was open by every order, before any rejection."""
    hi = expected.lo if expected.hi is None else expected.hi
    until = expected.lo + reach
    if until < hi:
        # So much is unknown of the order that its open state may lie anywhere: then of the last order's.
        until = hi + reach
    until = until if due is None else min(until, due.call.sent)
    for joined in circuit.forwarded_from(hi):
        call = joined.call
        if call.arrivals[0].arrived >= until:
            return False
        if call.sent > hi + circuit.view_at(call.sent).slack:
            return True
    return False


def _good_after(circuit: Circuit, hi: int, due: Joined | None) -> Interval | None:
    """A call that was forwarded and good after every order had tripped, before any rejection."""
    until = NEVER if due is None else due.call.sent
    for joined in circuit.forwarded_from(hi):
        slack = circuit.view_at(joined.call.sent).slack
        if joined.call.sent >= until:
            return None
        if joined.call.sent > hi + slack and joined.outcome == "success" and joined.settled:
            return joined.settled
    return None


def _without_rule(
    circuit: Circuit,
    since: Interval,
    settled: Settled,
    rejections: Sequence[Joined],
) -> tuple[Opening | None, list[Joined]]:
    failed = failing(settled.all, since.lo)
    unexplained: list[Joined] = []
    for one in rejections:
        if any(each.lo <= _answered(one) for each in failed):
            return _first_shown(circuit, since, failed, one), unexplained
        unexplained.append(one)
    return _never(circuit, settled.all), unexplained


def _first_shown(
    circuit: Circuit, since: Interval, failed: Sequence[Settlement], rejection: Joined
) -> Opening:
    """As the rejection shows it, yet from where one that a bulkhead may have made could show it."""
    opened = _shown(circuit, since, failed, rejection)
    for one in circuit.refused_from(since.lo):
        if one.call.sent >= rejection.call.sent:
            break
        if "maybe-bulkhead" in one.flags and any(each.lo <= _answered(one) for each in failed):
            sooner_yet = _shown(circuit, since, failed, one).tau.lo
            return replace(opened, tau=Interval(min(sooner_yet, opened.tau.lo), opened.tau.hi))
    return opened


def _shown(
    circuit: Circuit,
    since: Interval,
    failed: Sequence[Settlement],
    rejection: Joined,
    *,
    explained: bool = True,
) -> Opening:
    """The trip as the first rejection shows it."""
    answered = _answered(rejection)
    before = [one for one in failed if one.lo <= answered]
    let_in = since.lo
    for joined in circuit.forwarded:
        if joined.call.sent <= rejection.call.sent:
            let_in = max(let_in, joined.call.sent)
    later = [one for one in before if one.hi >= let_in]
    lo = max(let_in, min((one.lo for one in later), default=let_in))
    hi = min(answered, max((one.hi for one in later), default=answered))
    return Opening(
        tau=Interval(lo, max(lo, hi)),
        threshold=len(before),
        because=[one.joined for one in before],
        rejection=rejection,
        explained=explained,
    )


def _never(circuit: Circuit, settled: Sequence[Settlement]) -> Opening | None:
    """No rejection at all, and more failures in a row than any library's default needs."""
    found = consecutive.latest(settled, MOST_FAILURES)
    if found is None:
        return None
    hi, row = found
    hi = max(hi, row[0].lo + LONGEST)
    between = (one for one in settled if row[0].lo < one.lo <= hi)
    if hi > circuit.until or any(one.mask & GOOD for one in between):
        return None
    return Opening(
        tau=Interval(hi, hi),
        threshold=len(row),
        because=[one.joined for one in row],
        rejection=None,
        unnoticed=True,
        closed=_good_after(circuit, hi, None),
    )


def _answered(joined: Joined) -> int:
    return joined.call.sent if joined.call.ended is None else joined.call.ended
