"""BRK-05: rejections are fast, and nobody waits for a trial that hangs.

Judged by the p99 of all rejections that were sent while the circuit was open for certain, counted from
when they were due. One call that waits as long as a call time-out breaks it by itself, as does a
rejection that is not the declared answer. Callers that wait while a trial is out are looked at beside
them: unless ``trials.others: wait`` is declared, they must be rejected as fast.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.judge.breaker.finding import Draft, Subject, counterexample
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import MS, Joined, Known, Outage, PhaseView
from harness.judge.breaker.statistics import (
    ACCUSING,
    HOLDING,
    deciding_m,
    quantile,
    quantile_bounds,
)
from harness.model.breaker_findings import (
    BreakerFinding,
    Limit,
    Observed,
    Statistics,
    Tolerance,
)

SUBJECT = Subject(
    id="BRK-05",
    name="rejections are fast",
    severity="major",
    condition=(
        "p99 of (answered - due) of calls short-circuited while open <= rejection.within;"
        " none waits for a call time-out; the answer is the declared one"
    ),
    phases=(4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17),
)

FOR_P99 = 299
FOR_P95 = 59


@dataclass(slots=True, kw_only=True)
class Seen:
    """All that was sent to a circuit that would not let it through; ``slack`` the largest δ."""

    rejected: list[Joined] = field(default_factory=list)
    """Short-circuited while open for certain."""
    open: list[Joined] = field(default_factory=list)
    """All that were sent then, answered or not."""
    beside_trials: list[tuple[Joined, int]] = field(default_factory=list)
    """Sent while a trial was out, and no trial themselves; and when that trial had settled."""
    slack: int = 0
    lacks: list[str] = field(default_factory=list)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    has_states = known.history.declared.kind != "in-flight"
    finding = not_judgeable(draft, known, *SUBJECT.phases, opens=has_states)
    if finding is not None:
        return finding
    seen = _seen(known)
    draft.rounds = len(known.outages)
    draft.limit = Limit(value=_limit(known) / MS, source=f"ms; {known.terms.within.source}")
    draft.tolerance = Tolerance(
        value=seen.slack / MS,
        parts=({"name": "slack", "value": seen.slack / MS, "why": "ms, our own lateness"},),
    )
    return (
        _waited(draft, known, seen)
        or _answered_otherwise(draft, known, seen)
        or _slow(draft, known, seen)
        or _held(draft, known, seen)
    )


def _limit(known: Known) -> int:
    return round(known.terms.within.number)


def _seen(known: Known) -> Seen:
    seen = Seen()
    if known.history.declared.kind == "in-flight":
        # No state: what is refused under load is refused by the limit.
        for view in known.phases_of(*SUBJECT.phases):
            seen.slack = max(seen.slack, view.slack)
            seen.rejected += [j for j in view.calls if j.cls == "short-circuited"]
        return seen
    looked_at: dict[str, PhaseView] = {}
    for outage in known.outages:
        for view in _reached_by(known, outage):
            looked_at[view.phase.id] = view
            _take(seen, known, outage, view)
    # With several instances a call may lie in the open states of more than one.
    seen.rejected = list({joined.call.rid: joined for joined in seen.rejected}.values())
    seen.open = list({joined.call.rid: joined for joined in seen.open}.values())
    for view in looked_at.values():
        seen.slack = max(seen.slack, view.slack)
        seen.lacks += [lack for lack in (view.lack, view.timing) if lack]
    return seen


def _reached_by(known: Known, outage: Outage) -> Iterable[PhaseView]:
    """The phases into which this life reaches: its own, and what was run before it ended."""
    for view in known.phases:
        if view.number in SUBJECT.phases and view.calls:
            first, last = view.calls[0].call.sent, view.calls[-1].call.sent
            if first <= outage.until and last >= outage.tau.lo:
                yield view


def _take(seen: Seen, known: Known, outage: Outage, view: PhaseView) -> None:
    if outage.open is not None:
        hi = outage.until if outage.open.hi is None else outage.open.hi
        first = outage.first_rejection
        # The first rejection shows that it is open, and is one itself.
        lo = outage.open.lo if first is None else min(outage.open.lo, first.call.sent)
        for joined in _sent_in(view, outage.key, lo, hi):
            seen.open.append(joined)
            if joined.rejected:
                seen.rejected.append(joined)
    if known.history.declared.trials.others == "wait" or not outage.trials:
        return
    settled = outage.trials[0].settled
    begin = outage.half_open.lo if outage.half_open else outage.trials[0].call.sent
    end = outage.until if settled is None else settled.lo
    for joined in _sent_in(view, outage.key, begin, end):
        if not _admitted_before(joined, end):
            seen.beside_trials.append((joined, end))


def _sent_in(view: PhaseView, key: str, lo: int, hi: int) -> Iterable[Joined]:
    calls = view.calls
    first = bisect_left(calls, lo, key=lambda joined: joined.call.sent)
    last = bisect_right(calls, hi, key=lambda joined: joined.call.sent)
    return (joined for joined in calls[first:last] if key in ("", joined.call.key))


def _admitted_before(joined: Joined, instant: int) -> bool:
    return joined.forwarded and joined.call.arrivals[0].arrived < instant


def _waited_until(known: Known, joined: Joined) -> int:
    """It waited until then at least: it was answered, let through, or given up by its caller."""
    call = joined.call
    if call.arrivals:
        return call.arrivals[0].arrived
    if call.ended is not None:
        # One that broke did not wait; BRK-25 has it.
        return call.ended if call.end in ("answered", "deadline", "left") else call.sent
    view = known.by_id.get(call.phase)
    return call.sent if view is None or view.phase.left is None else view.phase.left


def _waiting(known: Known, joined: Joined) -> int:
    """From when it was due or, if that was later, sent: our own lateness is nobody's waiting."""
    return _waited_until(known, joined) - max(joined.call.due, joined.call.sent)


def _parked(known: Known, joined: Joined, settled: int) -> int:
    """How long it waited if the trial's end was what it waited for, else 0.

    A hundred callers at once also keep a sound service busy for a while; that is not meant.
    """
    return _waiting(known, joined) if _waited_until(known, joined) >= settled else 0


def _waited(draft: Draft, known: Known, seen: Seen) -> BreakerFinding | None:
    """A call that waited for as long as a call time-out."""
    timeout = known.terms.call_timeout
    if not timeout.known:
        return None
    least = round(timeout.number) + seen.slack
    beside = [joined for joined, _ in seen.beside_trials]
    waited = [joined for joined in [*seen.open, *beside] if _waiting(known, joined) >= least]
    if not waited:
        return None
    longest = max(_waiting(known, joined) for joined in waited)
    draft.observed = Observed(value=longest / MS, unit="ms", per="call")
    first = waited[0]
    text = (
        f"{len(waited)} of {len(seen.open) + len(seen.beside_trials)} calls to an open circuit waited"
        f" for {timeout.number / MS:.0f} ms or more, up to {longest / MS:.0f} ms"
        f" ({first.call.rid} waited {_waiting(known, first) / MS:.0f} ms); limit"
        f" {_limit(known) / MS:.0f} ms, and none may wait for the call time-out"
    )
    return draft.violated(text, counterexample(text, waited, expected="rejected at once"))


def _answered_otherwise(draft: Draft, known: Known, seen: Seen) -> BreakerFinding | None:
    """A rejection that is neither the declared one nor the declared fallback."""
    declared = known.history.declared
    if declared.rejection.status is None and declared.fallback is None:
        return None
    others = [joined for joined in seen.rejected if "undeclared-rejection" in joined.flags]
    if not others:
        return None
    first = others[0].call
    draft.observed = Observed(value=len(others), unit="answers that are not the declared one")
    text = (
        f"{len(others)} of {len(seen.rejected)} rejections were not answered as declared:"
        f" {first.rid} with {first.status}"
    )
    return draft.violated(text, counterexample(text, others))


def _slow(draft: Draft, known: Known, seen: Seen) -> BreakerFinding | None:
    """The lower bound of p99, which few values can have, lies over the limit.

    Nobody is accused of our own lateness; it still stands in the way of ``held``.
    """
    limit = _limit(known) + seen.slack
    populations = [
        ("rejections", _sorted(_waiting(known, joined) for joined in seen.rejected), seen.rejected),
        (
            "waits of calls beside a trial",
            _sorted(_parked(known, joined, end) for joined, end in seen.beside_trials),
            [joined for joined, _ in seen.beside_trials],
        ),
    ]
    for what, ordered, calls in populations:
        lower, _ = quantile_bounds(ordered, 0.99)
        if lower is None or lower <= limit:
            continue
        draft.observed = Observed(value=quantile(ordered, 0.99) / MS, unit="ms", per="p99")
        draft.statistics = _statistics(ordered, limit, lower, ACCUSING)
        text = (
            f"p99 of {len(ordered)} {what} is {lower / MS:.1f} ms or more with 99.9 % confidence;"
            f" limit {_limit(known) / MS:.0f} ms"
        )
        slowest = sorted(calls, key=lambda joined: -_waiting(known, joined))
        return draft.violated(text, counterexample(text, slowest))
    return None


def _latency(joined: Joined) -> int:
    """Counted from when it was due; only of rejections, which were answered."""
    call = joined.call
    return 0 if call.ended is None else call.ended - call.due


def _sorted(values: Iterable[int]) -> list[int]:
    return sorted(values)


def _statistics(ordered: Sequence[int], limit: int, bound: int, confidence: float) -> Statistics:
    return Statistics(
        method="order statistics",
        x=len(ordered) - bisect_right(ordered, limit),
        m=len(ordered),
        bound=bound / MS,
        confidence=confidence,
    )


def _held(draft: Draft, known: Known, seen: Seen) -> BreakerFinding:
    ordered = _sorted(_latency(joined) for joined in seen.rejected)
    draft.lacks += seen.lacks
    if not draft.need("rejected calls", len(ordered), at_least=FOR_P95):
        return draft.held_or_inconclusive("", power="")
    q, name = (0.99, "p99") if len(ordered) >= FOR_P99 else (0.95, "p95")
    if q < 0.99:
        draft.notes.append(f"p99 not judged: {FOR_P99} rejections needed")
    _, upper = quantile_bounds(ordered, q)
    assert upper is not None, "enough values for an upper bound"
    limit, shown = _limit(known), quantile(ordered, q)
    draft.observed = Observed(value=shown / MS, unit="ms", per=name)
    draft.statistics = _statistics(ordered, limit, upper, HOLDING)
    if upper > limit:
        draft.lacks.append(_undecided(name, q, ordered, limit, upper))
    text = (
        f"{len(ordered)} rejections, {name} {shown / MS:.1f} ms (95 % CI ≤ {upper / MS:.1f} ms),"
        f" limit {limit / MS:.0f} ms" + ("" if q == 0.99 else f". p99 not judged: {FOR_P99} needed")
    )
    return draft.held_or_inconclusive(
        text, power=f"a {name} over {limit / MS:.0f} ms would have shown with 95 % confidence"
    )


def _undecided(name: str, q: float, ordered: Sequence[int], limit: int, upper: int) -> str:
    over = len(ordered) - bisect_right(ordered, limit)
    enough = deciding_m(over, len(ordered), 1 - q)
    more = "" if enough is None else f"; at this share {enough} rejections would decide"
    return (
        f"the upper bound of {name} is {upper / MS:.1f} ms, over the limit of {limit / MS:.0f} ms"
        f" ({over} of {len(ordered)} took longer){more}"
    )
