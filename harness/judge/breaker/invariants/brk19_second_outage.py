"""BRK-19: the second outage trips like the first, with many rejected calls and a recovery in between.

Windows that count rejected calls, or that closing does not clear, need more failures the second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.opening import LONGEST, MOST_FAILURES
from harness.judge.breaker.overshoot import (
    Overshoot,
    instances,
    overshoot,
    rule_known,
    shown,
    threshold_declared,
    undeclared_bound,
)
from harness.judge.breaker.stretches import Circuits, lacks_of, said, sent_within
from harness.model.breaker_findings import BreakerFinding, Limit, Observed
from harness.model.breaker_history import FaultSpan

SUBJECT = Subject(
    id="BRK-19",
    name="the second outage trips like the first",
    severity="major",
    condition=(
        "failing calls forwarded in the second outage <= the replay's bound for it, or"
        " max(2 * found, found + in flight) where no threshold is declared"
    ),
    phases=(17,),
)

OUTAGES = 2
REJECTED = 900
WINDOWS = 10
GOOD = 50
TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """One outage of the two: its fault's span, what it offered, and what went through before it opened."""

    span: FaultSpan
    offered: Sequence[Joined]
    forwarded: Sequence[Joined]
    first_rejection: Joined | None
    trip: Overshoot | None


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    unjudged = not_judgeable(draft, known, *SUBJECT.phases)
    if unjudged is not None:
        return unjudged
    circuits = Circuits(known)
    views = known.phases_of(*SUBJECT.phases)
    pairs = [(view, _outages(known, circuits, view)) for view in views]
    whole = [(view, outages) for view, outages in pairs if len(outages) >= OUTAGES]
    draft.lacks.extend(lacks_of(views))
    if not whole:
        return draft.inconclusive("the second outage was not reached")
    draft.rounds = len(whole)
    for view, outages in whole:
        first, second = outages[0], outages[-1]
        bound = _bound(known, view, first, second)
        draft.samples.extend(_sample(one, bound) for one in (first, second))
        _measure(draft, known, second, bound)
        if bound is not None and _broken(second, bound):
            if rule_known(known) or _too_long(second):
                draft.lacks.clear()
                return _violated(draft, view, first, second, bound)
            draft.lacks.append(
                f"the first outage opened after {len(first.forwarded)} failures, the second not within"
                f" {len(second.forwarded)}; whether it opens by a row or by a share, which good calls"
                " dilute, is not known"
            )
        _needs(draft, known, view, outages, bound)
    return _held(draft, whole[-1][1])


def _outages(known: Known, circuits: Circuits, view: PhaseView) -> list[Second]:
    spans = sorted(view.faults, key=lambda span: span.applied[0])
    return [_outage(known, circuits, view, span) for span in spans]


def _outage(known: Known, circuits: Circuits, view: PhaseView, span: FaultSpan) -> Second:
    since = span.applied[0]
    until = span.undone[0] if span.undone is not None else view.phase.left
    offered = sent_within(view.calls, since, until)
    lives = [o for o in known.outages if o.cycle == 0 and _begins_in(o, view, since, until)]
    life = lives[0] if lives else None
    trip = (
        overshoot(known, circuits, life, since=since, until=until)
        if life is not None and life.explained
        else None
    )
    rejection = next((one for one in offered if one.rejected), None)
    stop = until if rejection is None else _answered(rejection)
    forwarded = [one for one in sent_within(offered, since, stop) if one.failing]
    return Second(
        span=span,
        offered=offered,
        forwarded=trip.forwarded if trip is not None else forwarded,
        first_rejection=rejection,
        trip=trip,
    )


def _begins_in(outage: Outage, view: PhaseView, since: int, until: int | None) -> bool:
    """By the certain end of its trip: the earliest may count stragglers of the outage before."""
    begins = outage.tau.lo if outage.tau.hi is None else outage.tau.hi
    return outage.phase == view.phase.id and since <= begins and (until is None or begins <= until)


def _answered(joined: Joined) -> int:
    return joined.call.sent if joined.call.ended is None else joined.call.ended


def _bound(known: Known, view: PhaseView, first: Second, second: Second) -> int | None:
    """None where the replay does not trip in the second outage: then nothing bounds it."""
    if threshold_declared(known):
        return None if second.trip is None else second.trip.bound.value
    found = known.terms.threshold
    many = instances(known)
    if found.known:
        return many * undeclared_bound(int(found.number), view)
    if first.first_rejection is None:
        return None
    return many * undeclared_bound(len(first.forwarded), view)


def _broken(second: Second, bound: int) -> bool:
    """Opened after more than it may, or never, although three times as many failing calls were there."""
    if len(second.forwarded) <= bound:
        return False
    return second.first_rejection is not None or len(second.offered) >= TIMES * bound


def _too_long(second: Second) -> bool:
    """Longer than any breaker takes, whatever dilutes its share."""
    failed = second.forwarded
    spanned = failed[-1].call.sent - failed[0].call.sent if failed else 0
    return len(failed) >= MOST_FAILURES and spanned > LONGEST


def _measure(draft: Draft, known: Known, second: Second, bound: int | None) -> None:
    terms = known.terms
    source = terms.share.source if terms.share.known else terms.threshold.source
    if not threshold_declared(known):
        source = f"threshold not declared: max(2·T̂, T̂ + Λ), {source}"
        draft.notes.append(f"{source}: judged against {bound}")
    elif second.trip is not None:
        source = f"{source}: {second.trip.words}"
    draft.limit = Limit(value=bound, source=source)
    draft.observed = Observed(
        value=len(second.forwarded), unit="failing calls", per="second outage"
    )


def _violated(
    draft: Draft, view: PhaseView, first: Second, second: Second, bound: int
) -> BreakerFinding:
    before = _rejected_before(view, second)
    opened = (
        f"the first outage opened after {len(first.forwarded)} failures"
        if first.first_rejection is not None
        else f"the first outage did not open in {len(first.forwarded)} failures"
    )
    if second.first_rejection is None:
        text = f"{opened}; in the second all {len(second.forwarded)} failing calls were forwarded"
    else:
        text = f"{opened}; the second only after {len(second.forwarded)}"
    text += f" (bound {bound})"
    if before:
        span = second.span.applied[0] - before[0].call.sent
        text += f". {len(before)} rejections fell into the {said(span)} before."
    return draft.violated(
        text,
        counterexample(
            text,
            second.forwarded[bound:][:40],
            around=[*second.forwarded, *first.forwarded],
            interval=(second.forwarded[0].call.sent, second.forwarded[-1].call.sent),
            expected=f"at most {bound} failing calls forwarded",
            got=str(len(second.forwarded)),
        ),
    )


def _rejected_before(view: PhaseView, second: Second) -> list[Joined]:
    earlier = sent_within(view.calls, view.phase.entered, second.span.applied[0])
    return [one for one in earlier if one.rejected]


def _needs(
    draft: Draft,
    known: Known,
    view: PhaseView,
    outages: Sequence[Second],
    bound: int | None,
) -> None:
    first, second = outages[0], outages[-1]
    draft.need(
        "short-circuits in the first outage", int(first.first_rejection is not None), at_least=1
    )
    before = _rejected_before(view, second)
    window = known.history.declared.window
    enough = REJECTED
    if window is not None and window.calls is not None:
        enough = min(REJECTED, WINDOWS * window.calls)
    draft.need("rejected calls before the second outage", len(before), at_least=enough)
    healed = first.span.undone[1] if first.span.undone is not None else second.span.applied[0]
    between = sent_within(view.calls, healed, second.span.applied[0])
    good = sum(one.cls == "forwarded-ok" for one in between)
    draft.need("good calls between the outages", good, at_least=GOOD)
    if window is not None and window.time is not None and before:
        since = (second.span.applied[0] - before[-1].call.sent) / window.time.ns
        draft.need(
            "the way from the rejections to the second outage, in windows",
            round(since, 2),
            at_most=1,
        )
    if bound is None:
        draft.lacks.append(
            "the replay does not reach the threshold in the second outage: nothing bounds what it may"
            f" let through ({len(second.forwarded)} failing calls)"
        )
    else:
        draft.need(
            "failing calls offered in the second outage",
            len(second.offered),
            at_least=TIMES * bound,
        )
    if second.first_rejection is None:
        draft.lacks.append("the second outage did not open either, and was too short to say more")


def _held(draft: Draft, outages: Sequence[Second]) -> BreakerFinding:
    first, second = outages[0], outages[-1]
    return draft.held_or_inconclusive(
        f"the first outage opened after {len(first.forwarded)} failures, the second after"
        f" {len(second.forwarded)}",
        power=f"{len(second.offered)} failing calls were offered in the second outage: each one more"
        " that was forwarded would have shown",
    )


def _sample(one: Second, bound: int | None) -> dict[str, object]:
    undone = one.span.undone
    opened = shown(one.trip.outage, None) if one.trip is not None else None
    return {
        "fault": [seconds(one.span.applied[1]), None if undone is None else seconds(undone[0])],
        "offered": len(one.offered),
        "forwarded": len(one.forwarded),
        "bound": bound,
        "opened": None if opened is None else round(opened / SECOND, 6),
        "first_short_circuit": None
        if one.first_rejection is None
        else one.first_rejection.call.rid,
    }
