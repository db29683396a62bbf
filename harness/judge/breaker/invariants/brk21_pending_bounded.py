"""BRK-21: pending work is bounded, while the downstream takes far longer than the call time-out.

Looked at in the slow phase and in those outages that keep calls waiting. One of them, well driven,
is enough for ``held``; each can break it. Where neither a time-out nor a bulkhead is known there is no
bound to judge by: a slow downstream then levels at λL, which is Little's law and no fault; one that
never answers must not make pending work grow for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.known import SECOND, Joined, Known, PhaseView
from harness.judge.breaker.pending_bound import Bound, longest_stay, pending_bound, service_time
from harness.judge.breaker.trends import (
    STEP,
    InFlight,
    arrivals_during,
    arrivals_of,
    behind,
    behind_span,
    growing,
    load_of,
    pending,
    pending_span,
    sockets_in,
    still_rising,
)
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

SUBJECT = Subject(
    id="BRK-21",
    name="pending work is bounded",
    severity="critical",
    condition=(
        "requests in flight behind, and calls unanswered in front but for rejections in progress,"
        " <= min(bulkhead, instances * threshold + ceil(rate * min(call_timeout, latency)) + 1),"
        " and neither grows on"
    ),
    phases=(5, 12),
)

WAITING_FAULTS = ("blackhole", "latency", "trickle")
SHORTEST = 5 * SECOND
_TIMES = 3

Side = Literal["in flight", "pending"]
_WORDS: dict[Side, str] = {
    "in flight": "requests in flight behind",
    "pending": "calls unanswered in front",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One side of one phase: its peak, and how it went on. Instants in nanoseconds."""

    view: PhaseView
    side: Side
    under_way: InFlight
    patience: int
    """From when on a rejection that is still unanswered counts as waiting."""
    bound: Bound | None
    peak: int
    peak_at: int
    since: int
    until: int
    rising: bool
    """Growing when the load ended, for certain."""

    @property
    def excess(self) -> int:
        return 0 if self.bound is None else self.peak - self.bound.certain

    @property
    def broken(self) -> bool:
        return self.excess > 0 or self.rising


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    views = [view for view in known.phases_of(5, 12) if _keeps_waiting(view)]
    if not views:
        return draft.not_applicable(
            "no phase was run that keeps calls waiting: 12 (slow), or 5 (outage) with"
            f" {', '.join(WAITING_FAULTS)}"
        )
    watched = [one for view in views for one in _watch(known, view)]
    broken = [one for one in watched if one.broken]
    # Both sides are usually broken together; the hop tells more, unless far more waits in front.
    worst = max(
        broken or watched,
        key=lambda one: (one.rising, one.peak * (1.2 if one.side == "in flight" else 1)),
    )
    draft.rounds = len(views)
    draft.samples.extend(_sample(one) for one in watched)
    draft.notes.extend(_sockets(known, view) for view in views if sockets_in(known, view))
    _measure(draft, worst, len(views))
    if known.barred:
        draft.notes.append("counted without ids: calls in front were not looked at")
    if broken:
        return _violated(draft, worst)
    if known.barred:
        draft.notes.append(f"by counts alone at most {worst.peak} {_WORDS[worst.side]}")
        return draft.inconclusive(known.barred)
    return _held(draft, known, views, watched)


def _keeps_waiting(view: PhaseView) -> bool:
    return view.number == 12 or view.phase.fault in WAITING_FAULTS


def _watch(known: Known, view: PhaseView) -> list[Watched]:
    if known.barred:
        # Which calls were rejected is not known without ids; what came to the hop can be counted.
        counted = behind(arrivals_during(known, view), view.slack)
        return [_side(known, view, "in flight", counted, 0)]
    patience = view.slack + round(known.terms.within.number if known.terms.within.known else 0)
    on_the_hop = behind(arrivals_of(view.calls), view.slack)
    return [
        _side(known, view, "in flight", on_the_hop, patience),
        _side(known, view, "pending", pending(view.calls, patience), patience),
    ]


def _side(known: Known, view: PhaseView, side: Side, under_way: InFlight, patience: int) -> Watched:
    since, until = load_of(view)
    peak, peak_at = _peak(known, under_way, since, until, view.slack)
    return Watched(
        view=view,
        side=side,
        under_way=under_way,
        patience=patience,
        bound=pending_bound(known, view),
        peak=peak,
        peak_at=peak_at,
        since=since,
        until=until,
        rising=_rising(known, view, under_way, since, until),
    )


def _peak(known: Known, under_way: InFlight, since: int, until: int, slack: int) -> tuple[int, int]:
    if known.history.declared.kind != "in-flight":
        return under_way.peak(since, until + slack)
    # Limits of concurrency are kept without locks and may be passed briefly: two samples in a row count.
    samples = under_way.samples(since, until)
    lasting = [min(pair) for pair in pairwise(samples)]
    best = max(lasting, default=0)
    return best, since + lasting.index(best) * STEP if lasting else since


def _rising(known: Known, view: PhaseView, under_way: InFlight, since: int, until: int) -> bool:
    """Where a call can stay for a known time only, growth counts from then on."""
    stay = longest_stay(known, view)
    if stay is not None:
        return growing(under_way.samples(since + stay + view.slack, until))
    return still_rising(under_way.samples(since, until))


def _measure(draft: Draft, worst: Watched, phases: int) -> None:
    draft.observed = Observed(
        value=worst.peak, unit=_WORDS[worst.side], per="phase", worst_of=phases
    )
    bound = worst.bound
    if bound is None:
        draft.limit = Limit(
            value=None, source="no call time-out and no bulkhead is known: it must not grow on"
        )
        return
    draft.limit = Limit(value=bound.value, source=bound.source)
    if bound.clumps:
        draft.tolerance = Tolerance(
            value=bound.clumps,
            parts=({"name": "clumps", "value": bound.clumps, "why": "sent closer than the rate"},),
        )


def _violated(draft: Draft, worst: Watched) -> BreakerFinding:
    rising = worst.rising or growing(worst.under_way.samples(worst.since, worst.until))
    service = service_time(worst.view)
    text = (
        f"{worst.peak} {_WORDS[worst.side]}{' and rising when the load ended' if rising else ''}"
        f" ({_rate(worst.view)}{'' if service is None else f' × {service / SECOND:.1f} s'})"
    )
    if worst.bound is not None:
        text += f"; bound {worst.bound.source} = {worst.bound.value}"
        if worst.bound.clumps:
            text += f", {worst.bound.certain} as they were really sent"
    elif service is None:
        text += "; the downstream never answered and nothing gave up"
    at = worst.peak_at if worst.excess > 0 else worst.until
    return draft.violated(
        text,
        counterexample(
            text,
            _under_way(worst, at),
            interval=(worst.since, worst.until),
            expected="" if worst.bound is None else f"at most {worst.bound.certain}",
            got=f"{worst.under_way.at(at)} at {seconds(at):.2f} s",
        ),
    )


def _under_way(worst: Watched, at: int) -> Sequence[Joined]:
    """The calls under way at that instant, the oldest first."""
    slack, patience = worst.view.slack, worst.patience

    def is_under_way(joined: Joined) -> bool:
        spans = (
            [behind_span(arrival, slack) for arrival in joined.call.arrivals]
            if worst.side == "in flight"
            else [pending_span(joined, patience)]
        )
        return any(begin <= at and (end is None or end > at) for begin, end in spans)

    return [joined for joined in worst.view.calls if is_under_way(joined)]


def _held(
    draft: Draft, known: Known, views: Sequence[PhaseView], watched: Sequence[Watched]
) -> BreakerFinding:
    """By the phase that lacks least; the slow one where several lack as much."""
    drafts = {view.phase.id: _needs(known, view) for view in views}
    best = min(views, key=lambda view: (len(drafts[view.phase.id].missing), -view.number))
    own = drafts[best.phase.id]
    draft.needs.extend(own.needs)
    draft.lacks.extend(own.lacks)
    back, front = (one for one in watched if one.view is best)
    service = service_time(best)
    if back.bound is not None:
        text = (
            f"at most {back.peak} in flight behind and {front.peak} unanswered in front;"
            f" bound {back.bound.source} = {back.bound.value}"
        )
        power = f"without a bound {_unbounded(best, service):.0f} calls would have been in flight"
    else:
        text = (
            f"levels at {back.peak} in flight ({_rate(best)} ×"
            f" {(service or 0) / SECOND:.1f} s: Little's law)"
            if service is not None
            else f"stopped growing at {back.peak} in flight"
        )
        power = "growth by a fifth from the first to the last quarter would have shown"
        draft.notes.append(
            "no call time-out and no bulkhead is known: there is no bound to judge by"
        )
        if all(service_time(view) is not None for view in views):
            text += "; not tested with a downstream that hangs"
            draft.notes.append(
                "each downstream that kept calls waiting answered in the end, and nobody gave up a call:"
                " what happens where one never answers is not known; a blackhole as a fault of the outage"
                " would show it"
            )
    return draft.held_or_inconclusive(text, power=power)


def _needs(known: Known, view: PhaseView) -> Draft:
    """What one phase must have had, in a draft of its own."""
    own = Draft(subject=SUBJECT)
    name = view.phase.id
    own.need(f"calls sent at a rate in {name}", view.phase.rate or 0, at_least=1)
    timeout = known.terms.call_timeout
    shortest = _TIMES * max(SHORTEST, round(timeout.number) if timeout.known else 0)
    since, until = load_of(view)
    own.need(
        f"seconds of load in {name}",
        round((until - since + _gap(view)) / SECOND, 2),
        at_least=round(shortest / SECOND, 2),
    )
    bound = pending_bound(known, view)
    if bound is not None:
        own.need(
            f"rate · latency in {name}",
            round(_unbounded(view, service_time(view)), 1),
            at_least=4 * bound.value,
            by_script=True,
        )
    own.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
    return own


def _gap(view: PhaseView) -> int:
    """One gap: n calls at a rate span n gaps."""
    return round(SECOND / view.rate) if view.rate > 0 else 0


def _unbounded(view: PhaseView, service: int | None) -> float:
    """λ·L: what would be in flight if nothing held it back, at most all that was sent."""
    since, until = load_of(view)
    span = until - since + _gap(view)
    return view.rate * (span if service is None else min(span, service)) / SECOND


def _rate(view: PhaseView) -> str:
    return f"λ {view.rate:.0f}/s"


def _sample(one: Watched) -> dict[str, object]:
    return {
        "phase": one.view.phase.id,
        "what": _WORDS[one.side],
        "peak": one.peak,
        "at": seconds(one.peak_at),
        "bound": None if one.bound is None else one.bound.certain,
        "rising": one.rising,
        "verdict": "violated" if one.broken else "held",
        "load": [seconds(one.since), seconds(one.until)],
    }


def _sockets(known: Known, view: PhaseView) -> str:
    found = sockets_in(known, view)
    assert found is not None, "only where they were read"
    return (
        f"open sockets of the process: at most {found.before} in the baseline, {found.most} in"
        f" {view.phase.id}"
    )
