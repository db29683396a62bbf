"""BRK-22: a closed breaker passes callers on side by side, and the service's own limits are no failures.

Peak and wall time are read off bursts on a healthy downstream that takes its time. A burst of several times
the bulkhead must not open the breaker: the calls after it go through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Joined, Known, PhaseView
from harness.judge.breaker.lives import first_arrival
from harness.judge.breaker.overshoot import threshold_declared
from harness.judge.breaker.times_in_words import in_seconds
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

SUBJECT = Subject(
    id="BRK-22",
    name="transparent while closed",
    severity="major",
    condition="of callers at once on a healthy downstream all are forwarded, "
    "min(callers, bulkhead) of them at the same time, within 2 * latency + slack; after a burst of "
    "4 * bulkhead the next 5 calls are forwarded",
    phases=(2,),
)

_CALLERS = 20
_BURSTS = 3
_CROWD = 4
_AFTER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Burst:
    """Callers at once. ``overlap``: how many were sent before the first of them was answered."""

    view: PhaseView
    calls: Sequence[Joined]
    overlap: int
    peak: int
    latency: int
    """How long the downstream takes for one of them."""
    wall: int | None
    """From the first sending to the last answer; None: one was not answered."""
    after: Sequence[Joined]


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *SUBJECT.phases, opens=False):
        return early
    bulkhead = known.terms.bulkhead
    declared = bulkhead.declared and bulkhead.known
    most = int(bulkhead.number) if declared else None
    bursts: list[_Burst] = []
    for view in known.phases_of(*SUBJECT.phases):
        draft.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
        bursts.extend(_bursts(view))
    crowds = [burst for burst in bursts if most is not None and len(burst.calls) >= _CROWD * most]
    largest = _CALLERS if most is None else max(_CALLERS, most)
    usual = [burst for burst in bursts if most is None or len(burst.calls) <= largest]
    draft.samples.extend(_sample(burst) for burst in bursts)
    draft.limit = Limit(
        value=_expected(_CALLERS, most),
        source=bulkhead.source if declared else f"{_CALLERS} callers, bulkhead not declared",
    )
    judged = _judged(known, draft, usual)
    for burst in judged:
        if wrong := _short_circuited(burst, most):
            return _violated(draft, burst, wrong)
    held_back = [wrong for burst in judged if (wrong := _held_back(burst, most))]
    # A slow machine may hold callers back now and then; a lock or a pool does it each time.
    if held_back and len(held_back) == len(judged):
        return _violated(draft, judged[0], held_back[0])
    draft.lacks.extend(f"in {len(held_back)} of {len(judged)} bursts: {w}" for w in held_back[:1])
    for burst in crowds:
        if wrong := _opened(burst):
            return _opened_by_crowd(draft, burst, wrong)
    whole = [burst for burst in judged if _forwarded(burst) >= _expected(len(burst.calls), most)]
    if len(whole) < len(judged):
        draft.lacks.append(f"in {len(judged) - len(whole)} bursts a caller got no answer at all")
    return _rest(draft, usual, whole, crowds, most)


def _judged(known: Known, draft: Draft, usual: Sequence[_Burst]) -> list[_Burst]:
    """The bursts that overlapped, on a breaker that was closed; the others are a lack."""
    opened = [burst for burst in usual if _had_opened(known, burst) or _may_be_slow(known, burst)]
    draft.lacks.extend(
        f"{burst.view.phase.id}: it had opened, as what failed explains, or what may be slow for it"
        for burst in opened[:1]
    )
    return [
        burst
        for burst in usual
        if burst.overlap >= _CALLERS and not burst.view.lack and burst not in opened
    ]


def _rest(
    draft: Draft,
    usual: Sequence[_Burst],
    whole: Sequence[_Burst],
    crowds: Sequence[_Burst],
    most: int | None,
) -> BreakerFinding:
    shown = whole if len(whole) >= _BURSTS else usual
    overlap = min((burst.overlap for burst in shown), default=0)
    draft.need("callers overlapping at the front", overlap, at_least=_CALLERS)
    draft.need("bursts", len(whole), at_least=_BURSTS)
    if most is not None:
        draft.need(f"bursts of {_CROWD} * bulkhead", len(crowds), at_least=1)
        after = max((len(burst.after) for burst in crowds), default=0)
        draft.need("calls after that burst", after, at_least=_AFTER)
    draft.rounds = len(whole)
    peak = min((burst.peak for burst in whole), default=0)
    wall = max((burst.wall or 0 for burst in whole), default=0)
    draft.observed = Observed(
        value=peak, unit="in flight", per="burst", worst_of=len(whole) or None
    )
    return draft.held_or_inconclusive(
        f"{len(whole)} bursts of {_CALLERS} callers: at least {peak} in flight at once, "
        f"{in_seconds(wall)} at most",
        power=f"one at a time would have shown a peak of 1 and {overlap} times the latency, "
        f"in each of {len(whole)} bursts",
    )


def _bursts(view: PhaseView) -> list[_Burst]:
    """The calls sent together, as the script says or as they overlap, each with the single calls after it."""
    groups = _as_scripted(view) or _as_they_overlap(view)
    bursts = []
    for number, group in enumerate(groups, 1):
        if len(group) > 1:
            after = takewhile(lambda later: len(later) == 1, groups[number:])
            bursts.append(_burst(view, group, [joined for one in after for joined in one]))
    return bursts


def _as_scripted(view: PhaseView) -> list[Sequence[Joined]]:
    sizes = [int(size) for size in view.phase.given.get("bursts", ())]
    if not sizes or sum(sizes) > len(view.calls):
        return []
    ends = list(accumulate(sizes))
    bursts = [view.calls[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return [*bursts, *([joined] for joined in view.calls[ends[-1] :])]


def _as_they_overlap(view: PhaseView) -> list[Sequence[Joined]]:
    """A call belongs to those before it while none of them that was forwarded has ended."""
    groups: list[list[Joined]] = []
    over: int | None = None
    for joined in view.calls:
        if not groups or (over is not None and joined.call.sent >= over):
            groups.append([])
            over = None
        groups[-1].append(joined)
        ended = joined.call.ended
        if joined.forwarded and ended is not None:
            over = ended if over is None else min(over, ended)
        elif not joined.forwarded and len(groups[-1]) == 1:
            over = ended
    return list(groups)


def _burst(view: PhaseView, calls: Sequence[Joined], after: Sequence[Joined]) -> _Burst:
    ends = [joined.call.ended for joined in calls if joined.call.ended is not None]
    first_end = min((j.call.ended for j in calls if j.forwarded and j.call.ended), default=None)
    overlap = sum(first_end is None or joined.call.sent < first_end for joined in calls)
    taken = [
        arrival.ended - arrival.arrived
        for joined in calls
        for arrival in joined.call.arrivals
        if arrival.ended is not None
    ]
    whole = len(ends) == len(calls)
    return _Burst(
        view=view,
        calls=calls,
        overlap=overlap,
        peak=_peak(calls),
        latency=max([view.phase.latency, *taken]),
        wall=max(ends) - calls[0].call.sent if whole else None,
        after=[joined for joined in after if not ends or joined.call.sent > max(ends)][:_AFTER],
    )


def _peak(calls: Sequence[Joined]) -> int:
    """The most requests at the hop at once; one that ends as another comes is not beside it."""
    steps = sorted(
        step
        for joined in calls
        for arrival in joined.call.arrivals
        for step in (
            (arrival.arrived, 1),
            *(((arrival.ended, -1),) if arrival.ended is not None else ()),
        )
    )
    level = peak = 0
    for _, step in steps:
        level += step
        peak = max(peak, level)
    return peak


def _expected(callers: int, bulkhead: int | None) -> int:
    return callers if bulkhead is None else min(callers, bulkhead)


def _forwarded(burst: _Burst) -> int:
    return sum(joined.forwarded for joined in burst.calls)


def _had_opened(known: Known, burst: _Burst) -> bool:
    """Its healthy downstream was too slow for it, or failed: then it is no closed one that is looked at."""
    last = max(joined.call.ended or joined.call.sent for joined in burst.calls)
    return any(
        life.phase == burst.view.phase.id
        and life.explained
        and life.tau.lo <= last
        and (
            life.closed is None
            or life.closed.hi is None
            or life.closed.hi >= burst.calls[0].call.sent
        )
        for life in known.outages
    )


def _may_be_slow(known: Known, burst: _Burst) -> bool:
    """Nothing is declared, and the answers before it were later than the baseline's: it may count them.

    What was rejected before any of them had come is none of that.
    """
    if threshold_declared(known) or known.terms.slow.declared:
        return False
    rejected = [one.call.ended or one.call.sent for one in burst.calls if one.rejected]
    before = (one.settled.lo for one in burst.view.calls if one.forwarded and one.settled)
    return bool(rejected) and any(lo <= max(rejected) for lo in before)


def _short_circuited(burst: _Burst, bulkhead: int | None) -> str:
    callers = len(burst.calls)
    rejected = sum(joined.cls == "short-circuited" for joined in burst.calls)
    if rejected <= callers - _expected(callers, bulkhead):
        return ""
    return f"{rejected} of {callers} concurrent callers were short-circuited while it was closed"


def _held_back(burst: _Burst, bulkhead: int | None) -> str:
    """How the callers were not passed on side by side."""
    callers = len(burst.calls)
    if any(joined.cls == "unknown" for joined in burst.calls):
        return ""
    if burst.peak < _expected(callers, bulkhead):
        how = "one at a time" if burst.peak == 1 else f"{burst.peak} at a time"
        wall = "" if burst.wall is None else f", {in_seconds(burst.wall)} for {callers} calls"
        return (
            f"{callers} concurrent callers were passed on {how}: peak {burst.peak} in flight"
            f"{wall} of {in_seconds(burst.latency)}"
        )
    return _too_long(burst) if bulkhead is None else ""


def _too_long(burst: _Burst) -> str:
    limit = 2 * burst.latency + burst.view.slack
    if burst.view.timing or burst.wall is None or burst.wall <= limit:
        return ""
    return (
        f"{len(burst.calls)} concurrent callers took {in_seconds(burst.wall)}, calls of "
        f"{in_seconds(burst.latency)}; at most {in_seconds(limit)}"
    )


def _opened(burst: _Burst) -> str:
    """The burst's own overload opened the breaker: calls one after the other are rejected after it."""
    rejected = [joined for joined in burst.after if joined.rejected]
    if not rejected:
        return ""
    return (
        f"of {len(burst.calls)} concurrent callers {_forwarded(burst)} were forwarded and the others refused by "
        f"the service's own limit, which opened the breaker: {len(rejected)} of the next "
        f"{len(burst.after)} calls were short-circuited"
    )


def _sample(burst: _Burst) -> dict[str, object]:
    arrivals = [first_arrival(joined) for joined in burst.calls if joined.forwarded]
    return {
        "window": burst.view.phase.id,
        "callers": len(burst.calls),
        "first_sent": seconds(burst.calls[0].call.sent),
        "last_sent": seconds(burst.calls[-1].call.sent),
        "overlapping": burst.overlap,
        "forwarded": len(arrivals),
        "peak": burst.peak,
        "wall_s": None if burst.wall is None else seconds(burst.wall),
        "latency_s": seconds(burst.latency),
        "short_circuited_after": [j.call.rid for j in burst.after if j.rejected],
    }


def _violated(draft: Draft, burst: _Burst, wrong: str) -> BreakerFinding:
    draft.observed = Observed(value=burst.peak, unit="in flight", per="burst")
    draft.tolerance = Tolerance(
        value=seconds(burst.view.slack),
        parts=({"name": "slack", "value": seconds(burst.view.slack), "why": "of the wall time"},),
    )
    return draft.violated(
        wrong,
        counterexample(
            wrong,
            burst.calls,
            interval=(burst.calls[0].call.sent, burst.calls[0].call.sent + (burst.wall or 0)),
            expected="all forwarded side by side",
            got=f"peak {burst.peak} in flight",
        ),
    )


def _opened_by_crowd(draft: Draft, burst: _Burst, wrong: str) -> BreakerFinding:
    rejected = [joined for joined in burst.after if joined.rejected]
    draft.observed = Observed(value=len(rejected), unit="short-circuits", per="the next 5 calls")
    return draft.violated(
        wrong,
        counterexample(
            wrong,
            rejected,
            around=burst.calls,
            expected="the next 5 calls forwarded",
            got=f"{len(rejected)} short-circuited",
        ),
    )
