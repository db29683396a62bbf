"""BRK-02: it stays closed below its threshold, whatever the order in which failures settled.

The fold names the calls that no order explains; here they are told, and it is said whether the patterns
were there that a wrong counter would have stumbled over. Where the kind is not declared, a share of few
calls explains what a count does not, and only what was short-circuited without any failure accuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, PhaseView
from harness.judge.breaker.overshoot import rule_known, threshold_declared
from harness.judge.breaker.stretches import lacks_of, said, sent_within
from harness.model.breaker_findings import BreakerFinding, Limit, Observed

SUBJECT = Subject(
    id="BRK-02",
    name="stays closed below",
    severity="major",
    condition=(
        "nothing is short-circuited while the order of settlings most inclined to trip stays below the"
        " threshold"
    ),
    phases=(3, 4, 18),
)

BELOW = 3
PARTIAL = 18
GROUPS = 6
"""Of failures and one success, as often as the pattern is repeated."""
WINDOWS = 2
LETTERS = {"F": "failure", "S": "success", "I": "nothing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """One short-circuit that nothing explains, and what had settled since the circuit was closed."""

    call: Joined
    before: Sequence[Joined]
    """Forwarded in its phase, settled before it was answered."""

    @property
    def failures(self) -> list[Joined]:
        """The failures that came one after the other just before it."""
        run: list[Joined] = []
        for one in reversed(self.before):
            if one.outcome != "failure":
                break
            run.append(one)
        return run[::-1]


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    # Exact trips accuse as well, but show nothing of what a success in between does.
    views = known.phases_of(*SUBJECT.phases)
    early = [_early(known, one) for one in _rejected_early(known) if _in(views, one)]
    if not early or known.barred:
        unjudged = not_judgeable(draft, known, BELOW, PARTIAL, opens=False)
        if unjudged is not None:
            return unjudged
    draft.limit = _limit(known)
    draft.samples.extend(_sample(one) for one in early)
    if not threshold_declared(known):
        _note_undeclared(draft, known)
    accusing = [one for one in early if _accuses(known, one)]
    if accusing:
        return _violated(draft, known, accusing)
    for one in early[:1]:
        draft.lacks.append(
            f"{one.call.call.rid} was short-circuited after {len(one.before)} calls,"
            f" {_failed(one.before)} of them failures; whether it opens by a row or by a share, which"
            " would explain it, is not known: kind is not declared"
        )
    draft.lacks.extend(lacks_of(known.phases_of(BELOW, PARTIAL)))
    return _held(draft, known)


def _rejected_early(known: Known) -> list[Joined]:
    """Rejections that no order explains. Without a rule none is known to be: all while it is kept below."""
    opened = [
        life.first_rejection
        for life in known.outages
        if life.first_rejection is not None
        and (not life.explained or not (threshold_declared(known) or life.cycle))
    ]
    if not threshold_declared(known):
        opened = [one for one in opened if known.by_id[one.call.phase].number == BELOW]
    found = {one.call.rid: one for one in [*known.unexplained, *opened]}
    return sorted(found.values(), key=lambda one: one.call.sent)


def _in(views: Sequence[PhaseView], joined: Joined) -> bool:
    return any(view.phase.id == joined.call.phase for view in views)


def _early(known: Known, joined: Joined) -> Early:
    """All of its circuit that settled in its phase before it was answered, in the order of settling."""
    view, call = known.by_id[joined.call.phase], joined.call
    decided = call.sent if call.ended is None else call.ended
    before = [
        one
        for one in sent_within(view.calls, view.phase.entered, call.sent + 1)
        if one.call.key == call.key and one.settled is not None and one.settled.lo <= decided
    ]
    before.sort(key=lambda one: one.settled.lo if one.settled else 0)
    return Early(call=joined, before=before)


def _accuses(known: Known, early: Early) -> bool:
    """A share of few calls may open sooner than a row does, but nothing opens without a failure."""
    if threshold_declared(known):
        return True
    found = known.terms.threshold
    if rule_known(known):
        return found.known and len(early.before) < found.number
    return found.known and all(one.outcome in ("success", "nothing") for one in early.before)


def _failed(calls: Sequence[Joined]) -> int:
    return sum(one.outcome == "failure" for one in calls)


def _limit(known: Known) -> Limit:
    terms = known.terms
    if terms.share.known:
        return Limit(value=terms.share.value, source=terms.share.source)
    return Limit(value=terms.threshold.value, source=terms.threshold.source)


def _note_undeclared(draft: Draft, known: Known) -> None:
    found = known.terms.threshold
    if found.known:
        draft.notes.append(
            f"threshold not declared: judged with groups of {int(found.number) // 2} failures, half"
            f" of the {found.value} found ({found.source})"
        )
    else:
        draft.lacks.append(f"what it takes to open is not known: {found.source}")


def _violated(draft: Draft, known: Known, accusing: Sequence[Early]) -> BreakerFinding:
    first = accusing[0]
    text = _told(known, first)
    if len(accusing) > 1:
        phases = {one.call.call.phase for one in accusing}
        text += f" ({len(accusing)} such calls in {', '.join(sorted(phases))})"
    draft.observed = Observed(
        value=len(first.failures), unit="failures in a row", worst_of=len(accusing)
    )
    end = first.call.call.ended or first.call.call.sent
    return draft.violated(
        text,
        counterexample(
            text,
            [first.call, *first.failures[::-1]],
            around=[*first.before[::-1], *(one.call for one in accusing)],
            interval=(first.before[0].call.sent if first.before else end, end),
            expected="forwarded",
            got="short-circuited",
        ),
    )


def _told(known: Known, early: Early) -> str:
    rid, failures, terms = early.call.call.rid, early.failures, known.terms
    if terms.share.known:
        text = (
            f"opened after {_failed(early.before)} failures of {len(early.before)} calls"
            f" ({terms.share.source})"
        )
    else:
        word = "declared" if terms.threshold.declared else "found"
        text = f"opened after {len(failures)} consecutive failures ({word} {terms.threshold.value})"
    if not failures:
        return f"{text}: {rid} was short-circuited with no failure just before it"
    last = failures[-1]
    ended = last.call.sent if last.call.ended is None else last.call.ended
    text += f": {rid} was short-circuited {said(early.call.call.sent - ended)} after {last.call.rid} failed"
    good = next((one for one in early.before[::-1] if one.outcome == "success"), None)
    return text if good is None else f"{text}; the last success was {good.call.rid}"


def _held(draft: Draft, known: Known) -> BreakerFinding:
    for view in known.phases_of(BELOW):
        _pattern_needs(draft, known, view)
    partial = known.phases_of(PARTIAL)
    for view in partial:
        draft.need(f"failing calls in {view.phase.id}", _failed(view.calls), at_least=1)
    calls = [one for view in known.phases_of(BELOW, PARTIAL) for one in view.calls]
    failures = _failed(calls)
    draft.observed = Observed(value=0, unit="short-circuits that nothing explains")
    if not known.phases_of(BELOW):
        draft.notes.append("phase 3 (below) was not run: judged by the partial fault alone")
    return draft.held_or_inconclusive(
        f"nothing was short-circuited below the threshold: {failures} failures in {len(calls)} calls",
        power=f"each of {failures} failures below the threshold, in {len(calls)} calls, would have"
        " opened a counter that is one too small or that a success does not reset",
    )


def _pattern_needs(draft: Draft, known: Known, view: PhaseView) -> None:
    """The pattern complete, one call after the other, each with the outcome that was planned for it."""
    planned = [str(letter) for letter in view.phase.given.get("pattern", ())]
    calls, name = view.calls, view.phase.id
    if planned:
        as_planned = sum(
            LETTERS.get(letter, one.outcome) == one.outcome
            for letter, one in zip(planned, calls, strict=False)
        )
        draft.need(f"calls of the pattern in {name}", as_planned, at_least=len(planned))
    in_order = sum(
        before.call.ended is not None and before.call.ended <= after.call.sent
        for before, after in pairwise(calls)
    )
    draft.need(
        f"calls in {name} sent after the one before had ended", in_order, at_least=len(calls) - 1
    )
    parts = list(dict.fromkeys(view.phase.given.get("parts", ())))
    if parts:
        draft.notes.append(f"{name} ran the patterns {', '.join(str(part) for part in parts)}")
    if known.terms.share.known:
        _share_needs(draft, known, view)
    elif known.terms.threshold.known:
        size = _group_size(known)
        draft.need(
            f"groups of {size} failures and a success in {name}",
            _groups(calls, size),
            at_least=GROUPS,
        )


def _group_size(known: Known) -> int:
    """K − 1; half of what was found where nothing is declared."""
    found = int(known.terms.threshold.number)
    return found - 1 if known.terms.threshold.declared else max(1, found // 2)


def _groups(calls: Sequence[Joined], size: int) -> int:
    found, run = 0, 0
    for one in calls:
        if one.outcome == "failure":
            run += 1
        elif one.outcome == "success":
            found += run >= size
            run = 0
    return found


def _share_needs(draft: Draft, known: Known, view: PhaseView) -> None:
    """Two windows of calls below the share: by calls, or by time."""
    window, name = known.terms.window, view.phase.id
    if not window.known:
        draft.lacks.append("no window is declared: it is not known how long a share must be below")
        return
    declared = known.history.declared.window
    if declared is not None and declared.time is not None:
        calls = view.calls
        span = calls[-1].call.sent - calls[0].call.sent if calls else 0
        least = WINDOWS * window.number / SECOND
        draft.need(f"seconds below the share in {name}", round(span / SECOND, 2), at_least=least)
    else:
        least = WINDOWS * ceil(window.number)
        draft.need(f"calls below the share in {name}", len(view.calls), at_least=least)


def _sample(early: Early) -> dict[str, object]:
    call = early.call.call
    return {
        "phase": call.phase,
        "short_circuited": call.rid,
        "sent": seconds(call.sent),
        "settled_before": len(early.before),
        "failures_before": _failed(early.before),
        "failures_in_a_row": [one.call.rid for one in early.failures],
    }
