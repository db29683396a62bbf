"""The fold of §1.6: from joined calls to the lives of each circuit, as far as they are known.

Each group of phases begins with circuits that are closed for certain. A life is one open state and
what followed: half-open with its trials, then closed, open again, or not known. No metric, log or
status of the service enters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.judge.breaker.circuit import Circuit, Past, circuits_of, counting, groups_of
from harness.judge.breaker.half_open import Ending, Needed, half_open
from harness.judge.breaker.known import Interval, Joined, Outage, PhaseView, Terms
from harness.judge.breaker.opening import Opening, Rules, Settled, next_opening
from harness.judge.breaker.rule import rule_of, slow_rule_of
from harness.judge.breaker.settlements import FAIL
from harness.judge.breaker.terms import coarse, open_time
from harness.model.breaker import BreakerPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """For its fields see ``Known``."""

    outages: Sequence[Outage]
    unexplained: Sequence[Joined]


@dataclass(slots=True)
class _Fold:
    plan: BreakerPlan
    terms: Terms
    rules: Rules
    needed: Needed
    outages: list[Outage] = field(default_factory=list)
    unexplained: list[Joined] = field(default_factory=list)


def timeline_of(
    plan: BreakerPlan, views: Sequence[PhaseView], terms: Terms, *, learning: bool = False
) -> Timeline:
    """All lives of all circuits. ``learning``: what is undeclared is not assumed, but shown by what follows.

    A kind without states (``in-flight``) has none.
    """
    if plan.kind == "in-flight":
        return Timeline(outages=(), unexplained=())
    instances = int(terms.instances.number)
    rules = Rules(
        failures=rule_of(plan, instances),
        slow=slow_rule_of(plan, instances),
    )
    fold = _Fold(plan, terms, rules, _needed(plan, terms, learning))
    past: dict[str, Past] = {}
    for group in groups_of(views):
        slack = max(view.slack for view in group)
        for circuit in circuits_of(group, plan, slack, past):
            if group[0].phase.reached:
                _follow(fold, circuit)
            past[circuit.key] = circuit.past.after(circuit, rules.failures)
    return Timeline(
        outages=sorted(fold.outages, key=lambda outage: outage.tau.lo),
        unexplained=sorted(fold.unexplained, key=lambda joined: joined.call.sent),
    )


def _needed(plan: BreakerPlan, terms: Terms, learning: bool) -> Needed:
    most = int(terms.to_reopen.number)
    return Needed(
        to_close=None if learning and plan.trials.to_close is None else int(terms.to_close.number),
        to_reopen=(most if terms.to_reopen.declared else 1, most),
        instances=int(terms.instances.number),
    )


def _follow(fold: _Fold, circuit: Circuit) -> None:
    """One circuit through its group of phases, from closing to closing."""
    since = Interval(circuit.entered, circuit.entered)
    settled = Settled(
        all=[*circuit.past.settled, *circuit.settled], slow=[*circuit.past.slow, *circuit.slow]
    )
    reach = _reach(fold, circuit.views[0].slack, 0)
    while True:
        opening, unexplained = next_opening(
            circuit, since, settled, fold.rules, circuit.until if reach is None else reach
        )
        fold.unexplained += unexplained
        if opening is None:
            return
        closed = _lives(fold, circuit, opening)
        if closed is None or closed.hi is None or closed.lo <= since.lo:
            return
        since = closed
        trials = {joined.call.rid for joined in fold.outages[-1].trials}
        settled = _settled_since(fold, circuit, settled, since.lo, trials)


def _settled_since(
    fold: _Fold, circuit: Circuit, settled: Settled, since: int, trials: set[str]
) -> Settled:
    stragglers = fold.plan.stragglers
    failures = None if circuit.clears else fold.rules.failures
    slow = None if circuit.clears else fold.rules.slow
    return Settled(
        all=counting(settled.all, since, trials, stragglers, failures),
        slow=counting(settled.slow, since, trials, stragglers, slow),
    )


def _lives(fold: _Fold, circuit: Circuit, opening: Opening) -> Interval | None:
    """The lives from one opening on, until it closes; returns when, or None if that was not seen."""
    if opening.unnoticed:
        outage = _unnoticed(fold, circuit, opening)
        fold.outages.append(outage)
        return outage.closed
    now, cycle = opening, 0
    while True:
        outage, ending = _life(fold, circuit, now, cycle)
        fold.outages.append(outage)
        if ending.how == "closed":
            return ending.when
        if ending.how == "unknown" or ending.when is None or ending.when.lo <= now.tau.lo:
            return None
        cycle += 1
        now = Opening(
            tau=ending.when,
            threshold=len(ending.deciding),
            because=ending.deciding,
            rejection=_first_rejection(fold, circuit, ending.when, cycle),
        )


def _life(fold: _Fold, circuit: Circuit, opening: Opening, cycle: int) -> tuple[Outage, Ending]:
    tau = opening.tau
    view = circuit.view_at(tau.lo)
    reach = _reach(fold, view.slack, cycle)
    begins = _half_open_from(circuit, opening, reach)
    ending = _ending(fold, circuit, tau, begins)
    until = circuit.until
    if ending.when is not None:
        # It ended somewhere in an interval: watched up to its end when closed, to its beginning else.
        last = ending.when.hi if ending.how == "closed" else ending.when.lo
        until = last if last is not None else until
    over = None if ending.when is None else ending.when.hi
    outage = Outage(
        key=circuit.key,
        instance=None,
        phase=view.phase.id,
        tau=tau,
        threshold=opening.threshold,
        because=opening.because,
        cycle=cycle,
        duration=open_time(fold.terms, fold.plan, cycle),
        first_rejection=opening.rejection,
        open=_certainly_open(fold, opening, reach, cycle),
        half_open=Interval(begins, over) if begins < until else None,
        trials=ending.trials,
        ended=ending.how,
        closed=ending.when if ending.how == "closed" else None,
        until=until,
        explained=opening.explained,
    )
    return outage, ending


def _half_open_from(circuit: Circuit, opening: Opening, reach: int | None) -> int:
    """From when on a call let through may be a trial."""
    tau, first = opening.tau, opening.rejection
    shown = None if first is None else first.call.ended
    if reach is None:
        # Its length is not known: the next call let through after the rejection ended it.
        return shown or (tau.lo if tau.hi is None else tau.hi)
    begins = tau.lo + reach
    if shown is None or first is None or tau.hi is None:
        return begins
    slack = circuit.view_at(tau.lo).slack
    for joined in circuit.forwarded_from(tau.hi):
        if joined.call.arrivals[0].arrived >= begins or joined.call.sent >= first.call.sent:
            break
        if joined.call.sent > tau.hi + slack:
            # It opened later than any order explains: not before its first rejection, then.
            return max(begins, shown)
    return begins


def _ending(fold: _Fold, circuit: Circuit, tau: Interval, begins: int) -> Ending:
    forwarded = circuit.forwarded_from(begins)
    if fold.plan.kind == "eject":
        # A host comes back without trials: the next call that reaches it finds it in again.
        back = next((joined for joined in forwarded if joined.call.sent > tau.lo), None)
        when = None if back is None else back.admitted
        return Ending(how="unknown" if when is None else "closed", trials=(), when=when)

    def still_closed(since: int) -> bool:
        failed = next(
            (one.lo for one in circuit.settled if one.mask & FAIL and one.lo > since), None
        )
        refused = circuit.rejected_from(since + 1)
        return not refused or (failed is not None and failed < refused[0].call.sent)

    return half_open(forwarded, circuit.rejected_from(tau.lo), tau.lo, fold.needed, still_closed)


def _unnoticed(fold: _Fold, circuit: Circuit, opening: Opening) -> Outage:
    """It should have opened, and nothing was ever rejected: no trials, and closed with the next good call."""
    tau = opening.tau
    view = circuit.view_at(tau.lo)
    reach = _reach(fold, view.slack, 0)
    closed = opening.closed
    until = circuit.until if closed is None or closed.hi is None else closed.hi
    return Outage(
        key=circuit.key,
        instance=None,
        phase=view.phase.id,
        tau=tau,
        threshold=opening.threshold,
        because=opening.because,
        cycle=0,
        duration=open_time(fold.terms, fold.plan, 0),
        first_rejection=None,
        open=_certainly_open(fold, opening, reach, 0),
        half_open=None,
        trials=(),
        ended="unknown" if closed is None else "closed",
        closed=closed,
        until=until,
    )


def _first_rejection(fold: _Fold, circuit: Circuit, tau: Interval, cycle: int) -> Joined | None:
    """The first after a reopening and before its trials: later ones may be half-open's own."""
    reach = _reach(fold, circuit.view_at(tau.lo).slack, cycle)
    refused = circuit.rejected_from(tau.lo)
    if not refused or (reach is not None and refused[0].call.sent >= tau.lo + reach):
        return None
    return refused[0]


def _reach(fold: _Fold, slack: int, cycle: int) -> int | None:
    """How long after its earliest trip it is open for certain: D·(1 − jitter) − δ; None: D is not known."""
    lasts = open_time(fold.terms, fold.plan, cycle)
    return None if lasts is None else round(lasts * (1 - fold.terms.jitter.number)) - slack


def _certainly_open(
    fold: _Fold, opening: Opening, reach: int | None, cycle: int
) -> Interval | None:
    lasts = open_time(fold.terms, fold.plan, cycle)
    if reach is None or lasts is None:
        return None
    tau, first = opening.tau, opening.rejection
    # What was found from a few gaps may be less another time, by as much as these left open.
    end = tau.lo + reach - coarse(fold.terms, lasts)
    start = tau.lo if tau.hi is None else tau.hi
    if first is not None:
        start = max(start, first.call.sent if first.call.ended is None else first.call.ended)
    return Interval(start, end) if start <= end else None
