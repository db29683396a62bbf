"""Many rounds of one invariant to its finding: the verdict, the statistics and the sentence.

The order of what wins is here and in ``conclude.py`` alike: no value, then broken, then unknown.
"""

from collections.abc import Sequence

from harness.judge.judgement import (
    RoundJudgement,
    do_not_count,
    lacks_in_words,
    most_telling,
    number_of,
)
from harness.judge.power import chance_of, power_sentence, violated_sentence
from harness.model.plan import InvariantPlan
from harness.model.verdicts import InvariantFinding, InvariantVerdict


def verdict_of(judgements: Sequence[RoundJudgement]) -> InvariantVerdict:
    """What the rounds of one invariant come to.

    Held takes at least one round that counts, and none in which evidence was withheld.
    """
    if any(judgement.error is not None for judgement in judgements):
        return "error"
    if any(judgement.broken is not None for judgement in judgements):
        return "violated"
    if any(judgement.lack is not None and judgement.lack.withheld for judgement in judgements):
        return "inconclusive"
    return "held" if any(judgement.counts for judgement in judgements) else "inconclusive"


def finding_over_rounds(
    plan: InvariantPlan,
    judgements: Sequence[RoundJudgement],
    *,
    held: str = "",
    enough: int | None = None,
) -> InvariantFinding:
    """The finding of one invariant. ``held`` is the sentence for that case, instead of the power.

    ``enough`` violated rounds ended the run before all were run; None if they did not.
    """
    verdict = verdict_of(judgements)
    broken = [judgement.broken for judgement in judgements if judgement.broken is not None]
    match verdict:
        case "error":
            summary = next(each.error for each in judgements if each.error is not None)
            if broken:
                summary += f"; {violated_in_words(judgements, enough=enough)}"
        case "violated":
            summary = violated_in_words(judgements, enough=enough)
        case "held":
            summary = held or held_in_words(judgements)
        case "inconclusive":
            summary = inconclusive_in_words(judgements)
    return InvariantFinding(
        name=plan.name,
        kind=plan.kind,
        verdict=verdict,
        summary=summary or "",
        evidence=_evidence(judgements, enough),
        counterexample=most_telling(broken).counterexample if broken else None,
    )


def _evidence(judgements: Sequence[RoundJudgement], enough: int | None) -> dict[str, object]:
    counted = [judgement for judgement in judgements if judgement.counts]
    evidence: dict[str, object] = {
        "rounds": sum(judgement.finished for judgement in judgements),
        "violated_rounds": sum(judgement.broken is not None for judgement in judgements),
        "rounds_with_power": len(counted),
        "readings": sum(judgement.readings for judgement in judgements),
    }
    if counted:
        violated = sum(judgement.broken is not None for judgement in counted)
        interval = chance_of(violated, len(counted), ended=_ended(judgements, enough))
        evidence["ci"] = [round(interval.low, 6), round(interval.high, 6)]
    return evidence


def _ended(judgements: Sequence[RoundJudgement], enough: int | None) -> bool:
    """Whether it was this invariant that was broken often enough, and in the last round."""
    broken = [each for each in judgements if each.counts and each.broken is not None]
    return len(broken) == enough and broken[-1:] == list(judgements[-1:])


def violated_in_words(judgements: Sequence[RoundJudgement], *, enough: int | None = None) -> str:
    """The share is that of the rounds that count; broken ones beside them are named beside it."""
    counted = [judgement for judgement in judgements if judgement.counts]
    all_broken = sum(judgement.broken is not None for judgement in judgements)
    broken = sum(judgement.broken is not None for judgement in counted)
    others = do_not_count(judgements)
    if not broken:
        stopped = "" if enough is None else ", then stopped"
        of = number_of(len(judgements), "round")
        told = f"violated in {all_broken} of {of}{stopped}"
        return f"{told}, none of which counts ({others})" if others else told
    ended = _ended(judgements, enough)
    told = violated_sentence(broken, len(counted), stopped=enough is not None, ended=ended)
    if all_broken > broken:
        return f"{told}, and in {all_broken - broken} that count for nothing else ({others})"
    return told


def held_in_words(judgements: Sequence[RoundJudgement]) -> str:
    """``held in 17 rounds that count (3 do not: overlap under 2): a race …``."""
    counted = sum(judgement.counts for judgement in judgements)
    others = do_not_count(judgements)
    rounds = number_of(counted, "round")
    if others:
        rounds += f" that count{'s' if counted == 1 else ''} ({others})"
    return f"held in {rounds}: {power_sentence(counted)}"


def inconclusive_in_words(judgements: Sequence[RoundJudgement]) -> str:
    """The reasons, those that put the whole run in doubt first."""
    lacks = [(each.round, each.lack) for each in judgements if each.lack is not None]
    if not lacks:
        return "no round was judged"
    withheld = [(number, lack) for number, lack in lacks if lack.withheld]
    if withheld:
        return "; ".join(lacks_in_words(withheld))
    return f"no round counts: {'; '.join(lacks_in_words(lacks))}"
