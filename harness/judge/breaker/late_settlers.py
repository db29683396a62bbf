"""Stragglers of a life: calls let through before the trip that end in a later state, and what came after.

Each part of BRK-20 is looked at here on its own: (i) a success while open, (ii) a failure while open,
(iii) a success while a trial hangs, (iv) a failure after closing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.judge.breaker.known import Interval, Joined, Known, Outage, PhaseView
from harness.judge.breaker.lives import (
    calls_from,
    ends_early,
    first_arrival,
    gap_between_calls,
)
from harness.judge.breaker.stretches import coarseness
from harness.judge.breaker.times_in_words import in_seconds

Part = Literal["i", "ii", "iii", "iv"]

# Without declared permits no more may be in flight than the largest default among the libraries.
_UNDECLARED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One straggler in one part. ``wrong`` says what it decided; ``lack`` why that cannot be said."""

    part: Part
    life: Outage
    straggler: Joined
    settled: Interval
    beside: Sequence[Joined]
    """The hanging trial, in (iii)."""
    after: Sequence[Joined]
    """The calls after it that could have shown it."""
    deciding: Sequence[Joined] = ()
    wrong: str = ""
    lack: str = ""


def looked_at(known: Known, view: PhaseView, life: Outage, parts: Sequence[Part]) -> list[Looked]:
    """What the stragglers of this life decided, as far as these parts go."""
    found: list[Looked] = []
    for straggler, settled in _stragglers(view, life):
        if "i" in parts and straggler.outcome == "success":
            found += _ok_while_open(known, life, straggler, settled)
        if "ii" in parts and straggler.outcome == "failure":
            found += _failed_while_open(known, view, life, straggler, settled)
        if "iii" in parts and straggler.outcome == "success":
            found += _ok_while_trial_hangs(known, view, life, straggler, settled)
        if "iv" in parts and straggler.outcome == "failure":
            found += _failed_after_closing(known, life, straggler, settled)
    return found


def _stragglers(view: PhaseView, life: Outage) -> Iterator[tuple[Joined, Interval]]:
    """Certainly let through before the trip, certainly settled after it."""
    for joined in view.calls:
        if joined.call.sent > life.tau.lo:
            return
        if not joined.forwarded or joined.settled is None or life.tau.hi is None:
            continue
        if first_arrival(joined) < life.tau.lo and joined.settled.lo > life.tau.hi:
            yield joined, joined.settled


def _ok_while_open(
    known: Known, life: Outage, straggler: Joined, settled: Interval
) -> Iterator[Looked]:
    stretch = life.open
    if stretch is None or stretch.hi is None or settled.hi is None:
        return
    if settled.lo < stretch.lo or settled.hi > stretch.hi:
        return
    after = [j for j in _until(known, life, settled.lo, stretch.hi) if j.call.sent >= settled.lo]
    leaks = [joined for joined in after if joined.forwarded and first_arrival(joined) <= stretch.hi]
    wrong = ""
    if leaks:
        wrong = (
            f"the straggler {straggler.call.rid} succeeded while open; {len(leaks)} of {len(after)} "
            f"following calls were forwarded, {leaks[0].call.rid} "
            f"{in_seconds(first_arrival(leaks[0]) - life.tau.lo)} after the trip"
        )
    yield Looked(
        part="i",
        life=life,
        straggler=straggler,
        settled=settled,
        beside=(),
        after=after,
        deciding=leaks,
        wrong=wrong,
    )


def _failed_while_open(
    known: Known, view: PhaseView, life: Outage, straggler: Joined, settled: Interval
) -> Iterator[Looked]:
    if life.duration is None or life.tau.hi is None or settled.hi is None:
        return
    jitter = float(known.terms.jitter.value or 0)
    if settled.hi > life.tau.lo + round(life.duration * (1 - jitter)):
        return
    longest = round(life.duration * (1 + jitter)) + coarseness(known, life.duration)
    due = life.tau.hi + longest + view.slack
    bound = due + gap_between_calls(view)
    later = [j for j in calls_from(known, life, settled.lo) if j.call.phase == view.phase.id]
    back = next((joined for joined in later if joined.forwarded), None)
    refused = next((j for j in later if j.rejected and j.call.sent >= bound), None)
    # One that was answered after the trial was sent may have been refused because that had the permit.
    late = refused is not None and (back is None or back.call.sent > (refused.call.ended or 0))
    wrong = lack = ""
    if late:
        came = (
            "no trial came any more"
            if back is None
            else f"the first trial came {in_seconds(first_arrival(back) - life.tau.hi)} after the trip"
        )
        wrong = (
            f"the straggler {straggler.call.rid} failed while open, "
            f"{in_seconds(settled.lo - life.tau.hi)} after the trip; {came}, open for "
            f"{in_seconds(life.duration)}"
        )
    else:
        lack = _not_shown_in_time(later, back, (due, bound), gap_between_calls(view) // 2)
    yield Looked(
        part="ii",
        life=life,
        straggler=straggler,
        settled=settled,
        beside=(),
        after=later,
        deciding=[joined for joined in (refused, back) if joined is not None] if late else (),
        wrong=wrong,
        lack=lack,
    )


def _not_shown_in_time(
    later: Sequence[Joined], back: Joined | None, due: tuple[int, int], half_a_gap: int
) -> str:
    """Why it cannot be said that a trial came when it was due; the first to ask may be half a gap late."""
    since, bound = due
    if back is not None and back.call.sent <= bound:
        return ""
    if back is None or back.call.sent > bound + half_a_gap:
        return "no call asked for a trial when one was due"
    denied = next((j for j in later if j.rejected and since <= j.call.sent < back.call.sent), None)
    return f"{denied.call.rid} was rejected just after a trial was due" if denied else ""


def _ok_while_trial_hangs(
    known: Known, view: PhaseView, life: Outage, straggler: Joined, settled: Interval
) -> Iterator[Looked]:
    hung = [trial for trial in life.trials if _hangs_through(trial, settled)]
    if not hung or settled.hi is None:
        return
    ends = [moment for trial in hung if (moment := ends_early(trial)) is not None]
    until = min(ends, default=max(joined.call.sent for joined in view.calls))
    after = [j for j in _until(known, life, settled.lo, until) if j.call.sent >= settled.lo]
    through = [joined for joined in after if joined.forwarded and first_arrival(joined) < until]
    limit, declared = _permits(known, life)
    crowd = _most_at_once([*hung, *through])
    wrong = lack = ""
    if len(crowd) > limit:
        wrong = (
            f"the straggler {straggler.call.rid} succeeded while the trial {hung[0].call.rid} still "
            f"hung; {len(through)} of {len(after)} following calls were forwarded"
        )
    elif through and not declared:
        lack = (
            f"{len(through)} calls were forwarded while the trial {hung[0].call.rid} hung; whether "
            "that is too many takes trials.permits"
        )
    yield Looked(
        part="iii",
        life=life,
        straggler=straggler,
        settled=settled,
        beside=hung,
        after=after,
        deciding=[*hung, *through] if wrong else (),
        wrong=wrong,
        lack=lack,
    )


def _failed_after_closing(
    known: Known, life: Outage, straggler: Joined, settled: Interval
) -> Iterator[Looked]:
    """Short-circuited with fewer failures than it takes, unless the straggler is counted as well."""
    threshold = known.terms.threshold
    if life.closed is None or life.closed.hi is None or not threshold.known:
        return
    closed, count = life.closed.hi, int(threshold.number)
    if settled.lo <= closed or settled.hi is None:
        return
    failures: list[Joined] = []
    after: list[Joined] = []
    for joined in calls_from(known, life, closed):
        if joined.outcome == "success" and joined.settled and joined.settled.lo > settled.hi:
            break
        after.append(joined)
        if joined.rejected:
            break
        if joined.outcome == "failure":
            failures.append(joined)
    refused = after[-1] if after and after[-1].rejected else None
    certain = refused is not None and refused.call.sent > settled.lo
    wrong = ""
    if refused is not None and certain and len(failures) < count <= len(failures) + 1:
        wrong = (
            f"the straggler {straggler.call.rid} failed after closing and was counted: "
            f"{refused.call.rid} was short-circuited after {len(failures)} other failures "
            f"({count} open)"
        )
    yield Looked(
        part="iv",
        life=life,
        straggler=straggler,
        settled=settled,
        beside=(),
        after=after,
        deciding=[*failures, *([refused] if refused else [])] if wrong else (),
        wrong=wrong,
    )


def _until(known: Known, life: Outage, since: int, until: int) -> Iterator[Joined]:
    for joined in calls_from(known, life, since - 1):
        if joined.call.sent > until:
            return
        yield joined


def _hangs_through(trial: Joined, settled: Interval) -> bool:
    """It was at the hop before the straggler settled, and is not over when it certainly has."""
    ends = ends_early(trial)
    if first_arrival(trial) >= settled.lo or settled.hi is None:
        return False
    return ends is None or ends > settled.hi


def _permits(known: Known, life: Outage) -> tuple[int, bool]:
    terms = known.terms
    several = terms.instances.known and life.instance is None
    instances = int(terms.instances.number) if several else 1
    if terms.permits.declared and terms.permits.known:
        return int(terms.permits.number) * instances, True
    return _UNDECLARED * instances, False


def _most_at_once(calls: Sequence[Joined]) -> list[Joined]:
    """Those in flight together when there were the most of them for certain."""
    most: list[Joined] = []
    for one in calls:
        moment = first_arrival(one)
        together = [
            other
            for other in calls
            if first_arrival(other) <= moment
            and ((ends := ends_early(other)) is None or moment < ends)
        ]
        most = max(most, together, key=len)
    return most
