"""BRK-10: after the good trials that it needs a breaker closes, and not before.

Judged by the first 20 calls in a row without a rejection: they begin at once. Where nobody declared how
many good trials it takes, or several instances each take theirs, up to 10 may pass, but then each must be
followed by another trial.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds, zero_of
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Interval, Joined, Known, Outage, PhaseView
from harness.judge.breaker.lives import (
    calls_from,
    ends_early,
    first_arrival,
    gap_between_calls,
    shown_open,
    view_at,
)
from harness.judge.breaker.stretches import HIDES_ARRIVALS
from harness.judge.breaker.times_in_words import in_ms
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

SUBJECT = Subject(
    id="BRK-10",
    name="good trials close",
    severity="major",
    condition="the first 20 calls without a rejection begin within 1/rate + slack of the settling of "
    "to_close good trials, and no more than instances * permits are in flight before",
    phases=(6, 8),
)

_PHASES = (6, 8)
_LEAST_CLOSINGS = 2
_STRETCH = 20
_LOOKED_AT = 40
_UNDECLARED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closing:
    """One moment at which it had to close, and the calls after. ``broken`` says how it did not."""

    life: Outage
    view: PhaseView
    at: Interval
    trials: Sequence[Joined]
    after: Sequence[Joined]
    begins: int | None
    """Where in ``after`` the first stretch without a rejection begins; None: nowhere."""
    whole: bool
    """That stretch has all of its calls."""
    deadline: int
    broken: str = ""

    @property
    def rejected(self) -> int:
        return sum(joined.rejected for joined in self.after)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *_PHASES):
        return early
    for view in known.phases_of(*_PHASES):
        draft.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
    count, words, exact = _to_close(known)
    draft.limit = Limit(value=count, source=words)
    closings = [
        closing
        for life in known.outages
        if (closing := _closing(known, life, count, exact=exact)) is not None
    ]
    draft.samples.extend(_sample(closing) for closing in closings)
    for closing in closings:
        if closing.broken:
            return _violated(draft, closing)
    if early := _too_early(known, draft):
        return early
    good = [closing for closing in closings if closing.whole]
    draft.need("closings with 20 calls after", len(good), at_least=_LEAST_CLOSINGS)
    shown = good if len(good) >= _LEAST_CLOSINGS else closings
    least = min((len(closing.after) for closing in shown), default=0)
    draft.need("calls after each closing", least, at_least=_STRETCH)
    draft.rounds = len(good)
    late = max((_late(closing) for closing in good), default=0)
    draft.observed = Observed(
        value=seconds(late), unit="s", per="closing", worst_of=len(good) or None
    )
    if not exact and good:
        most = max(_trials_before(closing) for closing in good)
        draft.notes.append(f"not known how many it takes: closed after {most} good trials at most")
    return draft.held_or_inconclusive(
        f"closed {len(good)} times ({words}), {_STRETCH} calls forwarded each time, the first "
        f"{in_ms(late)} after the trial at the latest",
        power=f"{zero_of(sum(len(closing.after) for closing in good))} (a call short-circuited)"
        if good
        else "",
    )


def _to_close(known: Known) -> tuple[int, str, bool]:
    """So many good trials, from what that is known, and whether it is more than an assumption."""
    value, instances = known.terms.to_close, known.terms.instances
    if instances.known and instances.number > 1:
        # One of them has closed, and the calls after it may be another's.
        return 1, f"1 to {_UNDECLARED} to close each of {int(instances.number)} instances", False
    if value.declared and value.known:
        return int(value.number), f"declared {int(value.number)} to close", True
    if value.known and value.source.startswith("inferred"):
        return int(value.number), f"{int(value.number)} to close, {value.source}", True
    return 1, f"1 to {_UNDECLARED} to close, not declared", False


def _closing(known: Known, life: Outage, count: int, *, exact: bool) -> _Closing | None:
    """The closing of this life; None where none was due in a phase that is looked at."""
    good = sorted(
        (trial for trial in life.trials if trial.outcome == "success" and trial.settled),
        key=lambda trial: ends_early(trial) or 0,
    )
    at = life.closed
    if at is None and len(good) >= count and life.ended != "reopened":
        at = good[count - 1].settled
    if at is None or at.hi is None or not shown_open(known, life):
        return None
    view = view_at(known, at.lo, *_PHASES)
    if view is None or view.timing or _may_reopen(known, life, at.lo):
        return None
    after = _calls_after(known, life, at.hi)
    deadline = at.hi + view.slack + gap_between_calls(view)
    begins, whole = _stretch(after)
    closing = _Closing(
        life=life,
        view=view,
        at=at,
        trials=good[:count],
        after=after,
        begins=begins,
        whole=whole,
        deadline=deadline,
    )
    broken = _broken(closing) if exact else _never_tried_again(known, closing)
    return replace(closing, broken=broken)


def _may_reopen(known: Known, life: Outage, closed: int) -> bool:
    """A trial failed after the good one; only a declared number of good ones says it was closed by then."""
    return not known.terms.to_close.declared and any(
        trial.outcome == "failure"
        and trial.settled is not None
        and (trial.settled.hi is None or trial.settled.hi >= closed)
        for trial in life.trials
    )


def _calls_after(known: Known, life: Outage, since: int) -> list[Joined]:
    """Those of the same circuit whose fate is known, while the downstream stays healthy."""
    hidden = [span.applied[0] for span in known.history.faults if span.kind == HIDES_ARRIVALS]
    until = min((begin for begin in hidden if begin > since), default=None)
    after: list[Joined] = []
    for joined in calls_from(known, life, since):
        if len(after) >= _LOOKED_AT or joined.outcome == "failure":
            break
        if until is not None and joined.call.sent >= until:
            break
        if joined.forwarded or joined.rejected:
            after.append(joined)
    return after


def _stretch(after: Sequence[Joined]) -> tuple[int | None, bool]:
    """Where the first 20 in a row without a rejection begin, or begin to be; whether they are whole."""
    begins = 0
    for index, joined in enumerate(after):
        if joined.rejected:
            begins = index + 1
        elif index - begins + 1 >= _STRETCH:
            return begins, True
    return (begins, False) if begins < len(after) else (None, False)


def _broken(closing: _Closing) -> str:
    """How the declared number of good trials did not close it; empty if it did, or may have."""
    if not closing.rejected or closing.begins == 0:
        # What comes after a stretch with no rejection before it is no matter of this closing.
        return ""
    if closing.begins is not None and closing.after[closing.begins].call.sent <= closing.deadline:
        return ""
    if not any(joined.rejected and joined.call.sent > closing.deadline for joined in closing.after):
        return ""
    before = len(closing.after) if closing.begins is None else closing.begins
    return f"{closing.rejected} of the next {max(before, 1)} calls were short-circuited"


def _never_tried_again(known: Known, closing: _Closing) -> str:
    """The same where the number is not known: 20 rejections in a row, or more than 10 good trials."""
    if not closing.rejected:
        return ""
    run = _longest_run(closing.after)
    if run >= _STRETCH:
        return f"{run} of the next {len(closing.after)} calls were short-circuited in a row"
    instances = int(known.terms.instances.number) if known.terms.instances.known else 1
    trials = _trials_before(closing)
    if trials > _UNDECLARED * instances:
        return f"{trials} good trials did not close it"
    return ""


def _longest_run(after: Sequence[Joined]) -> int:
    longest = run = 0
    for joined in after:
        run = run + 1 if joined.rejected else 0
        longest = max(longest, run)
    return longest


def _trials_before(closing: _Closing) -> int:
    """Good trials up to the stretch without rejections, the first included."""
    begins = len(closing.after) if closing.begins is None else closing.begins
    return 1 + sum(joined.forwarded for joined in closing.after[:begins])


def _late(closing: _Closing) -> int:
    assert closing.begins is not None  # it is whole
    return closing.after[closing.begins].call.sent - closing.at.lo


def _too_early(known: Known, draft: Draft) -> BreakerFinding | None:
    """More than the permits in flight after a first good trial, though more good ones are needed."""
    to_close, permits = known.terms.to_close, known.terms.permits
    if not (to_close.declared and permits.declared and to_close.known and permits.known):
        return None
    instances = int(known.terms.instances.number) if known.terms.instances.known else 1
    limit = int(permits.number) * instances
    for life in known.outages:
        view = view_at(known, life.half_open.lo, *_PHASES) if life.half_open else None
        if view is None or to_close.number < 2 or not shown_open(known, life):
            continue
        crowd = _crowd(life, int(to_close.number))
        if len(crowd) > limit:
            text = (
                f"{len(crowd)} calls were in flight at once after the first good trial, before "
                f"{int(to_close.number)} had succeeded; {limit} permitted"
            )
            return draft.violated(
                text, counterexample(text, crowd, expected=f"at most {limit}", got=str(len(crowd)))
            )
    return None


def _crowd(life: Outage, to_close: int) -> list[Joined]:
    """The most trials in flight at one time among those sent after the first success settled."""
    good = sorted(
        (trial.settled for trial in life.trials if trial.outcome == "success" and trial.settled),
        key=lambda settled: settled.lo,
    )
    if not good or good[0].hi is None:
        return []
    since = good[0].hi
    until = good[to_close - 1].lo if len(good) >= to_close else None
    later = [
        trial
        for trial in life.trials
        if trial.call.sent > since and (until is None or first_arrival(trial) < until)
    ]
    most: list[Joined] = []
    for trial in later:
        moment = first_arrival(trial)
        together = [
            other
            for other in later
            if first_arrival(other) <= moment
            and ((ends := ends_early(other)) is None or moment < ends)
        ]
        most = max(most, together, key=len)
    return most


def _sample(closing: _Closing) -> dict[str, object]:
    return {
        "window": closing.view.phase.id,
        "trials": [trial.call.rid for trial in closing.trials],
        "closed": [seconds(closing.at.lo), seconds(closing.at.hi or closing.at.lo)],
        "calls_after": len(closing.after),
        "short_circuited": [joined.call.rid for joined in closing.after if joined.rejected],
        "deadline": seconds(closing.deadline),
    }


def _violated(draft: Draft, closing: _Closing) -> BreakerFinding:
    limit = draft.limit
    count = len(closing.trials)
    rejected = [joined for joined in closing.after if joined.rejected]
    text = f"{count} of {count} trials succeeded ({limit.source if limit else ''}), yet {closing.broken}"
    draft.observed = Observed(
        value=len(rejected), unit="short-circuits", per=f"{len(closing.after)} calls"
    )
    draft.tolerance = Tolerance(
        value=seconds(closing.deadline - (closing.at.hi or closing.at.lo)),
        parts=(
            {"name": "slack", "value": seconds(closing.view.slack), "why": "lag of our own clock"},
            {
                "name": "1/rate",
                "value": seconds(gap_between_calls(closing.view)),
                "why": "no call came earlier",
            },
        ),
    )
    return draft.violated(
        text,
        counterexample(
            text,
            [*closing.trials, *rejected],
            around=closing.after,
            interval=(closing.at.lo, closing.after[-1].call.sent),
            expected=f"{_STRETCH} calls in a row without a rejection",
            got=closing.broken,
        ),
    )
