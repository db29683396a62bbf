"""Whether a trial that never got an answer gives its permit back, and by when it must have.

It is free once the breaker can know that the trial is over: after the call time-out where one is declared,
else after ``lost_after``, else at a bound that stands in for both. Then it may open once more before it
tries again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from harness.judge.breaker.finding import Draft, counterexample, seconds
from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.lives import (
    ends_early,
    first_arrival,
    gap_between_calls,
    index_of,
    life_in,
    log_lost,
    shown_open,
)
from harness.judge.breaker.stretches import coarseness
from harness.judge.breaker.times_in_words import in_seconds
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

_LEAST_CALLS = 60
_LONGEST_UNDECLARED = 10 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Counted from the trial's beginning, or its caller's leaving; nanoseconds."""

    span: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One trial that was left without an answer, and what came after it.

    ``later``: the calls sent after ``since``; ``back``: the first of them that was forwarded.
    ``refused``: the first before it that was not let through although it asked after the deadline;
    ``early``: the same of those that asked within the last gap of a call before the deadline.
    """

    view: PhaseView
    trial: Joined
    since: int
    bound: Bound
    later: Sequence[Joined]
    back: Joined | None
    refused: Joined | None
    early: Joined | None
    watched: int

    @property
    def deadline(self) -> int:
        return self.since + self.bound.span

    @property
    def in_time(self) -> bool:
        """As far as calls can show it: a call asked by the deadline and got it.

        The first to ask after the permit had to be free may have been sent half a gap late.
        """
        if self.back is None:
            return False
        late = self.back.call.sent - self.deadline
        return late <= 0 or (self.early is None and late <= gap_between_calls(self.view) // 2)


def bound_of(known: Known, view: PhaseView, life: Outage) -> Bound | None:
    """By when the next trial must come; None where it is not known how long it stays open."""
    if life.duration is None:
        return None
    terms = known.terms
    again = _next_open(known, life)
    gap, slack = gap_between_calls(view), view.slack
    timeout, lost = terms.call_timeout, terms.lost_after
    if timeout.declared and timeout.known:
        wait, words = int(timeout.number), "call_timeout"
    elif lost.declared and lost.known:
        wait, words = int(lost.number), "lost_after"
    else:
        span = max(3 * life.duration, _LONGEST_UNDECLARED)
        return Bound(
            span=span + gap + slack,
            words=f"neither call_timeout nor lost_after declared: {in_seconds(span)}",
        )
    return Bound(
        span=wait + again + gap + slack,
        words=f"{words} {in_seconds(wait)} + open {in_seconds(again)} + one call's gap + slack",
    )


def _next_open(known: Known, life: Outage) -> int:
    """How long it is open after the trial has failed, at most."""
    assert life.duration is not None  # looked at before
    factor = float(known.terms.factor.value or 1)
    span = round(life.duration * factor)
    declared = known.history.declared.open
    if declared is not None and declared.at_most is not None:
        span = max(life.duration, min(span, declared.at_most.ns))
    return round(span * (1 + float(known.terms.jitter.value or 0))) + coarseness(known, span)


def trial_of(view: PhaseView) -> Joined | None:
    """The call that the script hung or left, as it says itself."""
    rid = view.phase.given.get("trial")
    return next((joined for joined in view.calls if joined.call.rid == rid), None)


def wait_for(known: Known, view: PhaseView, trial: Joined, since: int) -> Wait | str:
    """What came after this trial; a sentence where that cannot be said."""
    life = life_in(known, view, trial.call.sent, key=trial.call.key)
    if life is None or not shown_open(known, life):
        return f"{view.phase.id}: the breaker was not certainly open before the trial"
    bound = bound_of(known, view, life)
    if bound is None:
        return "how long it stays open is neither declared nor inferred"
    later = [
        joined
        for joined in view.calls[index_of(view.calls, since) :]
        if joined.call.rid != trial.call.rid and life.key in ("", joined.call.key)
    ]
    deadline = since + bound.span
    left = view.phase.left
    watched = left if left is not None else max([since, *(j.call.sent for j in later)])
    back = next((joined for joined in later if joined.forwarded), None)
    waiting = list(takewhile(lambda joined: not joined.forwarded, later))
    if back is not None:
        # One that was answered after it was sent may have been refused because it had the permit.
        sent = back.call.sent
        waiting = [one for one in waiting if not one.rejected or (one.call.ended or sent) < sent]
    free = deadline - gap_between_calls(view)
    refused = next((j for j in waiting if _refused(j, deadline, watched)), None)
    early = next((j for j in waiting if _refused(j, free, watched)), None)
    return Wait(
        view=view,
        trial=trial,
        since=since,
        bound=bound,
        later=later,
        back=back,
        refused=refused,
        early=early,
        watched=watched,
    )


def _refused(joined: Joined, deadline: int, watched: int) -> bool:
    """It asked when the permit had to be free: rejected after the deadline, or left waiting past it."""
    if joined.rejected:
        return joined.call.sent >= deadline
    over = joined.call.ended if joined.call.ended is not None else watched
    return not joined.forwarded and joined.cls == "unknown" and over >= deadline


def judged(known: Known, draft: Draft, waits: Sequence[Wait], *, what: str) -> BreakerFinding:
    """The finding of all waits; ``what``: how the trial was lost, with ``{}`` for its id.

    Violated where a call asked after the deadline and none had been let through until then.
    """
    for wait in waits:
        draft.samples.append(_sample(wait))
        _note_meanwhile(known, draft, wait)
    if waits:
        _limits(draft, max(waits, key=lambda wait: wait.bound.span))
    for wait in waits:
        if wait.refused is not None and not wait.in_time and not _lost(known, wait):
            return _violated(draft, wait, what.format(wait.trial.call.rid))
    draft.rounds = len(waits)
    least = min((len(wait.later) for wait in waits), default=0)
    draft.need("calls after the trial", least, at_least=_LEAST_CALLS)
    for wait in waits:
        _note_lack(known, draft, wait)
    took = max((first_arrival(w.back) - w.since for w in waits if w.back), default=0)
    draft.observed = Observed(value=seconds(took), unit="s", per="trial", worst_of=len(waits))
    rids = ", ".join(wait.trial.call.rid for wait in waits)
    bound = max((wait.bound.span for wait in waits), default=0)
    return draft.held_or_inconclusive(
        f"{in_seconds(took)} after {what.format(rids)} another call was let through; "
        f"bound {in_seconds(bound)}",
        power=f"{least} calls asked for the permit; none let through by the bound would have shown",
    )


def _lost(known: Known, wait: Wait) -> bool:
    return log_lost(known, wait.since, wait.watched)


def _note_lack(known: Known, draft: Draft, wait: Wait) -> None:
    if wait.in_time:
        return
    if _lost(known, wait):
        draft.lacks.append("a part of the hop's log is lost")
    if wait.back is not None:
        late = first_arrival(wait.back) - wait.since
        asked = "none asked in between" if wait.early is None else f"{wait.early.call.rid} was not"
        draft.lacks.append(
            f"the first call was let through {in_seconds(late)} after, the bound is "
            f"{in_seconds(wait.bound.span)}, and {asked}"
        )
        return
    last = wait.later[-1].call.sent if wait.later else wait.since
    watched = draft.need(
        "seconds of calls after the trial",
        round((last - wait.since) / SECOND, 3),
        at_least=round(wait.bound.span / SECOND, 3),
    )
    if watched:
        draft.lacks.append(
            "no call was let through, and none was refused for certain by the breaker"
        )


def _limits(draft: Draft, wait: Wait) -> None:
    gap, slack = gap_between_calls(wait.view), wait.view.slack
    draft.limit = Limit(value=seconds(wait.bound.span), source=wait.bound.words)
    draft.tolerance = Tolerance(
        value=seconds(gap + slack),
        parts=(
            {"name": "slack", "value": seconds(slack), "why": "lag of our own clock"},
            {"name": "1/rate", "value": seconds(gap), "why": "no call came earlier"},
        ),
    )


def _note_meanwhile(known: Known, draft: Draft, wait: Wait) -> None:
    """Beside the verdict: callers that were not simply rejected until the permit was free again."""
    within = known.terms.within
    slow = [
        joined
        for joined in wait.later
        if within.known
        and not joined.forwarded
        and (
            joined.call.ended is None
            or joined.call.ended - joined.call.sent > within.number + wait.view.slack
        )
    ]
    if slow:
        draft.notes.append(
            f"{len(slow)} of {len(wait.later)} callers were not rejected within "
            f"{in_seconds(int(within.number))} meanwhile ({slow[0].call.rid} first): see BRK-05"
        )
    ends = ends_early(wait.trial)
    several = known.terms.permits.declared and known.terms.permits.number > 1
    if wait.back is not None and not several and (ends is None or first_arrival(wait.back) < ends):
        draft.notes.append(
            f"{wait.back.call.rid} was let through while the trial was still without an answer: "
            "permits are not limited, see BRK-08"
        )


def _sample(wait: Wait) -> dict[str, object]:
    return {
        "window": wait.view.phase.id,
        "trial": wait.trial.call.rid,
        "since": seconds(wait.since),
        "deadline": seconds(wait.deadline),
        "calls_after": len(wait.later),
        "forwarded": None if wait.back is None else wait.back.call.rid,
        "arrived": None if wait.back is None else seconds(first_arrival(wait.back)),
        "refused_after_deadline": None if wait.refused is None else wait.refused.call.rid,
    }


def _violated(draft: Draft, wait: Wait, what: str) -> BreakerFinding:
    assert wait.refused is not None  # that is why
    stop = wait.watched if wait.back is None else wait.back.call.sent
    due = [joined for joined in wait.later if joined.call.sent < stop]
    span = (due[-1].call.sent if due else wait.since) - wait.since
    text = (
        f"after {what}, 0 of {len(due)} calls in {in_seconds(span)} were forwarded although the "
        f"downstream was healthy; {_fate(due)}. Bound {in_seconds(wait.bound.span)} "
        f"({wait.bound.words})"
    )
    if wait.back is not None:
        late = in_seconds(first_arrival(wait.back) - wait.since)
        text += f"; {wait.back.call.rid} was let through after {late}"
    draft.observed = Observed(value=0, unit="forwarded", per=f"{len(due)} calls")
    return draft.violated(
        text,
        counterexample(
            text,
            [wait.trial, wait.refused],
            around=due,
            interval=(wait.since, due[-1].call.sent if due else wait.deadline),
            expected=f"a call forwarded by {seconds(wait.deadline)} s",
            got=f"0 of {len(due)}",
        ),
    )


def _fate(due: Sequence[Joined]) -> str:
    unanswered = sum(joined.cls == "unknown" for joined in due)
    if unanswered:
        return f"{unanswered} of them were never answered"
    statuses = sorted({joined.call.status or 0 for joined in due})
    return f"all were answered {' or '.join(map(str, statuses))}"
