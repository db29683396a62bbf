"""BRK-16: a caller that leaves counts neither as a failure nor as a success.

Read off the failures that are still needed after a departure. Only one whose call the service gave up at
once tells anything: one that ran into the call time-out, or was answered, counted for what it became.
"""

from collections.abc import Sequence

from harness.judge.breaker.finding import Draft, Subject, counterexample
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Joined, Known
from harness.judge.breaker.overshoot import rule_known
from harness.judge.breaker.spells import Spell, spells
from harness.model.breaker_findings import BreakerFinding, Limit, Observed

SUBJECT = Subject(
    id="BRK-16",
    name="departures are neutral",
    severity="major",
    condition="after threshold - 1 failures and a caller that leaves, 1 more failure opens; "
    "callers that leave alone open nothing unless cancellation: failure",
    phases=(13,),
)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *SUBJECT.phases):
        return early
    threshold = known.terms.threshold
    if not threshold.known:
        return draft.inconclusive("how many failures open it is neither declared nor inferred")
    count = int(threshold.number)
    found: list[Spell] = []
    for view in known.phases_of(*SUBJECT.phases):
        draft.lacks.extend([view.lack] if view.lack else [])
        found.extend(spells(view.calls, _departed))
    draft.limit = Limit(value=1, source=threshold.source)
    if known.history.declared.cancellation is None:
        draft.notes.append("cancellation not declared: judged as neither failure nor success")
    draft.samples.extend(_sample(spell) for spell in found)
    for spell in found:
        wrong = _wrong(known, spell, count)
        if wrong and (rule_known(known) or not spell.before + spell.after):
            return _violated(draft, spell, wrong)
        if wrong:
            draft.lacks.append(_looks(spell, count, wrong))
    return _rest(known, draft, found, count)


def _rest(known: Known, draft: Draft, found: Sequence[Spell], count: int) -> BreakerFinding:
    """Nothing is certainly broken: how much was seen."""
    neutral = [spell for spell in found if _neutral(known, spell, count)]
    draft.lacks.extend(
        _lack(known, spell, count)
        for spell in found
        if spell not in neutral and not _wrong(known, spell, count)
    )
    complete = [spell for spell in neutral if spell.rejection is not None]
    draft.need("departures before the last failure that opens", len(complete), at_least=1)
    draft.rounds = len(neutral)
    draft.observed = Observed(value=1, unit="more failures", worst_of=len(complete) or None)
    alone = sum(spell.alone for spell in neutral)
    if not alone:
        draft.notes.append("departures alone, without a failure, were not tried")
    power = f"counted as a success it would have taken {count} more failures instead of 1"
    if not _may_fail(known):
        power += ", counted as a failure 0"
    return draft.held_or_inconclusive(_held(complete, alone, count), power=power)


def _departed(joined: Joined) -> bool:
    return joined.cls == "left-forwarded"


def _may_fail(known: Known) -> bool:
    return known.history.declared.cancellation == "failure"


def _reached(known: Known, joined: Joined) -> bool:
    """The cancellation reached the call: the service gave it up, and before its own time-out."""
    if "cancelled" not in joined.flags:
        return False
    timeout, ended = known.terms.call_timeout, joined.call.arrivals[-1].ended
    if not timeout.known or ended is None:
        return ended is not None
    slack = known.by_id[joined.call.phase].slack
    return ended < joined.call.sent + int(timeout.number) - slack


def _clear(known: Known, spell: Spell) -> bool:
    return not spell.unclear and all(_reached(known, joined) for joined in spell.odd)


def _neutral(known: Known, spell: Spell, count: int) -> bool:
    """It opened with exactly the failures that it should, or stayed closed with fewer."""
    if not _clear(known, spell):
        return False
    failures = len(spell.before) + len(spell.after)
    if spell.rejection is None:
        return failures < count
    if _may_fail(known) and failures + len(spell.odd) >= count:
        return True
    return failures == count and len(spell.after) > 0 and _tells(spell, count)


def _tells(spell: Spell, count: int) -> bool:
    """With no failure before it, a departure that resets the count looks like one that does not."""
    return bool(spell.before) and count > 1


def _wrong(known: Known, spell: Spell, count: int) -> str:
    """How it counted a departure instead; empty where it is not certain that it did."""
    if not _clear(known, spell):
        return ""
    failures = len(spell.before) + len(spell.after)
    if spell.rejection is not None and failures < count:
        if _may_fail(known) or failures + len(spell.odd) < count:
            return ""
        return "as a failure"
    if _tells(spell, count) and len(spell.after) >= count:
        return "as a success"
    return ""


def _looks(spell: Spell, count: int, wrong: str) -> str:
    """What it looks like where nobody said whether it opens by a row or by a share."""
    failures = len(spell.before) + len(spell.after)
    if wrong == "as a success":
        return (
            f"it looks as if a departure had counted as a success: {len(spell.after)} more failures were"
            " needed; whether it opens by a row or by a share is not known"
        )
    if spell.after:
        return (
            f"opened after {failures} of {count} failures and a departure: it looks as if that had counted"
            " as a failure; declare cancellation: failure if that is meant"
        )
    return (
        f"opened with the departure itself, after {failures} of {count} failures: it counts as a"
        " failure here; declare cancellation: failure if that is meant"
    )


def _lack(known: Known, spell: Spell, count: int) -> str:
    if spell.unclear:
        return f"order is not certain: {spell.unclear}"
    if lost := next((j for j in spell.odd if not _reached(known, j)), None):
        last = lost.call.arrivals[-1]
        if last.end == "answered":
            return (
                f"the call of {lost.call.rid} went on and was answered {last.status}: "
                "that answer counted, rightly"
            )
        return f"the service does not pass cancellation on: {lost.call.rid} ran into its time-out"
    failures = len(spell.before) + len(spell.after)
    if spell.rejection is None:
        return (
            f"{len(spell.after)} failures after the departure and no short-circuit: "
            f"{failures} of {count} failures and a call after them"
        )
    if not _tells(spell, count):
        return f"threshold {count}: a departure that resets the count cannot be told apart"
    return _of_no_pattern(spell, count)


def _of_no_pattern(spell: Spell, count: int) -> str:
    """It opened, and neither at once, nor with the last failure, nor with all of them anew."""
    before, after = len(spell.before), len(spell.after)
    if after:
        return (
            f"{after} more failures were needed: 1 is neutral, {count} would be as a success; either"
            f" it does not open after {count} in a row, or more was counted than these calls show"
        )
    if before < count:
        return (
            f"opened after {before} failures and {len(spell.odd)} departures, which may count as failures:"
            f" too few for {count}"
        )
    return f"opened by the {before} failures before the departure: it takes {count}, so it shows nothing"


def _held(complete: Sequence[Spell], alone: int, count: int) -> str:
    told = f"after {count - 1} failures and a departure 1 more failure opened it"
    if len(complete) > 1:
        told += f", {len(complete)} times"
    if alone:
        told += f"; {alone} departures alone opened nothing"
    return told


def _sample(spell: Spell) -> dict[str, object]:
    return {
        "failures_before": [joined.call.rid for joined in spell.before],
        "departed": [joined.call.rid for joined in spell.odd],
        "hop_saw": [joined.call.arrivals[-1].end for joined in spell.odd],
        "failures_after": [joined.call.rid for joined in spell.after],
        "short_circuited": None if spell.rejection is None else spell.rejection.call.rid,
    }


def _violated(draft: Draft, spell: Spell, wrong: str) -> BreakerFinding:
    before, after = len(spell.before), len(spell.after)
    draft.observed = Observed(value=after, unit="more failures")
    who = "a departing caller" if len(spell.odd) == 1 else f"{len(spell.odd)} departing callers"
    if wrong == "as a success":
        text = (
            f"after {before} failures {who} reset the count: {after} more failures were needed "
            "instead of 1"
        )
    elif before + after:
        text = (
            f"{who} counted as a failure: {spell.rejection.call.rid if spell.rejection else ''} was "
            f"short-circuited after {before + after} failures"
        )
    else:
        text = f"{who} opened it without any failure"
    return draft.violated(
        text,
        counterexample(
            text, spell.rows, expected="1 more failure opens", got=f"{after} (counted {wrong})"
        ),
    )
