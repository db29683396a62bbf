"""BRK-26: no flapping: no trip under healthy load after recovery, no closing in a total outage, and under
a partial fault no trip that the replay does not have.

A closing is seen where as many failing calls as it takes to trip went through after a trial had failed.
Where full traffic returns without a trial (kind ``eject``) that is how it works, and is not judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.overshoot import instances
from harness.judge.breaker.recovery import healed_at, recovery
from harness.judge.breaker.stretches import (
    HIDES_ARRIVALS,
    Circuits,
    lacks_of,
    said,
    sent_within,
)
from harness.model.breaker_findings import BreakerFinding, Limit, Observed

SUBJECT = Subject(
    id="BRK-26",
    name="no flapping",
    severity="minor",
    condition=(
        "no trip for max(5 * open, 10 s) of healthy load after recovery; no closing in a total outage;"
        " under a partial fault no more trips than the replay's"
    ),
    phases=(5, 6, 18),
)

OUTAGE = 5
HEAL = 6
PARTIAL = 18
OPEN_TIMES = 3
_UNKNOWN_THRESHOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the three, in one phase: how long it was watched, and what flapped. Nanoseconds."""

    name: str
    view: PhaseView
    since: int
    until: int
    deciding: Sequence[Joined] = ()
    text: str = ""
    """What is wrong; empty if nothing is."""

    @property
    def lasted(self) -> int:
        return max(0, self.until - self.since)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    unjudged = not_judgeable(draft, known, *SUBJECT.phases)
    if unjudged is not None:
        return unjudged
    circuits = Circuits(known)
    parts = [
        *(part for view in known.phases_of(HEAL) for part in _healthy(known, view)),
        *(part for view in known.phases_of(OUTAGE) for part in _total(known, circuits, view)),
        *(_partial(known, view) for view in known.phases_of(PARTIAL)),
    ]
    draft.rounds = len(parts)
    draft.samples.extend(_sample(part) for part in parts)
    draft.limit = Limit(value=0, source="no trip, no closing that nothing explains")
    wrong = [part for part in parts if part.text]
    if wrong:
        return _violated(draft, wrong)
    draft.lacks.extend(lacks_of(known.phases_of(*SUBJECT.phases)))
    return _held(draft, known, parts)


def _healthy(known: Known, view: PhaseView) -> Iterator[Part]:
    """From the twentieth good call on nothing is short-circuited."""
    healed = healed_at(known, view)
    watched = None if healed is None else _watched(known, view, healed)
    if watched is None:
        return
    since, tail = watched
    until = tail[-1].call.sent if tail else since
    tripped = [one for one in tail if one.rejected]
    if not tripped:
        yield Part(name="healthy load", view=view, since=since, until=until)
        return
    first = tripped[0]
    failed = [one for one in tail if one.outcome == "failure" and one.call.sent <= first.call.sent]
    text = (
        f"tripped again {said(first.call.sent - since)} after recovery, under healthy load:"
        f" {len(tripped)} of {len(tail)} calls were short-circuited, {first.call.rid} first,"
        f" {len(failed)} calls had failed before"
    )
    yield Part(
        name="healthy load",
        view=view,
        since=since,
        until=until,
        deciding=[*tripped[:20], *failed[-20:]],
        text=text,
    )


def _watched(known: Known, view: PhaseView, healed: int) -> tuple[int, Sequence[Joined]] | None:
    """From when on it had recovered, and the calls of the phase after that; None: it had not.

    Calls that the fault had let hang may fail after twenty good ones, and open it rightly: it has then
    still to recover.
    """
    begin = healed
    while (recovered := recovery(known, begin)).reached:
        last = recovered.good[-1]
        since = last.call.sent if last.call.ended is None else last.call.ended
        # The start of the next phase belongs to the same healthy load, but for its fault.
        tail = [one for one in sent_within(view.calls, since) if one.call.phase == view.phase.id]
        late = _by_the_fault(known, tail, healed)
        if late is None:
            return since, tail
        if late.closed is None or late.closed.lo <= begin:
            return None
        begin = late.closed.lo
    return None


def _by_the_fault(known: Known, tail: Sequence[Joined], healed: int) -> Outage | None:
    """The life of the first short-circuit, if failures of calls sent before the healing explain it."""
    first = next((one for one in tail if one.rejected), None)
    return next(
        (
            life
            for life in known.outages
            if first is not None
            and life.first_rejection is first
            and life.explained
            and life.because
            and all(one.call.sent <= healed for one in life.because)
        ),
        None,
    )


def _total(known: Known, circuits: Circuits, view: PhaseView) -> Iterator[Part]:
    """Between the trip and the fault's end nothing closes, for no trial can succeed."""
    if view.phase.fault == HIDES_ARRIVALS or known.history.declared.kind == "eject":
        return
    ends = [span.undone[0] for span in view.faults if span.undone is not None]
    until = max(ends, default=view.calls[-1].call.sent if view.calls else view.phase.entered)
    for outage in known.outages:
        if outage.phase != view.phase.id or outage.cycle or outage.first_rejection is None:
            continue
        since = outage.first_rejection.call.sent
        calls = sent_within(circuits.calls(outage), since, until)
        closed = next((run for run in _runs(calls) if _closing(known, run)), None)
        yield Part(
            name="total outage",
            view=view,
            since=since,
            until=until,
            deciding=closed or (),
            text="" if closed is None else _closed(outage, closed),
        )


def _runs(calls: Sequence[Joined]) -> Iterator[list[Joined]]:
    """Calls forwarded one after the other, with no short-circuit in between."""
    run: list[Joined] = []
    for one in calls:
        if one.forwarded:
            run.append(one)
        elif one.rejected:
            if run:
                yield run
            run = []
    if run:
        yield run


def _closing(known: Known, run: Sequence[Joined]) -> bool:
    """After enough trials had failed for certain, as many calls went through as a closed circuit takes."""
    if any(one.outcome != "failure" for one in run if one.settled is not None):
        return False
    ends = sorted(
        one.settled.hi for one in run if one.settled is not None and one.settled.hi is not None
    )
    reopening = int(known.terms.to_reopen.number) if known.terms.to_reopen.known else 1
    if len(ends) < reopening:
        return False
    after = sum(one.call.sent > ends[reopening - 1] for one in run)
    return after >= _to_trip(known)


def _to_trip(known: Known) -> int:
    terms = known.terms
    permits = int(terms.permits.number) if terms.permits.known else 1
    if terms.threshold.known:
        failures = int(terms.threshold.number)
    elif terms.share.known and terms.minimum.known:
        failures = ceil(terms.share.number * terms.minimum.number)
    else:
        failures = _UNKNOWN_THRESHOLD
    return max(1, failures - 1, instances(known) * permits + 1)


def _closed(outage: Outage, run: Sequence[Joined]) -> str:
    return (
        f"closed {said(run[0].call.sent - outage.tau.lo)} into a total outage without a successful"
        f" trial: {len(run)} failing calls were forwarded in a row, {run[0].call.rid} to"
        f" {run[-1].call.rid}"
    )


def _partial(known: Known, view: PhaseView) -> Part:
    """Each trip there is one that the replay has as well."""
    calls = view.calls
    since = calls[0].call.sent if calls else view.phase.entered
    until = calls[-1].call.sent if calls else since
    trips = [o for o in known.outages if o.phase == view.phase.id and not o.cycle]
    shown = [o.first_rejection for o in trips if o.first_rejection and not o.explained]
    beyond = [*(one for one in known.unexplained if one.call.phase == view.phase.id), *shown]
    seen = sum(outage.first_rejection is not None for outage in trips)
    explained = sum(outage.explained for outage in trips)
    minutes = max(1, until - since) / SECOND / 60
    text = ""
    if beyond:
        text = (
            f"under a constant partial fault {seen} trips in {said(until - since)}"
            f" ({seen / minutes:.1f} a minute), the replay has {explained}: {beyond[0].call.rid} was"
            " short-circuited below the threshold"
        )
    return Part(
        name="partial fault", view=view, since=since, until=until, deciding=beyond[:30], text=text
    )


def _violated(draft: Draft, wrong: Sequence[Part]) -> BreakerFinding:
    text = "; ".join(f"{part.text} [{part.view.phase.id}]" for part in wrong)
    draft.observed = Observed(value=len(wrong), unit="phases in which it flapped")
    first = wrong[0]
    return draft.violated(
        text,
        counterexample(
            text,
            [one for part in wrong for one in part.deciding],
            interval=(first.since, first.until),
            expected="no trip and no closing that nothing explains",
            got="; ".join(part.name for part in wrong),
        ),
    )


def _held(draft: Draft, known: Known, parts: Sequence[Part]) -> BreakerFinding:
    if not known.terms.open.known:
        draft.lacks.append(f"how long it stays open is not known: {known.terms.open.source}")
    least = round(OPEN_TIMES * (known.terms.open.number if known.terms.open.known else 0))
    told = []
    for name, number in (
        ("total outage", OUTAGE),
        ("healthy load", HEAL),
        ("partial fault", PARTIAL),
    ):
        longest = max((part.lasted for part in parts if part.name == name), default=0)
        if not _exercised(known, number, longest, least):
            draft.notes.append(f"{name}: not exercised ({_why(known, number)})")
            continue
        draft.need(f"seconds of {name}", seconds(longest), at_least=seconds(least))
        told.append(f"{said(longest)} of {name}")
    trips = sum(o.first_rejection is not None and not o.cycle for o in known.outages)
    closings = sum(o.ended == "closed" for o in known.outages)
    draft.observed = Observed(value=0, unit="trips and closings that nothing explains")
    watched = ", ".join(told)
    if not told:
        draft.lacks.append("none of its three parts was exercised")
    return draft.held_or_inconclusive(
        f"{trips} trips, {closings} closings; none that nothing explains in {watched}",
        power=f"one trip or closing more in {watched} would have shown",
    )


def _exercised(known: Known, number: int, longest: int, least: int) -> bool:
    """The quick script has no long healthy tail, and eject no trials: what is left out is not judged."""
    if not known.phases_of(number):
        return False
    if number == OUTAGE and known.history.declared.kind == "eject":
        return False
    return not (number == HEAL and longest < least and known.history.declared.script == "quick")


def _why(known: Known, number: int) -> str:
    if not known.phases_of(number):
        return f"phase {number} was not run"
    if number == HEAL:
        return "the quick script does not watch it for long"
    return "full traffic returns without a trial where it ejects"


def _sample(part: Part) -> dict[str, object]:
    return {
        "phase": part.view.phase.id,
        "part": part.name,
        "watched": [seconds(part.since), seconds(part.until)],
        "first": part.deciding[0].call.rid if part.deciding else None,
        "verdict": "violated" if part.text else "held",
    }
