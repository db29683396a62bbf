"""BRK-04: nothing leaks while it is open.

Where a threshold is declared, the stretch that is watched begins with the certain trip; else, and in an
open state that a failed trial began, with the first short-circuit. Arrivals without an id accuse nobody,
but more of them than the baseline had leave it open what they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.breaker.early_trials import straggler_before, was_trial
from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds, zero_of
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, Outage
from harness.judge.breaker.lives import log_lost
from harness.judge.breaker.overshoot import overshoot, threshold_declared
from harness.judge.breaker.statistics import HOLDING, poisson_rate_higher
from harness.judge.breaker.stretches import (
    Circuits,
    arrived,
    coarseness,
    lacks_of,
    said,
    sent_within,
    several,
    visible_outages,
)
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Statistics

SUBJECT = Subject(
    id="BRK-04",
    name="nothing leaks while open",
    severity="critical",
    condition="no call with [sent, arrived] inside an open state reaches the hop",
    phases=(4, 5, 6, 9, 16, 17),
)

CALLS_INSIDE = 60
BASELINE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One open state from ``since`` to ``until`` (nanoseconds), and the calls that were sent in it.

    ``trial``: the call that ended it too early, as BRK-06 says; what came after it shows nothing here.
    """

    outage: Outage
    since: int
    until: int
    offered: Sequence[Joined]
    leaks: Sequence[Joined]
    trial: Joined | None = None


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    unjudged = not_judgeable(draft, known, *SUBJECT.phases)
    if unjudged is not None:
        return unjudged
    circuits = Circuits(known)
    watched = [
        one
        for outage in visible_outages(known, *SUBJECT.phases)
        if (one := _watch(known, circuits, outage)) is not None
    ]
    draft.rounds = len(watched)
    draft.samples.extend(_sample(one) for one in watched)
    draft.limit = Limit(value=0, source=f"open: {known.terms.open.source}")
    leaking = [one for one in watched if one.leaks]
    if leaking:
        return _violated(draft, known, circuits, leaking)
    _lacks(draft, known, watched)
    return _held(draft, watched)


def _watch(known: Known, circuits: Circuits, outage: Outage) -> Watched | None:
    if outage.first_rejection is None or (outage.cycle and several(known, outage)):
        return None
    stretch = _stretch(known, outage)
    if stretch is None:
        return None
    since, until = stretch
    calls = circuits.calls(outage)
    inside = sent_within(calls, since, until + 1)
    leaks = [one for one in inside if one.forwarded and arrived(one) <= until]
    trial = None
    if leaks and was_trial(known, outage, calls, leaks[0], until):
        trial, until = leaks[0], leaks[0].call.sent
        inside, leaks = sent_within(calls, since, until), []
    return Watched(
        outage=outage,
        since=since,
        until=until,
        offered=[one for one in inside if one.cls != "unknown" or one.forwarded],
        leaks=_beyond_instances(known, circuits, outage, leaks),
        trial=trial,
    )


def _stretch(known: Known, outage: Outage) -> tuple[int, int] | None:
    """[since, until], or None where it is not known, or empty.

    A declared threshold says when it must be open, whether or not a call has shown it yet. With several
    instances, or after a failed trial, only a short-circuit shows that this state was an open one.
    """
    if outage.open is not None and outage.open.hi is not None:
        since, until = outage.open.lo, outage.open.hi
    elif outage.duration is not None and outage.tau.hi is not None:
        jitter = known.terms.jitter.number if known.terms.jitter.known else 0.0
        slack = known.by_id[outage.phase].slack
        since = outage.tau.hi
        lasts = round(outage.duration * (1 - jitter)) - coarseness(known, outage.duration)
        until = outage.tau.lo + lasts - slack
    else:
        return None
    declared = threshold_declared(known) and not several(known, outage)
    certain = outage.cycle == 0 and outage.explained and declared
    if certain and outage.tau.hi is not None:
        since = outage.tau.hi + known.by_id[outage.phase].slack
    elif outage.first_rejection is not None and outage.first_rejection.call.ended is not None:
        since = max(since, outage.first_rejection.call.ended)
    return (since, until) if since <= until else None


def _beyond_instances(
    known: Known, circuits: Circuits, outage: Outage, leaks: Sequence[Joined]
) -> Sequence[Joined]:
    """Several instances trip one after the other: up to n·K and what is in flight is no leak of one."""
    if not several(known, outage) or not leaks:
        return leaks
    view = known.by_id[outage.phase]
    began = min((span.applied[0] for span in view.faults), default=view.phase.entered)
    trip = overshoot(known, circuits, outage, since=began, until=leaks[0].call.sent)
    if trip is None:
        return ()
    before = sum(
        one.failing for one in sent_within(circuits.calls(outage), began, leaks[0].call.sent)
    )
    return leaks[max(0, trip.bound.value - before) :]


def _lacks(draft: Draft, known: Known, watched: Sequence[Watched]) -> None:
    phases = {one.outage.phase for one in watched}
    draft.lacks.extend(lacks_of(view for view in known.phases if view.phase.id in phases))
    for one in watched:
        if log_lost(known, one.since, one.until):
            draft.lacks.append(f"the hop's log has a gap while it was open, in {one.outage.phase}")
        if one.trial is not None:
            draft.lacks.append(
                f"the open state in {one.outage.phase} ended early, with the trial"
                f" {one.trial.call.rid} (BRK-06); what came after it shows no leak"
            )
    if not watched:
        draft.lacks.append(
            "no open state was long enough to watch"
            if known.terms.open.known
            else f"how long it stays open is not known: {known.terms.open.source}"
        )
    _strays(draft, known, watched)


def _strays(draft: Draft, known: Known, watched: Sequence[Watched]) -> None:
    """Arrivals of no call of ours, against the baseline's rate (contract §5.3)."""
    inside = [
        arrival
        for arrival in known.history.strays
        if any(one.since <= arrival.arrived <= one.until for one in watched)
    ]
    if not inside:
        return
    exposed = sum(one.until - one.since for one in watched) / SECOND
    views = known.phases_of(BASELINE)
    before = sum(view.strays for view in views)
    watched_before = (
        sum((v.phase.left or v.phase.entered) - v.phase.entered for v in views) / SECOND
    )
    # With none in the baseline nothing but a lost id explains one, and no rate is there to compare.
    if before and not poisson_rate_higher(
        len(inside), exposed, before, watched_before, confidence=HOLDING
    ):
        draft.notes.append(
            f"{_arrivals(len(inside))} without a known id in {exposed:.2f} s of open states, at the"
            f" baseline's rate ({before} in {watched_before:.2f} s)"
        )
        return
    draft.lacks.append(
        f"{_arrivals(len(inside))} without a known id in {exposed:.2f} s of open states, against {before}"
        f" in {watched_before:.2f} s of the baseline: what they were is not known (stray)"
    )


def _arrivals(count: int) -> str:
    return f"{count} arrival" if count == 1 else f"{count} arrivals"


def _held(draft: Draft, watched: Sequence[Watched]) -> BreakerFinding:
    count = sum(len(one.offered) for one in watched)
    draft.need("calls sent while it was open", count, at_least=CALLS_INSIDE)
    draft.observed = Observed(value=0, unit="leaks", per=f"{count} calls")
    if not count:
        return draft.held_or_inconclusive("", power="none")
    bound = 1 - 0.05 ** (1 / count)
    draft.statistics = Statistics(
        method="clopper-pearson", x=0, m=count, bound=round(bound, 4), confidence=0.95
    )
    states = "open state" if len(watched) == 1 else "open states"
    return draft.held_or_inconclusive(
        f"0 of {count} calls leaked in {len(watched)} {states} (leak rate below {bound:.1%}, 95 %)",
        power=zero_of(count),
    )


def _violated(
    draft: Draft, known: Known, circuits: Circuits, leaking: Sequence[Watched]
) -> BreakerFinding:
    first = leaking[0]
    leak, outage = first.leaks[0], first.outage
    count = sum(len(one.leaks) for one in leaking)
    offered = sum(len(one.offered) for one in leaking)
    after = arrived(leak) - outage.tau.lo
    text = f"{leak.call.rid} reached the downstream {said(after)} after the trip"
    if outage.duration is not None:
        word = "declared" if known.terms.open.declared else "found to be"
        text += f"; {word} open for {said(outage.duration)}"
    text += f" ({count} of {offered} calls sent while it was open)" if count > 1 else ""
    cause = straggler_before(outage, circuits.calls(outage), leak)
    if cause is not None and cause.settled is not None:
        text += (
            f". Cause visible on the wire: {cause.call.rid}, admitted before the trip, succeeded"
            f" {said(arrived(leak) - cause.settled.lo)} earlier"
        )
    draft.observed = Observed(value=count, unit="leaks", per=f"{offered} calls")
    rejected = outage.first_rejection
    return draft.violated(
        text,
        counterexample(
            text,
            [one for watched in leaking for one in watched.leaks],
            around=[
                *([cause] if cause else []),
                *([rejected] if rejected else []),
                *outage.because,
            ],
            interval=(first.since, first.until),
            expected="no arrival",
            got=_arrivals(count),
        ),
    )


def _sample(one: Watched) -> dict[str, object]:
    tau = one.outage.tau
    return {
        "phase": one.outage.phase,
        "cycle": one.outage.cycle,
        "tripped": [seconds(tau.lo), None if tau.hi is None else seconds(tau.hi)],
        "open": [seconds(one.since), seconds(one.until)],
        "calls": len(one.offered),
        "leaks": [leak.call.rid for leak in one.leaks[:10]],
        "ended_by": None if one.trial is None else one.trial.call.rid,
        "verdict": "violated" if one.leaks else "held",
    }
