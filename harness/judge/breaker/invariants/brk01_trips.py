"""BRK-01: it trips. Looked at once for each kind of fault: breakers often know only some of them.

One short-circuit soon after the threshold shows it; twenty calls after it, all forwarded, show that it
does not. Where no threshold is declared, 200 failures that take 30 s must be enough for anything that is
called a breaker: fewer may be diluted by good calls, and so may all of a shorter time. Refused connections hide what arrives: there only a declared rejection tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.overshoot import instances, most_in_flight, threshold_declared
from harness.judge.breaker.stretches import HIDES_ARRIVALS, Circuits, lacks_of, said, sent_within
from harness.model.breaker_findings import BreakerFinding, Limit, Observed

SUBJECT = Subject(
    id="BRK-01",
    name="trips",
    severity="critical",
    condition=(
        "a call sent in (tau.hi + slack, tau.hi + slack + max(1 s, 20 / rate)], and before a trial may"
        " start, is short-circuited"
    ),
    phases=(4, 5),
)

CALLS_AFTER = 20
MOST_FAILURES = 200
LONGEST = 30 * SECOND
_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One phase: what failed in it, and what came after the threshold.

    ``failures`` settled for certain of ``needed``; ``after`` are the calls of the stretch in which one
    must be short-circuited, ``shown`` the first that was.
    """

    view: PhaseView
    failing: Sequence[Joined]
    failures: int
    needed: int
    outage: Outage | None
    after: Sequence[Joined]
    shown: Joined | None
    broken: bool
    spanned: int = 0
    """How long the failing went on, in nanoseconds."""

    @property
    def kind(self) -> str:
        return self.view.phase.fault or self.view.phase.name

    @property
    def unclear(self) -> int:
        """Calls of the stretch that were neither forwarded nor short-circuited for certain."""
        return sum(not one.forwarded and not one.rejected for one in self.after)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    early = not_judgeable(draft, known, *SUBJECT.phases, opens=False)
    if early is not None:
        return early
    views = known.phases_of(*SUBJECT.phases)
    looked_at = [view for view in views if _can_tell(known, view, draft)]
    circuits = Circuits(known)
    tried = [_try(known, circuits, view) for view in looked_at]
    if not tried:
        return draft.inconclusive("; ".join(draft.notes) or "no phase made calls fail")
    draft.limit = _limit(known)
    draft.rounds = len(tried)
    draft.samples.extend(_sample(one) for one in tried)
    broken = [one for one in tried if one.broken]
    if broken:
        return _violated(draft, known, tried, broken)
    draft.lacks.extend(lacks_of(views))
    return _held(draft, known, tried)


def _can_tell(known: Known, view: PhaseView, draft: Draft) -> bool:
    """Whether this phase's fault shows anything of it; a note says why not."""
    fault, terms = view.phase.fault, known.terms
    if fault == HIDES_ARRIVALS:
        told = any(one.call.answer == "rejection" for one in view.calls)
        draft.notes.append(
            f"{fault}: "
            + (
                "opened, by the declared rejection alone"
                if told and known.history.declared.rejection.status is not None
                else "not judged, for a refused connection hides whether a call was forwarded"
            )
        )
        return False
    if fault == "latency" and not terms.call_timeout.known and not terms.slow_share.known:
        failing = any(one.outcome == "failure" for one in view.calls)
        if not failing:
            draft.notes.append(
                "latency: not judged, for neither call_timeout nor slow makes late answers failures"
                " (BRK-15 and BRK-21 say what they did)"
            )
        return failing
    return True


def _try(known: Known, circuits: Circuits, view: PhaseView) -> Tried:
    if not threshold_declared(known):
        return _try_bound(view, MOST_FAILURES, longest=LONGEST)
    trips = [o for o in known.outages if o.phase == view.phase.id and o.cycle == 0]
    certain = [_after(known, circuits, view, outage) for outage in trips if outage.tau.hi]
    if certain:
        return max(certain, key=lambda one: (one.broken, one.shown is None))
    if known.terms.share.known:
        # Of a share the replay may not know when it is reached; nothing but failures reaches it for certain.
        return _try_bound(view, _certain_share(known, view))
    needed = instances(known) * int(known.terms.threshold.number)
    return Tried(
        view=view,
        failing=_failing(view.calls),
        failures=min(_most_in_a_row(view.calls), needed - 1),
        needed=needed,
        outage=None,
        after=(),
        shown=None,
        broken=False,
    )


def _certain_share(known: Known, view: PhaseView) -> int:
    """As many failures as fill the window, and what is in flight, whatever the share is taken of."""
    terms, declared = known.terms, known.history.declared.window
    window = declared.calls if declared is not None and declared.calls is not None else 0
    minimum = round(terms.minimum.number) if terms.minimum.known else 0
    return max(MOST_FAILURES, instances(known) * max(window, minimum) + most_in_flight(view))


def _most_in_a_row(calls: Sequence[Joined]) -> int:
    most, run = 0, 0
    for one in calls:
        run = run + 1 if _settled(one) else 0 if one.outcome == "success" else run
        most = max(most, run)
    return most


def _after(known: Known, circuits: Circuits, view: PhaseView, outage: Outage) -> Tried:
    """The calls between the certain trip and the first trial: all forwarded, or one is not."""
    assert outage.tau.hi is not None
    since = outage.tau.hi + view.slack
    rate = view.rate or CALLS_AFTER
    until = since + max(SECOND, round(CALLS_AFTER * SECOND / rate))
    if outage.duration is not None:
        jitter = known.terms.jitter.number if known.terms.jitter.known else 0.0
        trial = outage.tau.lo + round(outage.duration * (1 - jitter)) - view.slack
        until = min(until, max(trial, since))
    mine = circuits.calls(outage)
    after = [
        one for one in sent_within(mine, since + 1, until + 1) if one.call.phase == view.phase.id
    ]
    failing = _failing(sent_within(mine, view.phase.entered, view.phase.left))
    broken = len(after) >= CALLS_AFTER and all(one.forwarded for one in after)
    # One that came before the trip was certain shows it as well.
    first = outage.first_rejection
    return Tried(
        view=view,
        failing=failing,
        failures=max(outage.threshold, len(outage.because)),
        needed=outage.threshold,
        outage=outage,
        after=after,
        shown=first if first and first.call.sent <= until and not broken else None,
        broken=broken,
    )


def _try_bound(view: PhaseView, most: int, *, longest: int | None = None) -> Tried:
    """Everything before the first short-circuit, against the bound for any breaker."""
    shown = next((one for one in view.calls if one.rejected), None)
    before = view.calls if shown is None else _sent_before(view.calls, shown)
    failing = _failing(before)
    ends = [one.settled.hi for one in failing if one.settled is not None and one.settled.hi]
    last = before[-1].call.sent if before else 0
    spanned = last - min(ends) if ends else 0
    unclear = any(not one.forwarded for one in before)
    good = longest is None and any(one.outcome == "success" for one in before)
    too_many = len(ends) >= most if shown is None else len(ends) > most
    # A window of seconds that good calls fill takes its time, and a slow downstream its failures.
    too_long = longest is None or spanned > longest
    return Tried(
        view=view,
        failing=failing,
        failures=len(ends),
        needed=most,
        outage=None,
        after=(),
        shown=shown,
        broken=too_many and too_long and not unclear and not good,
        spanned=spanned,
    )


def _sent_before(calls: Sequence[Joined], shown: Joined) -> Sequence[Joined]:
    return [one for one in calls if one.call.sent < shown.call.sent]


def _failing(calls: Sequence[Joined]) -> list[Joined]:
    """Forwarded, and failed or never ended."""
    return [one for one in calls if one.failing]


def _settled(one: Joined) -> bool:
    return one.outcome == "failure" and one.settled is not None and one.settled.hi is not None


def _limit(known: Known) -> Limit:
    terms = known.terms
    if not threshold_declared(known):
        return Limit(
            value=MOST_FAILURES,
            source=f"threshold not declared: judged against {MOST_FAILURES} failures and"
            f" {LONGEST // SECOND} s",
        )
    if terms.threshold.known:
        count = instances(known) * int(terms.threshold.number)
        return Limit(value=count, source=terms.threshold.source)
    return Limit(value=terms.share.value, source=terms.share.source)


def _held(draft: Draft, known: Known, tried: Sequence[Tried]) -> BreakerFinding:
    several = len({one.kind for one in tried}) > 1
    for one in tried:
        under = f" under {one.kind}" if several else ""
        if one.shown is not None:
            draft.need(f"short-circuits after the threshold{under}", 1, at_least=1)
        elif draft.need(f"failures{under}", one.failures, at_least=one.needed) and one.outage:
            if draft.need(
                f"calls after the threshold{under}", len(one.after), at_least=CALLS_AFTER
            ):
                draft.lacks.append(
                    f"{one.unclear} of {len(one.after)} calls after the threshold{under} were neither"
                    " forwarded nor short-circuited for certain"
                )
        elif not threshold_declared(known):
            draft.need(
                f"seconds of failures{under}",
                round(one.spanned / SECOND, 2),
                at_least=LONGEST // SECOND,
            )
            if one.failures >= one.needed and one.spanned > LONGEST:
                draft.lacks.append(_unknown(under))
        elif one.outage is None and one.failures >= one.needed:
            draft.lacks.append(_unknown(under))
    _note_undeclared(draft, known, tried)
    shown = [one for one in tried if one.shown is not None]
    draft.observed = Observed(
        value=max((one.failures for one in shown), default=0),
        unit="failures before it opened",
        worst_of=len(tried),
    )
    kinds = list(dict.fromkeys(one.kind for one in shown))
    first = "; ".join(_shown(one) for one in shown[:6])
    return draft.held_or_inconclusive(
        f"opened under {', '.join(kinds)}: {first}",
        power="one call short-circuited after the threshold is proof; found in each phase:"
        f" {', '.join(one.shown.call.rid for one in shown if one.shown)}",
    )


def _unknown(under: str) -> str:
    return f"calls{under} before the bound are not all known to be forwarded, or to have failed"


def _note_undeclared(draft: Draft, known: Known, tried: Sequence[Tried]) -> None:
    if threshold_declared(known):
        return
    found = known.terms.threshold
    inferred = f"; found {found.value} ({found.source})" if found.known else ""
    draft.notes.append(
        f"threshold not declared: judged against {MOST_FAILURES} failures and"
        f" {LONGEST // SECOND} s{inferred}"
    )
    for one in tried:
        if one.shown is None and not one.broken:
            draft.notes.append(
                f"{one.kind}: {one.failures} failures in {said(one.spanned)} opened nothing"
            )


def _shown(one: Tried) -> str:
    assert one.shown is not None
    if one.outage is not None and one.outage.tau.hi is not None:
        after = max(0, one.shown.call.sent - one.outage.tau.lo)
        return f"{one.shown.call.rid} was short-circuited {said(after)} after {one.needed} failures"
    return f"{one.shown.call.rid} was short-circuited after {one.failures} failures"


def _violated(
    draft: Draft, known: Known, tried: Sequence[Tried], broken: Sequence[Tried]
) -> BreakerFinding:
    kinds = list(dict.fromkeys(one.kind for one in broken))
    several = len({one.kind for one in tried}) > 1
    worst = {one.kind: one for one in sorted(broken, key=lambda one: len(one.failing))}
    told = "; ".join(
        f"under {kind}: {_told(worst[kind])}" if several else _told(worst[kind]) for kind in kinds
    )
    against = (
        f"declared to open at {_declared(known)}"
        if threshold_declared(known)
        else f"no threshold declared, any breaker opens within {MOST_FAILURES} failures and"
        f" {LONGEST // SECOND} s"
    )
    opened = dict.fromkeys(one.kind for one in tried if one.shown and one.kind not in kinds)
    text = f"{told}; {against}." + (f" It opened under {', '.join(opened)}." if opened else "")
    text += f" [first after threshold: {', '.join(_first(worst[kind]) for kind in kinds)}]"
    draft.observed = Observed(
        value=sum(len(one.failing) for one in broken),
        unit="failing calls forwarded",
        per=", ".join(kinds),
    )
    each = max(1, _ROWS // len(broken))
    deciding = [one for tried_one in broken for one in _deciding(tried_one)[:each]]
    return draft.violated(
        text,
        counterexample(
            text,
            deciding,
            around=[one for tried_one in broken for one in tried_one.failing],
            interval=_interval(broken),
            expected="a call short-circuited after the threshold",
            got=f"all forwarded under {', '.join(kinds)}",
        ),
    )


def _told(one: Tried) -> str:
    calls = one.failing
    span = calls[-1].call.sent - calls[0].call.sent if calls else 0
    text = f"{len(calls)} failing calls were forwarded in {said(span)}"
    late = next((call for call in one.view.calls if call.rejected), None)
    if late is None:
        return f"{text}, none of {len(calls)} was short-circuited"
    return f"{text}, {late.call.rid} was the first to be short-circuited"


def _declared(known: Known) -> str:
    terms = known.terms
    if terms.threshold.known:
        many = instances(known)
        return f"{terms.threshold.value}" + (f" in each of {many} instances" if many > 1 else "")
    minimum = f" of at least {terms.minimum.value} calls" if terms.minimum.known else ""
    return f"{terms.share.number:.0%}{minimum}"


def _deciding(one: Tried) -> list[Joined]:
    """From the first call after the threshold on; its failures stand around it."""
    if one.outage is None:
        return list(one.failing[one.needed :]) or list(one.failing[-1:])
    over = max((cause.call.ended or 0 for cause in one.outage.because), default=0)
    return [call for call in one.failing if call.call.sent >= over]


def _first(one: Tried) -> str:
    return next((call.call.rid for call in _deciding(one)), "none")


def _interval(broken: Sequence[Tried]) -> tuple[int, int]:
    calls = [call.call.sent for one in broken for call in one.failing]
    return (min(calls), max(calls))


def _sample(one: Tried) -> dict[str, object]:
    outage = one.outage
    return {
        "phase": one.view.phase.id,
        "fault": one.kind,
        "failures": one.failures,
        "needed": one.needed,
        "tripped": None
        if outage is None or outage.tau.hi is None
        else [seconds(outage.tau.lo), seconds(outage.tau.hi)],
        "calls_after": len(one.after),
        "forwarded_after": sum(call.forwarded for call in one.after),
        "first_short_circuit": None if one.shown is None else one.shown.call.rid,
        "verdict": "violated" if one.broken else "held" if one.shown else "inconclusive",
    }
