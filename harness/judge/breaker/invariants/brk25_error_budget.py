"""BRK-25: the callers' error budget. While the downstream is healthy and the circuit closed, calls succeed.

Looked at are the baseline and what came after healing and closing again: a breaker that does not
recover is BRK-12's finding. What was short-circuited there, or failed by the service's own doing, counts
whatever budget is declared. Beside it: fallbacks while open, and calls that the service left without
any answer.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.judge.breaker.finding import Draft, Subject, counterexample
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.statistics import (
    ACCUSING,
    HOLDING,
    clopper_pearson_lower,
    clopper_pearson_upper,
    deciding_m,
    zero_bound,
)
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Statistics

SUBJECT = Subject(
    id="BRK-25",
    name="callers' error budget",
    severity="major",
    condition=(
        "outside fault and recovery, calls that are not ok <= errors_when_healthy; none of them"
        " short-circuited or failed by the service itself; every fallback as declared; no call"
        " without an answer or an arrival"
    ),
    phases=(1, 6),
)

ENOUGH = 200
HEAL = 6


@dataclass(slots=True, kw_only=True)
class Healthy:
    """The calls that had to succeed: the downstream healthy, the circuit closed."""

    baseline: list[Joined] = field(default_factory=list)
    recovered: list[Joined] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)

    @property
    def calls(self) -> list[Joined]:
        return [*self.baseline, *self.recovered]


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    finding = not_judgeable(draft, known, *SUBJECT.phases, opens=False)
    if finding is not None:
        return finding
    healthy = _healthy(known)
    bad = [joined for joined in healthy.calls if _is_bad(joined)]
    share = known.history.declared.errors_when_healthy
    draft.limit = Limit(
        value=share, source=f"declared errors_when_healthy={share:.2%}" if share else "default"
    )
    draft.observed = Observed(value=len(bad), unit="calls not ok", per=f"{len(healthy.calls):,}")
    return (
        _self_inflicted(draft, healthy, bad)
        or _over_budget(draft, healthy, bad, share)
        or _no_fallback(draft, known)
        or _no_answer(draft, known)
        or _held(draft, known, healthy, bad, share)
    )


def _is_bad(joined: Joined) -> bool:
    """Ignored outcomes are the caller's own; slow ones are BRK-15's."""
    if joined.cls == "unknown":
        return False
    good = joined.cls in ("forwarded-ok", "forwarded-slow", "forwarded-ignored")
    return not good or "masked" in joined.flags


def _healthy(known: Known) -> Healthy:
    healthy = Healthy()
    calm, groups = _Calm(known), _Groups(known)
    for view in known.phases_of(*SUBJECT.phases):
        begun = groups.begun(view)
        calls = [joined for joined in view.calls if calm.throughout(joined, begun)]
        (healthy.baseline if view.number == 1 else healthy.recovered).extend(calls)
        if view.lack:
            healthy.lacks.append(view.lack)
    if calm.unknown_recovery:
        healthy.lacks.append(
            "how long recovery may take is not known: neither open nor recovers_within is declared,"
            " and no open time was seen"
        )
    return healthy


class _Calm:
    """Where no fault was on, none had been for the time of recovery, and the circuit was closed."""

    def __init__(self, known: Known) -> None:
        self.unknown_recovery = False
        self._disturbances = _merged(self._disturbed(known))
        self._starts = [lo for lo, _ in self._disturbances]
        self._lives: dict[str, list[Outage]] = {}
        for life in known.outages:
            self._lives.setdefault(life.key, []).append(life)
        self._begins = {key: [life.tau.lo for life in lives] for key, lives in self._lives.items()}

    def throughout(self, joined: Joined, begun: int) -> bool:
        """``begun``: the circuits were closed for certain then."""
        sent, ended = joined.call.sent, joined.call.ended
        until = sent if ended is None else ended
        before = bisect_right(self._starts, until)
        if before:
            hi = self._disturbances[before - 1][1]
            if hi is None or hi >= sent:
                return False
        return all(self._closed(key, sent, begun) for key in {"", joined.call.key})

    def _closed(self, key: str, instant: int, begun: int) -> bool:
        """Certainly: it had not opened since it was, or the last life had ended in a closing."""
        before = bisect_right(self._begins.get(key, []), instant)
        if not before or self._lives[key][before - 1].tau.lo < begun:
            return True
        last = self._lives[key][before - 1]
        if not last.explained:
            # What nothing explains is no open state that could excuse a rejection.
            return True
        closed = last.closed.hi if last.ended == "closed" and last.closed is not None else None
        return closed is not None and closed < instant

    def _disturbed(self, known: Known) -> Iterable[tuple[int, int | None]]:
        """Each fault with its recovery R behind it (BRK-12)."""
        recovery = _recovery(known)
        for span in known.history.faults:
            if span.undone is None:
                yield span.applied[0], None
            elif recovery is None:
                self.unknown_recovery = True
                yield span.applied[0], None
            else:
                yield span.applied[0], span.undone[1] + recovery


class _Groups:
    """Each phase begins with circuits closed for certain, but for those that go on from the one before."""

    def __init__(self, known: Known) -> None:
        self._begun: dict[str, int] = {}
        begun = 0
        for view in known.phases:
            goes_on = view.number == HEAL or view.phase.given.get("continues")
            if not goes_on:
                begun = view.phase.entered
            self._begun[view.phase.id] = begun

    def begun(self, view: PhaseView) -> int:
        return self._begun[view.phase.id]


def _merged(stretches: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """In order and apart; the last one may have no end."""
    merged: list[tuple[int, int | None]] = []
    for lo, hi in sorted(stretches, key=lambda stretch: stretch[0]):
        if merged and (merged[-1][1] is None or merged[-1][1] >= lo):
            before, end = merged[-1]
            merged[-1] = (before, None if end is None or hi is None else max(end, hi))
        else:
            merged.append((lo, hi))
    return merged


def _recovery(known: Known) -> int | None:
    """R in nanoseconds: what is declared, else an open time, a trial's time-out and the trials."""
    declared, terms = known.history.declared, known.terms
    if declared.recovers_within is not None:
        return declared.recovers_within.ns
    longest = max((life.duration for life in known.outages if life.duration is not None), default=0)
    if not longest and not terms.open.known:
        return None
    current = max(longest, round(terms.open.number) if terms.open.known else 0)
    jitter = terms.jitter.number if terms.jitter.known else 0.0
    timeout = round(terms.call_timeout.number) if terms.call_timeout.known else 0
    trials = terms.to_close.number if terms.to_close.known else 1
    rates = [view.rate for view in known.phases_of(6) if view.rate > 0]
    gap = round(SECOND / min(rates)) if rates else 0
    slack = max((view.slack for view in known.phases), default=0)
    each = max(gap, known.baseline_latency or 0)
    return round(current * (1 + jitter)) + timeout + round(trials * each) + gap + slack


def _self_inflicted(draft: Draft, healthy: Healthy, bad: Sequence[Joined]) -> BreakerFinding | None:
    # What a bulkhead may have refused is an error for its caller, but none of the breaker's own.
    own = [joined for joined in bad if joined.rejected or "masked" in joined.flags]
    if not own:
        return None
    refused = sum(joined.cls == "short-circuited" for joined in own)
    text = (
        f"{len(own)} of {len(healthy.calls):,} calls failed by the service's own doing while the"
        f" downstream was healthy and the breaker closed ({refused} short-circuited,"
        f" {len(own) - refused} answered with an error although the downstream succeeded;"
        f" {_named(own)})"
    )
    return draft.violated(text, counterexample(text, own, expected="none", got=str(len(own))))


def _over_budget(
    draft: Draft, healthy: Healthy, bad: Sequence[Joined], share: float
) -> BreakerFinding | None:
    if not bad:
        return None
    count = len(healthy.calls)
    lower = clopper_pearson_lower(len(bad), count)
    if lower <= share:
        return None
    draft.statistics = Statistics(
        method="clopper-pearson", x=len(bad), m=count, bound=lower, confidence=ACCUSING
    )
    text = (
        f"{len(bad)} of {count:,} calls failed while the downstream was healthy and the breaker"
        f" closed ({_named(bad)})"
    )
    if share:
        text += f": {lower:.2%} or more with 99.9 % confidence, declared {share:.2%}"
    return draft.violated(text, counterexample(text, bad))


def _named(calls: Sequence[Joined]) -> str:
    return calls[0].call.rid + (" …" if len(calls) > 1 else "")


def _no_fallback(draft: Draft, known: Known) -> BreakerFinding | None:
    """A rejection while open for certain whose answer is not the declared fallback."""
    if known.history.declared.fallback is None:
        return None
    others: list[Joined] = []
    answered = 0
    for life in known.outages:
        if life.open is None:
            continue
        until = life.until if life.open.hi is None else life.open.hi
        first = bisect_right(known.calls, life.open.lo, key=_sent)
        last = bisect_right(known.calls, until, key=_sent)
        for joined in known.calls[first:last]:
            if joined.rejected and life.key in ("", joined.call.key):
                answered += 1
                if joined.call.answer != "fallback":
                    others.append(joined)
    if not others:
        return None
    text = (
        f"{len(others)} of {answered:,} calls to an open circuit were not answered with the declared"
        f" fallback: {others[0].call.rid} with {others[0].call.status}"
    )
    return draft.violated(text, counterexample(text, others))


def _sent(joined: Joined) -> int:
    return joined.call.sent


def _no_answer(draft: Draft, known: Known) -> BreakerFinding | None:
    """Neither answered nor seen behind, and not because the script left or we lost the log."""
    planned = {rid for view in known.phases for rid in _planned(view)}
    lost = [joined for joined in known.calls if _is_lost(known, joined, planned)]
    if not lost:
        return None
    ends = sorted({joined.call.end for joined in lost})
    text = (
        f"{len(lost)} of {len(known.calls):,} calls never reached the downstream and got no answer"
        f" ({', '.join(ends)}; {_named(lost)})"
    )
    return draft.violated(text, counterexample(text, lost))


def _planned(view: PhaseView) -> Iterable[str]:
    given = view.phase.given
    trial = given.get("trial")
    yield from [trial] if isinstance(trial, str) else []
    yield from given.get("left", ())


def _is_lost(known: Known, joined: Joined, planned: set[str]) -> bool:
    call = joined.call
    if joined.cls != "unknown" or call.arrivals or call.rid in planned:
        return False
    if call.end in ("answered", "left", "open"):
        # One without any end was cut off by the end of the run, as far as anybody knows.
        return False
    until = call.sent if call.ended is None else call.ended
    return not any(lo <= until and hi >= call.sent for lo, hi in known.history.gaps)


def _held(
    draft: Draft, known: Known, healthy: Healthy, bad: Sequence[Joined], share: float
) -> BreakerFinding:
    draft.need("calls in the baseline", len(healthy.baseline), at_least=ENOUGH, by_script=True)
    if not known.phases_of(6):
        return draft.not_applicable("phase 6 (heal) was not run")
    draft.need("calls after recovery", len(healthy.recovered), at_least=ENOUGH, by_script=True)
    draft.lacks += dict.fromkeys(healthy.lacks)
    count = len(healthy.calls)
    if share and count:
        upper = clopper_pearson_upper(len(bad), count)
        draft.statistics = Statistics(
            method="clopper-pearson", x=len(bad), m=count, bound=upper, confidence=HOLDING
        )
        if upper > share:
            enough = deciding_m(len(bad), count, share)
            draft.lacks.append(
                f"{len(bad)} of {count:,} calls failed: up to {upper:.2%}, declared {share:.2%}"
                + ("" if enough is None else f"; at this share {enough:,} calls would decide")
            )
    bound = zero_bound(count) if count else 1.0
    return draft.held_or_inconclusive(
        f"{len(bad)} of {count:,} calls failed while the downstream was healthy and the breaker closed",
        power=f"errors of {bound:.1%} or more of the calls would have shown with 95 % confidence",
    )
