"""BRK-07: the open state ends: under steady load, and after silence. A timer that rejections restart
passes the second and fails the first.

An open state that a straggler prolonged, by no more than another open time from when it settled, is
BRK-20's and shows nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.lives import log_lost
from harness.judge.breaker.stretches import (
    Circuits,
    arrived,
    coarseness,
    gap_of,
    lacks_of,
    largest_gap,
    said,
    sent_within,
    steady_gap,
    visible_outages,
    walk,
)
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

SUBJECT = Subject(
    id="BRK-07",
    name="open ends",
    severity="critical",
    condition=(
        "some call is forwarded no later than tau.hi + open * (1 + jitter) + 1 / rate + slack, under"
        " steady load and after silence"
    ),
    phases=(4, 5, 6, 7, 8, 9, 17),
)

UNDER_LOAD = (5, 6, 17)
AFTER_SILENCE = (7, 8, 9)
LONGEST = 300 * SECOND

Load = Literal["steady", "silence"]
_WORDS: dict[Load, str] = {"steady": "under steady load", "silence": "after silence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one open state ended, or did not. Instants in nanoseconds.

    ``due``: from then on a trial must be let through; ``bound``: one must have been. ``first``: the
    first call that was, ``refused`` those sent since ``due`` and before it that were not.
    """

    outage: Outage
    due: int
    bound: int
    load: Load
    first: Joined | None
    before_first: int
    """How long nobody had called when ``first`` was sent."""
    refused: Sequence[Joined]
    prolonged: Joined | None
    """The straggler that may have restarted the timer."""

    @property
    def late(self) -> bool:
        """Calls were there to let through, and none was in time."""
        if not self.refused:
            return False
        last = self.refused[-1].call.sent if self.first is None else self.first.call.sent
        return last > self.bound

    @property
    def verdict(self) -> str:
        if self.late:
            return "prolonged by stragglers" if self.prolonged is not None else "violated"
        return "inconclusive" if self.first is None else "held"


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    unjudged = not_judgeable(draft, known, *SUBJECT.phases)
    if unjudged is not None:
        return unjudged
    circuits = Circuits(known)
    opened = [o for o in visible_outages(known, *SUBJECT.phases) if o.first_rejection and o.tau.hi]
    if not known.terms.open.known:
        return draft.inconclusive(_not_known(known, opened))
    endings = [
        ending
        for outage in opened
        if not known.by_id[outage.phase].timing
        and (ending := _ending(known, circuits, outage)) is not None
    ]
    draft.rounds = len(endings)
    draft.samples.extend(_sample(ending) for ending in endings)
    _measure(draft, known, endings)
    broken = [one for one in endings if one.verdict == "violated" and not _lost(known, one)]
    if broken:
        return _violated(draft, known, broken, endings)
    _lacks(draft, known, opened, endings)
    return _held(draft, known, endings)


def _not_known(known: Known, opened: Sequence[Outage]) -> str:
    waited = max((outage.until - outage.tau.lo for outage in opened), default=0)
    text = f"how long it stays open is not known: {known.terms.open.source}"
    if any(outage.trials for outage in opened):
        return text
    return f"{text}; no trial seen within {said(min(waited, LONGEST))} of {said(LONGEST)}"


def _ending(known: Known, circuits: Circuits, outage: Outage) -> Ending | None:
    """None where a call went through too early: that is for BRK-04 and BRK-06 to say."""
    if outage.duration is None or outage.tau.hi is None or outage.first_rejection is None:
        return None
    view, calls = known.by_id[outage.phase], circuits.calls(outage)
    times = _times(known, circuits, view, outage)
    shown = outage.first_rejection.call
    since = shown.sent if shown.ended is None else shown.ended
    first, refused, last = None, [], shown.sent
    for one in walk(calls, since, circuits.until(outage)):
        if one.forwarded:
            first = one
            break
        if one.cls == "unknown" and not _not_forwarded(one) and one.call.sent > times.earliest:
            # It may have been the trial, and nobody saw it arrive.
            break
        if one.call.sent > times.due and _not_forwarded(one):
            refused.append(one)
        last = one.call.sent
    if first is not None:
        if arrived(first) < times.earliest:
            return None
        # One sent before it may have been decided on after it, and refused because it had the permit.
        refused = [one for one in refused if _over(one) < first.call.sent]
    if refused:
        end = refused[-1].call.sent
    else:
        end = last if first is None else first.call.sent
    silent = largest_gap(sent_within(calls, outage.tau.hi, end + 1), shown.sent, end)
    # The last one refused is what has to be explained; after it nobody may have asked for a while.
    late = end if first is None or refused else first.call.sent
    return Ending(
        outage=outage,
        due=times.due,
        bound=times.bound,
        load="steady" if silent <= steady_gap(view, times.longest) else "silence",
        first=first,
        before_first=0 if first is None else first.call.sent - last,
        refused=refused,
        prolonged=_straggler(view, outage, times.bound - outage.tau.hi, late),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Of one open state: how long it may last, and the instants that follow from it. Nanoseconds."""

    longest: int
    earliest: int
    due: int
    bound: int


def _times(known: Known, circuits: Circuits, view: PhaseView, outage: Outage) -> _Times:
    assert outage.tau.hi is not None
    duration = outage.duration or 0
    jitter = known.terms.jitter.number if known.terms.jitter.known else 0.0
    longest = round(duration * (1 + jitter))
    coarse = coarseness(known, duration)
    due = _tripped_by(circuits, view, outage) + longest + view.slack + coarse
    shortest = round(duration * (1 - jitter)) - view.slack - coarse
    return _Times(
        longest=longest, earliest=outage.tau.lo + shortest, due=due, bound=due + gap_of(view)
    )


def _tripped_by(circuits: Circuits, view: PhaseView, outage: Outage) -> int:
    """When it had opened for certain: at its first rejection, if it let calls through after it should have."""
    assert outage.tau.hi is not None
    assert outage.first_rejection is not None
    shown = outage.first_rejection.call
    between = sent_within(circuits.calls(outage), outage.tau.hi + view.slack + 1, shown.sent)
    if shown.ended is None or not any(one.forwarded for one in between):
        return outage.tau.hi
    return max(outage.tau.hi, shown.ended)


def _not_forwarded(one: Joined) -> bool:
    """Rejected, or kept waiting until our own deadline without ever being passed on."""
    return one.rejected or (one.cls == "unknown" and one.call.end == "deadline")


def _over(one: Joined) -> int:
    return one.call.sent if one.call.ended is None else one.call.ended


def _straggler(view: PhaseView, outage: Outage, longest: int, seen: int) -> Joined | None:
    """One that settled in the open state, late enough that ``longest`` from then on explains ``seen``."""
    assert outage.tau.hi is not None
    found = None
    for one in sent_within(view.calls, 0, outage.tau.hi):
        if not one.forwarded or one.settled is None or one.settled.lo <= outage.tau.lo:
            continue
        if one.settled.hi is None or one.settled.hi + longest >= seen:
            found = one
    return found


def _lost(known: Known, ending: Ending) -> bool:
    """Its trial may have arrived in a part of the hop's log that is not there any more."""
    return log_lost(known, ending.outage.tau.lo, ending.refused[-1].call.sent)


def _lacks(draft: Draft, known: Known, opened: Sequence[Outage], endings: Sequence[Ending]) -> None:
    phases = {outage.phase for outage in opened}
    views = [view for view in known.phases if view.phase.id in phases]
    draft.lacks.extend(lacks_of(views, timing=True))
    for ending in endings:
        if log_lost(known, ending.outage.tau.lo, ending.bound):
            draft.lacks.append(f"the hop's log has a gap where {ending.outage.phase} should end")
        if ending.verdict == "prolonged by stragglers" and ending.prolonged is not None:
            draft.notes.append(
                f"prolonged by stragglers: {ending.prolonged.call.rid} settled while"
                f" {ending.outage.phase} was open (BRK-20)"
            )


def _measure(draft: Draft, known: Known, endings: Sequence[Ending]) -> None:
    terms = known.terms
    draft.limit = Limit(value=seconds(round(terms.open.number)), source=terms.open.source)
    if not terms.open.declared:
        draft.notes.append(
            f"open not declared: judged against the shortest gap, {said(round(terms.open.number))}"
            f" ({terms.open.source})"
        )
    views = [known.by_id[ending.outage.phase] for ending in endings]
    slack = max((view.slack for view in views), default=0)
    gap = max((gap_of(view) for view in views), default=0)
    coarse = coarseness(known, round(terms.open.number))
    parts = [
        ("1 / rate", gap, "the next call comes only then"),
        ("slack", slack, "when the breaker decides is not seen"),
    ]
    parts += [("resolution", coarse, "the open time was found")] if coarse else []
    draft.tolerance = Tolerance(
        value=seconds(slack + gap + coarse),
        parts=tuple(
            {"name": name, "value": seconds(value), "why": why} for name, value, why in parts
        ),
    )


def _held(draft: Draft, known: Known, endings: Sequence[Ending]) -> BreakerFinding:
    told = []
    parts: tuple[tuple[Load, tuple[int, ...]], ...] = (
        ("steady", UNDER_LOAD),
        ("silence", AFTER_SILENCE),
    )
    for load, phases in parts:
        ended = [one for one in endings if one.load == load and one.verdict == "held"]
        if ended or known.phases_of(*phases):
            draft.need(f"open states that ended {_WORDS[load]}", len(ended), at_least=1)
        else:
            draft.notes.append(f"{_WORDS[load]}: not exercised, no phase for it was run")
        if ended:
            told.append(_told(load, ended))
            draft.notes.append(f"{_WORDS[load]}: {len(ended)} of {_count(endings, load)} in time")
    slowest = max(
        (_waited(one) for one in endings if one.first is not None and one.load == "steady"),
        default=None,
    )
    if slowest is not None:
        draft.observed = Observed(
            value=seconds(slowest), unit="s from the trip to the first trial", per="open state"
        )
    refusing = sum(one.verdict == "held" for one in endings)
    return draft.held_or_inconclusive(
        "; ".join(told),
        power=f"calls were there to be let through when each of {refusing} open states was to end: one"
        " refused then would have shown",
    )


def _count(endings: Sequence[Ending], load: Load) -> int:
    return sum(one.load == load for one in endings)


def _told(load: Load, ended: Sequence[Ending]) -> str:
    slowest = max(ended, key=_waited)
    return (
        f"{_WORDS[load]} the first call went through {said(_waited(slowest))} after the trip at the"
        f" latest ({len(ended)} open states of {said(slowest.outage.duration or 0)})"
    )


def _waited(ending: Ending) -> int:
    assert ending.first is not None
    return arrived(ending.first) - ending.outage.tau.lo


def _violated(
    draft: Draft,
    known: Known,
    broken: Sequence[Ending],
    endings: Sequence[Ending],
) -> BreakerFinding:
    worst = max(broken, key=lambda one: one.refused[-1].call.sent - one.bound)
    outage = worst.outage
    assert outage.tau.hi is not None
    refused_for = worst.refused[-1].call.sent - outage.tau.hi
    word = "declared" if known.terms.open.declared else "found to be"
    load = f"steady load at {_rate(worst):.0f}/s" if worst.load == "steady" else "calls"
    text = (
        f"no trial in {said(refused_for)} of {load} after an open state {word}"
        f" {said(outage.duration or 0)}"
    )
    if worst.load == "silence":
        text += f"; {worst.refused[0].call.rid} was the first call after silence, and refused"
    released = _released_by_silence(worst, endings)
    if released:
        text += (
            f"; after {said(released)} of silence the next call was forwarded at once. Rejections seem"
            " to restart the timer."
        )
    draft.observed = Observed(
        value=seconds(refused_for), unit="s without a trial", per="open state"
    )
    return draft.violated(
        text,
        counterexample(
            text,
            [*worst.refused[:20], *([worst.first] if worst.first else [])],
            around=[*worst.refused[-20:], *outage.because],
            interval=(outage.tau.lo, worst.refused[-1].call.sent),
            expected=f"a call forwarded by {worst.bound / SECOND:.3f} s",
            got=f"{len(worst.refused)} calls refused after it was due",
        ),
    )


def _rate(ending: Ending) -> float:
    """Of the calls that were refused, a second."""
    span = ending.refused[-1].call.sent - ending.refused[0].call.sent
    return (len(ending.refused) - 1) * SECOND / span if span else 0.0


def _released_by_silence(worst: Ending, endings: Sequence[Ending]) -> int:
    """How long a silence let the next call through, where load did not; 0 if none was seen."""
    if worst.load != "steady":
        return 0
    duration = worst.outage.duration or 0
    if worst.first is not None:
        return worst.before_first if worst.before_first >= duration else 0
    quiet = [
        one.before_first
        for one in endings
        if one.load == "silence" and one.verdict == "held" and one.before_first >= duration / 2
    ]
    return min(quiet, default=0)


def _sample(ending: Ending) -> dict[str, object]:
    tau = ending.outage.tau
    return {
        "phase": ending.outage.phase,
        "cycle": ending.outage.cycle,
        "load": ending.load,
        "tripped": [seconds(tau.lo), None if tau.hi is None else seconds(tau.hi)],
        "due": seconds(ending.due),
        "bound": seconds(ending.bound),
        "first": None if ending.first is None else ending.first.call.rid,
        "first_sent": None if ending.first is None else seconds(ending.first.call.sent),
        "refused": len(ending.refused),
        "last_refused": ending.refused[-1].call.rid if ending.refused else None,
        "verdict": ending.verdict,
    }
