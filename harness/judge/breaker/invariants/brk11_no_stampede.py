"""BRK-11: callers that were parked during half-open are not released all at once when it closes.

Counted are arrivals of calls that were sent before the first trial can have settled, from then on for
100 ms. Calls sent after the closing are ordinary traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds, zero_of
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import MS, Joined, Known
from harness.judge.breaker.lives import ends_early, first_arrival
from harness.judge.breaker.statistics import zero_bound
from harness.judge.breaker.times_in_words import in_ms
from harness.judge.breaker.windows import Window, note_needs, windows
from harness.model.breaker_findings import (
    BreakerFinding,
    Limit,
    Observed,
    Statistics,
    Tolerance,
)

SUBJECT = Subject(
    id="BRK-11",
    name="no stampede on closing",
    severity="major",
    condition="arrivals within 100 ms of the first trial's settling, of calls sent before it, "
    "<= instances * permits + max(bulkhead, or 10 and a fifth of the callers)",
    phases=(8,),
)

_SOON = 100 * MS
_UNDECLARED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Release:
    """What came through just after the first trial was answered."""

    window: Window
    released: Sequence[Joined]
    peak: int
    bound: int
    bound_words: str

    @property
    def excess(self) -> int:
        return len(self.released) - self.bound


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, 8):
        return early
    found = windows(known, 8)
    parked = [window for window in found if not _all_at_once(window)]
    if found and not parked and any(window.callers for window in found):
        return draft.not_applicable(
            "phase 8 (burst-good): nobody was parked, the callers were let through at once (BRK-08)"
        )
    releases = [_release(known, window) for window in parked if _succeeded(window)]
    fit = note_needs(draft, [_fit_if_good(window) for window in parked])
    slack = seconds(max((window.view.slack for window in found), default=0))
    draft.tolerance = Tolerance(
        value=0,
        parts=({"name": "slack", "value": slack, "why": "widens the 100 ms, not the count"},),
    )
    if releases:
        worst = max(releases, key=lambda one: (one.window.certain, one.excess))
        draft.limit = Limit(value=worst.bound, source=worst.bound_words)
        draft.observed = Observed(
            value=len(worst.released), unit="arrivals", per="closing", worst_of=len(releases)
        )
        draft.notes.append(f"at most {max(r.peak for r in releases)} requests in flight then")
        if worst.excess > 0 and worst.window.certain:
            return _violated(draft, worst)
    if not known.terms.permits.declared:
        draft.notes.append(f"permits not declared: judged against {_UNDECLARED}")
    draft.statistics = Statistics(
        method="clopper-pearson",
        x=0,
        m=fit,
        bound=round(zero_bound(fit), 4) if fit else None,
        confidence=0.95,
    )
    most = max((len(one.released) for one in releases if not one.window.unfit), default=0)
    return draft.held_or_inconclusive(
        f"at most {most} parked calls reached the downstream within 100 ms of the trial's success, "
        f"in {fit} windows",
        power=zero_of(fit) + " (a stampede at a closing)" if fit else "",
    )


def _all_at_once(window: Window) -> bool:
    """Most of them were trials already, so there was hardly anybody to be parked."""
    return bool(window.callers) and 2 * len(window.early) > len(window.callers)


def _succeeded(window: Window) -> bool:
    return window.first is not None and window.first.outcome == "success"


def _fit_if_good(window: Window) -> Window:
    if _succeeded(window) or window.unfit:
        return window
    return replace(window, unfit="the trial did not succeed")


def _release(known: Known, window: Window) -> _Release:
    assert window.first is not None  # it succeeded
    settled = ends_early(window.first)
    assert settled is not None
    # The breaker may have learned of it later than this earliest moment. What arrived in between is
    # counted here all the same: if it was before the closing, it was a trial too many.
    last = settled + _SOON + window.view.slack
    released = [
        joined
        for joined in window.through
        if joined.call.sent < settled <= first_arrival(joined) <= last
    ]
    bound, words = _bound(known, len(window.callers))
    return _Release(
        window=window,
        released=released,
        peak=_peak(window.through, settled, last),
        bound=bound,
        bound_words=words,
    )


def _bound(known: Known, callers: int) -> tuple[int, str]:
    terms = known.terms
    instances = int(terms.instances.number) if terms.instances.known else 1
    declared = terms.permits.declared and terms.permits.known
    permits = int(terms.permits.number) if declared else _UNDECLARED
    if terms.bulkhead.declared and terms.bulkhead.known:
        beside, words = int(terms.bulkhead.number), f"bulkhead {int(terms.bulkhead.number)}"
    else:
        beside = max(10, callers // 5)
        words = f"a fifth of {callers}" if beside > 10 else "10 more"
    unit = "permit" if permits * instances == 1 else "permits"
    unit += "" if declared else ", not declared,"
    return permits * instances + beside, f"{permits * instances} {unit} + {words}"


def _peak(through: Sequence[Joined], since: int, until: int) -> int:
    """The most requests in flight at the hop at once, among these calls and in this stretch."""
    steps: list[tuple[int, int]] = []
    for joined in through:
        for arrival in joined.call.arrivals:
            if arrival.arrived <= until and (arrival.ended is None or arrival.ended >= since):
                steps.append((arrival.arrived, 1))
                if arrival.ended is not None:
                    steps.append((arrival.ended, -1))
    level = peak = 0
    for moment, step in sorted(steps):
        level += step
        if since <= moment <= until:
            peak = max(peak, level)
    return peak


def _violated(draft: Draft, worst: _Release) -> BreakerFinding:
    first = worst.window.first
    assert first is not None
    settled = ends_early(first) or 0
    within = first_arrival(worst.released[-1]) - settled
    text = (
        f"{worst.window.name}: {len(worst.released)} calls parked during half-open reached the "
        f"downstream within {in_ms(max(within, 1))} of the trial's success; {worst.bound} would be "
        f"tolerated ({worst.bound_words})"
    )
    return draft.violated(
        text,
        counterexample(
            text,
            [first, *worst.released],
            interval=(settled, settled + _SOON + worst.window.view.slack),
            expected=f"at most {worst.bound} arrivals",
            got=f"{len(worst.released)} arrivals, {worst.peak} in flight at once",
        ),
    )
