"""BRK-17: answers that are declared as ignored (4xx) neither open a breaker nor wedge it.

Whether they leave a count of failures alone or reset it is judged only where ``ignored_as`` says which;
most libraries take any answer that raises nothing for a success.
"""

from collections.abc import Sequence

from harness.judge.breaker.finding import Draft, Subject, counterexample, zero_of
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Joined, Known
from harness.judge.breaker.lives import first_arrival, shown_open
from harness.judge.breaker.overshoot import rule_known
from harness.judge.breaker.permit_back import Wait, wait_for
from harness.judge.breaker.spells import Spell, spells
from harness.judge.breaker.statistics import zero_bound
from harness.judge.breaker.times_in_words import in_seconds
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Statistics

SUBJECT = Subject(
    id="BRK-17",
    name="ignored outcomes are ignored",
    severity="major",
    condition="5 * threshold ignored answers open nothing; after threshold - 1 failures and an ignored "
    "one, 1 more failure opens (threshold more with ignored_as: success); an ignored trial wedges nothing",
    phases=(14,),
)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *SUBJECT.phases, opens=False):
        return early
    found: list[Spell] = []
    for view in known.phases_of(*SUBJECT.phases):
        if view.lack:
            draft.lacks.append(view.lack)
        found.extend(spells(view.calls, _ignored))
    threshold = known.terms.threshold
    count = int(threshold.number) if threshold.known else None
    draft.limit = Limit(value=0, source=threshold.source)
    if known.history.declared.ignored is None:
        draft.notes.append("ignored not declared: judged by answers of 4xx")
    draft.samples.extend(_sample(spell) for spell in found)
    # A share of few calls opens with fewer failures than a row, and good ones dilute it.
    row = count if rule_known(known) else None
    for spell in found:
        if text := _opened_by(spell, row):
            return _violated(draft, spell, text, "as a failure")
        if row is not None and (text := _miscounted(known, spell, row)):
            return _violated(draft, spell, text, "otherwise than declared")
    trials = _trials(known)
    for wait in trials:
        if wait.refused is not None and not wait.in_time:
            return _wedged(draft, wait)
    return _rest(known, draft, found, count, len(trials))


def _rest(
    known: Known, draft: Draft, found: Sequence[Spell], count: int | None, trials: int
) -> BreakerFinding:
    """Nothing is certainly broken: how much was seen."""
    alone = sum(spell.alone for spell in found if not spell.unclear)
    draft.observed = Observed(value=0, unit="short-circuits", per=f"{alone} ignored answers")
    if count is None:
        draft.lacks.append("how many failures open it is neither declared nor inferred")
    else:
        draft.need("ignored answers in a row", alone, at_least=5 * count)
        _note_counts(known, draft, found, count)
    for spell in found:
        if spell.unclear:
            draft.lacks.append(f"order is not certain: {spell.unclear}")
    draft.statistics = Statistics(
        method="clopper-pearson",
        x=0,
        m=alone,
        bound=round(zero_bound(alone), 4) if alone else None,
        confidence=0.95,
    )
    if trials:
        draft.notes.append(f"{trials} trials were answered with an ignored outcome; none wedged it")
    return draft.held_or_inconclusive(
        f"{alone} ignored answers and no short-circuit",
        power=f"{zero_of(alone)} (an ignored answer opening it)" if alone else "",
    )


def _ignored(joined: Joined) -> bool:
    return joined.cls == "forwarded-ignored"


def _opened_by(spell: Spell, count: int | None) -> str:
    """It opened on ignored answers and fewer failures than that takes."""
    if spell.unclear or spell.rejection is None:
        return ""
    failures = len(spell.before) + len(spell.after)
    rid, statuses = spell.rejection.call.rid, _statuses(spell)
    if not failures:
        return (
            f"{rid} was short-circuited after {len(spell.odd)} answers of {statuses} and no failure"
        )
    if count is None or failures >= count or failures + len(spell.odd) < count:
        return ""
    return (
        f"{rid} was short-circuited after {failures} failures and {len(spell.odd)} answers of "
        f"{statuses}; {count} failures open"
    )


def _miscounted(known: Known, spell: Spell, count: int) -> str:
    """The failures after an ignored answer were not those that ``ignored_as`` says; empty if unsaid."""
    declared = known.history.declared.ignored_as
    if declared is None or spell.unclear or not spell.before or count < 2:
        return ""
    after, before = len(spell.after), len(spell.before)
    told = f"after {before} failures and an ignored answer "
    if declared == "nothing" and after >= count:
        return f"{told}{after} more failures were needed instead of {count - before}: it reset the count"
    if declared == "success" and spell.rejection is not None and after == count - before:
        return f"{told}{after} more opened it instead of {count}: declared ignored_as: success"
    return ""


def _note_counts(known: Known, draft: Draft, found: Sequence[Spell], count: int) -> None:
    """Part (b): needed where ``ignored_as`` is declared, else told."""
    declared = known.history.declared.ignored_as
    whole = [
        spell
        for spell in found
        if spell.before and spell.after and spell.rejection is not None and not spell.unclear
    ]
    for spell in whole:
        expected = count if declared == "success" else count - len(spell.before)
        seen = len(spell.after)
        if declared is None:
            draft.notes.append(
                f"ignored_as not declared: after {len(spell.before)} failures and an ignored answer "
                f"{seen} more failures opened it"
            )
        elif seen != expected:
            draft.lacks.append(
                f"{seen} more failures were needed after {len(spell.before)} and an ignored answer, "
                f"which is neither {count - len(spell.before)} nor {count}"
            )
    if declared is not None:
        draft.need("ignored answers between failures", len(whole), at_least=1)


def _trials(known: Known) -> list[Wait]:
    """What came after each trial that was answered with an ignored outcome."""
    waits = []
    for life in known.outages_in(*SUBJECT.phases):
        trial = next((one for one in life.trials if one.forwarded), None)
        if trial is None or not _ignored(trial) or not shown_open(known, life):
            continue
        view = known.by_id[trial.call.phase]
        if view.timing:
            continue
        wait = wait_for(known, view, trial, first_arrival(trial))
        if isinstance(wait, Wait):
            waits.append(wait)
    return waits


def _statuses(spell: Spell) -> str:
    seen = sorted({arrival.status or 0 for joined in spell.odd for arrival in joined.call.arrivals})
    return " or ".join(map(str, seen))


def _sample(spell: Spell) -> dict[str, object]:
    return {
        "failures_before": [joined.call.rid for joined in spell.before],
        "ignored": [joined.call.rid for joined in spell.odd][:50],
        "ignored_count": len(spell.odd),
        "failures_after": [joined.call.rid for joined in spell.after],
        "short_circuited": None if spell.rejection is None else spell.rejection.call.rid,
    }


def _violated(draft: Draft, spell: Spell, text: str, got: str) -> BreakerFinding:
    draft.observed = Observed(value=len(spell.odd), unit="ignored answers")
    ending = [] if spell.rejection is None else [spell.rejection]
    return draft.violated(
        text,
        counterexample(
            text,
            [*ending, *spell.before, *spell.after],
            around=spell.odd,
            expected="ignored",
            got=f"counted {got}",
        ),
    )


def _wedged(draft: Draft, wait: Wait) -> BreakerFinding:
    text = (
        f"after the trial {wait.trial.call.rid} was answered with an ignored outcome, no call was "
        f"forwarded for {in_seconds(wait.bound.span)} ({wait.bound.words})"
    )
    return draft.violated(
        text,
        counterexample(
            text,
            [wait.trial, *([wait.refused] if wait.refused else [])],
            around=wait.later,
            interval=(wait.since, wait.deadline),
            expected="a call forwarded",
            got="none",
        ),
    )
