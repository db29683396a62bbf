"""BRK-03: no more failing calls go through than it takes to open, and were under way meanwhile.

Counted from the log, in the outages whose failing calls overlap: where none does, nothing could overshoot.
"""

from collections.abc import Sequence

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Known, PhaseView
from harness.judge.breaker.overshoot import (
    Overshoot,
    load_in_flight,
    most_in_flight,
    overshoot,
    rule_known,
    threshold_declared,
)
from harness.judge.breaker.stretches import HIDES_ARRIVALS, Circuits, lacks_of
from harness.model.breaker_findings import BreakerFinding, Limit, Observed

SUBJECT = Subject(
    id="BRK-03",
    name="overshoot is bounded",
    severity="major",
    condition=(
        "failing calls forwarded between the fault's begin and the first short-circuit <="
        " instances * threshold + calls sent before tau.hi + slack and not settled at tau.lo"
    ),
    phases=(5,),
)

LEAST_IN_FLIGHT = 5
MOST_OF_THE_LOAD = 0.5


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    unjudged = not_judgeable(draft, known, *SUBJECT.phases, opens=False)
    if unjudged is not None:
        return unjudged
    if not known.terms.threshold.known and not known.terms.share.known:
        return draft.inconclusive(f"there is no bound: threshold is {known.terms.threshold.source}")
    circuits = Circuits(known)
    views = [
        view for view in known.phases_of(*SUBJECT.phases) if view.phase.fault != HIDES_ARRIVALS
    ]
    trips = [trip for view in views for trip in _trips(known, circuits, view)]
    certain = rule_known(known)
    broken = [trip for trip in trips if trip.broken and certain]
    draft.rounds = len(trips)
    draft.samples.extend(_sample(trip) for trip in trips)
    _note(draft, known, trips)
    if broken:
        return _violated(draft, known, broken)
    draft.lacks.extend(lacks_of(views))
    draft.lacks.extend(
        f"{len(trip.forwarded)} failing calls forwarded in {trip.view.phase.id}, {trip.bound.value} for a"
        " row; whether it opens by a row or by a share, which good calls dilute, is not known"
        for trip in trips
        if trip.broken
    )
    return _held(draft, known, trips, views)


def _trips(known: Known, circuits: Circuits, view: PhaseView) -> list[Overshoot]:
    """The first trips of the phase, each under its fault; what opened too early is BRK-02's."""
    began = min((span.applied[0] for span in view.faults), default=view.phase.entered)
    ends = [span.undone[0] for span in view.faults if span.undone is not None]
    found = [
        overshoot(known, circuits, outage, since=began, until=max(ends, default=view.phase.left))
        for outage in known.outages
        if outage.phase == view.phase.id and outage.cycle == 0 and outage.explained
    ]
    return [one for one in found if one is not None]


def _overlaps(trip: Overshoot) -> tuple[bool, bool]:
    """Whether failing calls overlapped enough, and few enough of all were in flight at once."""
    enough = load_in_flight(trip.view) >= LEAST_IN_FLIGHT
    return enough, _share_of_load(trip.view) <= MOST_OF_THE_LOAD


def _share_of_load(view: PhaseView) -> float:
    planned = view.load.planned or view.load.sent
    return most_in_flight(view) / planned if planned else 1.0


def _note(draft: Draft, known: Known, trips: Sequence[Overshoot]) -> None:
    if not threshold_declared(known):
        draft.notes.append(
            f"threshold not declared: found {known.terms.threshold.value}"
            f" ({known.terms.threshold.source}), judged against max(2·T̂, T̂ + Λ) and what is in flight"
        )
    for trip in trips:
        if len(trip.bounds) > 1 and not trip.broken:
            draft.notes.append(
                f"denominator not declared: {len(trip.forwarded)} forwarded in {trip.view.phase.id} fit"
                f" `{trip.fitting.name}`"
                f" ({', '.join(f'{bound.name} {bound.value}' for bound in trip.bounds)})"
            )


def _measure(draft: Draft, known: Known, trip: Overshoot, among: int) -> None:
    terms = known.terms
    source = terms.share.source if terms.share.known else terms.threshold.source
    draft.limit = Limit(value=trip.bound.value, source=f"{source}: {trip.words}")
    draft.observed = Observed(
        value=len(trip.forwarded), unit="failing calls", per="outage", worst_of=among
    )


def _violated(draft: Draft, known: Known, broken: Sequence[Overshoot]) -> BreakerFinding:
    worst = max(broken, key=lambda trip: len(trip.forwarded) - trip.bound.value)
    _measure(draft, known, worst, len(broken))
    late = worst.late
    text = f"{len(worst.forwarded)} failing calls forwarded; bound {worst.words}"
    if late:
        text += f"; {late[0].call.rid} is the first that was sent after the trip was certain"
    if worst.outage.first_rejection is None:
        text += "; none was short-circuited"
    text += f" [{', '.join(dict.fromkeys(trip.view.phase.id for trip in broken))}]"
    return draft.violated(
        text,
        counterexample(
            text,
            late or worst.forwarded[worst.bound.value :],
            around=[*worst.outage.because, *worst.forwarded],
            interval=(worst.forwarded[0].call.sent, worst.forwarded[-1].call.sent),
            expected=f"at most {worst.bound.value}",
            got=str(len(worst.forwarded)),
        ),
    )


def _held(
    draft: Draft, known: Known, trips: Sequence[Overshoot], views: Sequence[PhaseView]
) -> BreakerFinding:
    """By the trip whose failing calls overlapped most; one is enough."""
    best_view = max(views, key=load_in_flight, default=None)
    if not trips or best_view is None:
        return draft.inconclusive("no outage reached the threshold: nothing could overshoot")
    best = max(trips, key=lambda trip: (_overlaps(trip), load_in_flight(trip.view)))
    view = best.view
    draft.need(
        "failing calls in flight at once (rate · latency)",
        round(load_in_flight(view), 1),
        at_least=LEAST_IN_FLIGHT,
    )
    draft.need(
        "failing calls in flight at once, as a share of those planned",
        round(_share_of_load(view), 2),
        at_most=MOST_OF_THE_LOAD,
    )
    draft.need("calls sent at a rate", view.phase.rate or 0, at_least=1)
    _measure(draft, known, best, len(trips))
    return draft.held_or_inconclusive(
        f"{len(best.forwarded)} failing calls forwarded; bound {best.words}",
        power=f"{view.load.sent} calls at {view.rate:.0f}/s: each one more that was forwarded would have"
        " shown",
    )


def _sample(trip: Overshoot) -> dict[str, object]:
    tau = trip.outage.tau
    return {
        "phase": trip.view.phase.id,
        "tripped": [seconds(tau.lo), None if tau.hi is None else seconds(tau.hi)],
        "forwarded": len(trip.forwarded),
        "failures": trip.bound.failures,
        "in_flight": trip.bound.in_flight,
        "bounds": {bound.name or "count": bound.value for bound in trip.bounds},
        "late": [one.call.rid for one in trip.late[:10]],
        "verdict": "violated" if trip.broken else "held",
    }
