"""BRK-06: it stays open long enough: no first trial before the open time, counted from the earliest trip.

One that succeeded although the circuit went on rejecting was no trial but a leak; that is BRK-04's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.breaker.early_trials import was_leak
from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, Outage
from harness.judge.breaker.lives import log_lost
from harness.judge.breaker.stretches import (
    Circuits,
    arrived,
    coarseness,
    lacks_of,
    said,
    sent_within,
    several,
    visible_outages,
    walk,
)
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

SUBJECT = Subject(
    id="BRK-06",
    name="stays open long enough",
    severity="critical",
    condition=(
        "the first arrival after a certain short-circuit >= tau.lo + open * (1 - jitter) - slack, in each"
        " cycle"
    ),
    phases=(4, 5, 6, 9, 17),
)

CYCLES = 3
LAST_PART = 0.2
CALLS_IN_LAST_PART = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One open state: the first arrival after it showed, and the earliest instant for one. Nanoseconds."""

    outage: Outage
    number: int
    allowed: int
    first: Joined | None
    leaks: Sequence[Joined]
    last_part: Sequence[Joined]
    """The calls that were sent in the last fifth of the open time."""

    @property
    def early(self) -> int:
        """By how much the first arrival came too early; 0 or less if it did not."""
        return 0 if self.first is None else self.allowed - arrived(self.first)

    @property
    def watched(self) -> bool:
        return len(self.last_part) >= CALLS_IN_LAST_PART


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    unjudged = not_judgeable(draft, known, *SUBJECT.phases)
    if unjudged is not None:
        return unjudged
    if not known.terms.open.known:
        return draft.inconclusive(f"how long it stays open is not known: {known.terms.open.source}")
    circuits = Circuits(known)
    opened = [o for o in visible_outages(known, *SUBJECT.phases) if _can_tell(known, o)]
    cycles = [
        _cycle(known, circuits, outage, number)
        for number, outage in enumerate(opened, 1)
        if not known.by_id[outage.phase].timing
    ]
    draft.rounds = len(cycles)
    draft.samples.extend(_sample(cycle) for cycle in cycles)
    _measure(draft, known, cycles)
    early = [cycle for cycle in cycles if cycle.early > 0]
    if early:
        return _violated(draft, known, early)
    phases = {outage.phase for outage in opened}
    views = [view for view in known.phases if view.phase.id in phases]
    draft.lacks.extend(lacks_of(views, timing=True))
    for cycle in cycles:
        if log_lost(known, cycle.outage.tau.lo, cycle.allowed):
            draft.lacks.append(f"the hop's log has a gap in the open state of {cycle.outage.phase}")
    return _held(draft, cycles)


def _can_tell(known: Known, outage: Outage) -> bool:
    """Of several instances the trials of one follow on a failed trial of another, and say nothing."""
    shown = outage.first_rejection is not None and outage.duration is not None
    return shown and not (outage.cycle and several(known, outage))


def _cycle(known: Known, circuits: Circuits, outage: Outage, number: int) -> Cycle:
    assert outage.duration is not None
    assert outage.first_rejection is not None
    view, calls = known.by_id[outage.phase], circuits.calls(outage)
    lasts = _open_time(known, outage.duration) - coarseness(known, outage.duration)
    allowed = outage.tau.lo + lasts - view.slack
    shown = outage.first_rejection.call
    since = shown.sent if shown.ended is None else shown.ended
    if several(known, outage) and outage.tau.hi is not None:
        # The others may still be closed until the last of them has opened.
        since = max(since, outage.tau.hi + view.slack + 1)
    first, leaks = None, []
    for one in walk(calls, since, circuits.until(outage)):
        if not one.forwarded:
            continue
        if arrived(one) < allowed and was_leak(calls, one, allowed):
            leaks.append(one)
            continue
        first = one
        break
    begin = allowed - round(LAST_PART * outage.duration)
    return Cycle(
        outage=outage,
        number=number,
        allowed=allowed,
        first=first,
        leaks=leaks,
        last_part=sent_within(calls, begin, allowed),
    )


def _open_time(known: Known, duration: int) -> int:
    jitter = known.terms.jitter
    return round(duration * (1 - (jitter.number if jitter.known else 0.0)))


def _measure(draft: Draft, known: Known, cycles: Sequence[Cycle]) -> None:
    terms = known.terms
    draft.limit = Limit(value=seconds(round(terms.open.number)), source=terms.open.source)
    if not terms.open.declared:
        draft.notes.append(
            f"open not declared: judged against the shortest gap, {said(round(terms.open.number))}"
            f" ({terms.open.source})"
        )
    slack = max((known.by_id[cycle.outage.phase].slack for cycle in cycles), default=0)
    coarse = coarseness(known, round(terms.open.number))
    parts = [("slack", slack, "when the breaker decides is not seen")]
    parts += [("resolution", coarse, "the open time was found")] if coarse else []
    draft.tolerance = Tolerance(
        value=seconds(slack + coarse),
        parts=tuple(
            {"name": name, "value": seconds(value), "why": why} for name, value, why in parts
        ),
    )
    for cycle in cycles:
        draft.notes.extend(
            f"{leak.call.rid} reached the downstream in the open state and changed nothing: a leak (BRK-04)"
            for leak in cycle.leaks[:1]
        )


def _held(draft: Draft, cycles: Sequence[Cycle]) -> BreakerFinding:
    watched = [cycle for cycle in cycles if cycle.watched]
    draft.need(
        f"cycles with {CALLS_IN_LAST_PART} calls or more in the last fifth of their open time",
        len(watched),
        at_least=CYCLES,
    )
    counted = sum(len(cycle.last_part) for cycle in watched)
    gaps = [_gap(cycle) for cycle in watched if cycle.first is not None]
    shortest = min(gaps, default=None)
    if shortest is not None:
        draft.observed = Observed(
            value=seconds(shortest), unit="s to the first arrival", per="cycle", worst_of=len(gaps)
        )
    text = f"{len(watched)} cycles without an arrival in the open time"
    if shortest is not None:
        text += f"; the first came {said(shortest)} after a trip at the earliest"
    fewest = min((len(cycle.last_part) for cycle in watched), default=0)
    return draft.held_or_inconclusive(
        text,
        power=f"{counted} calls were sent in the last fifth of the open time ({fewest} or more in each"
        " cycle): opening a fifth too early would have let one through",
    )


def _gap(cycle: Cycle) -> int:
    assert cycle.first is not None
    return arrived(cycle.first) - cycle.outage.tau.lo


def _violated(draft: Draft, known: Known, early: Sequence[Cycle]) -> BreakerFinding:
    worst = max(early, key=lambda cycle: cycle.early)
    outage = worst.outage
    assert worst.first is not None
    assert outage.duration is not None
    word = "declared" if known.terms.open.declared else "found before"
    after = "reopening" if outage.cycle else "the trip"
    text = (
        f"cycle {worst.number}: first arrival {said(_gap(worst))} after {after}, {word}"
        f" {said(outage.duration)}; {worst.first.call.rid} was {said(worst.early)} too early"
        f" [{outage.phase}]"
    )
    if len(early) > 1:
        text += f"; {len(early)} cycles were too short"
    draft.observed = Observed(
        value=seconds(_gap(worst)), unit="s to the first arrival", per="cycle", worst_of=len(early)
    )
    rejected = outage.first_rejection
    return draft.violated(
        text,
        counterexample(
            text,
            [cycle.first for cycle in early if cycle.first is not None],
            around=[*([rejected] if rejected else []), *outage.because],
            interval=(outage.tau.lo, arrived(worst.first)),
            expected=f"no arrival before {worst.allowed / SECOND:.3f} s",
            got=f"an arrival at {arrived(worst.first) / SECOND:.3f} s",
        ),
    )


def _sample(cycle: Cycle) -> dict[str, object]:
    tau = cycle.outage.tau
    return {
        "cycle": cycle.number,
        "phase": cycle.outage.phase,
        "reopened": cycle.outage.cycle > 0,
        "tripped": [seconds(tau.lo), None if tau.hi is None else seconds(tau.hi)],
        "not_before": seconds(cycle.allowed),
        "first": None if cycle.first is None else cycle.first.call.rid,
        "first_arrival": None if cycle.first is None else seconds(arrived(cycle.first)),
        "calls_in_last_fifth": len(cycle.last_part),
        "verdict": "violated" if cycle.early > 0 else "held" if cycle.watched else "inconclusive",
    }
