"""monotonic: of two readings in a row, the later one is never below the earlier, or never above it.

Readings that overlapped in time have no order: only one that was answered before the other was asked
comes before it. Several samplers may read the same probe, so that is no rare case.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

from harness.expressions.parse import Expression, parse
from harness.expressions.values import EvaluationProblem, compare, equal, show
from harness.judge.asked import refused_counts, refused_in_flight
from harness.judge.evidence import Reading, RoundEvidence
from harness.judge.judgement import Broken, RoundJudgement, apart
from harness.judge.sampled import (
    Valued,
    finding_over_readings,
    judged_by_samples,
    samples_to_judge,
    sampling_lack,
    values_at,
)
from harness.judge.told import told_of
from harness.kinds import params, to_params
from harness.model.plan import InvariantPlan
from harness.model.units import Duration
from harness.model.verdicts import Counterexample, InvariantFinding

Direction = Literal["up", "down"]
Valuation = tuple[Reading, Any]


@params
class _Params:
    expression: str
    direction: Direction = "up"
    every: Duration = Duration.parse("20ms")


class Monotonic:
    """Broken if a reading is below one that was answered before it was asked (``down``: above)."""

    kind = "monotonic"
    summary = "an expression that never goes down (or up) from one reading to a later one"
    word: ClassVar[Literal["expression"]] = "expression"
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._expression = parse(plan.expression)
        given = to_params(_Params, {**plan.params, "expression": plan.expression})
        self._direction: Direction = given.direction
        self._refused = refused_in_flight(self._expression) or refused_counts(self._expression)

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        samples = samples_to_judge(evidence, self._expression, self._refused)
        if isinstance(samples, RoundJudgement):
            return samples
        valued = values_at(self._expression, samples, evidence.round)
        steps, problem = steps_back(valued.pairs, self._direction)
        error = valued.error
        if error is None and problem is not None:
            error = f"{self._expression} has no order in round {evidence.round}: {problem}"
        lack = sampling_lack(evidence, samples, least=2, powerless=lambda: _never_changed(valued))
        broken = [
            _told(self._expression, evidence.round, before, after, self._direction)
            for before, after in steps
        ]
        return judged_by_samples(evidence, samples, broken=broken, error=error, lack=lack)

    def finding(
        self, judgements: Sequence[RoundJudgement], *, enough: int | None = None
    ) -> InvariantFinding:
        return finding_over_readings(self._plan, judgements, enough=enough)


def steps_back(
    pairs: Sequence[Valuation], direction: Direction
) -> tuple[list[tuple[Valuation, Valuation]], EvaluationProblem | None]:
    """Each reading that lies behind the furthest one before it, with that one; and the first two
    values that have no order, for then nothing can be said of them.
    """
    behind: Literal["<", ">"] = "<" if direction == "up" else ">"
    answered = sorted(pairs, key=lambda pair: pair[0].answered)
    furthest: Valuation | None = None
    steps: list[tuple[Valuation, Valuation]] = []
    problem: EvaluationProblem | None = None
    before = 0
    for later in sorted(pairs, key=lambda pair: pair[0].asked):
        try:
            while before < len(answered) and answered[before][0].answered < later[0].asked:
                earlier = answered[before]
                before += 1
                if furthest is None or in_order(behind, furthest[1], earlier[1]):
                    furthest = earlier
            if furthest is not None and in_order(behind, later[1], furthest[1]):
                steps.append((furthest, later))
        except EvaluationProblem as found:
            problem = problem or found
    return steps, problem


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d")
_DIGIT = re.compile("[0-9]")


def in_order(operator: Literal["<", ">"], left: Any, right: Any) -> bool:
    """``compare``, but for texts with numbers in them: as text, ``v10`` is before ``v9``.

    Moments (ISO 8601) are compared as such, and texts whose digits stand in the same places as text.

    Raises:
        EvaluationProblem: the values have no order, or not the one that their numbers have.
    """
    if not (isinstance(left, str) and isinstance(right, str)) or left == right:
        return compare(operator, left, right)
    one, other = _moment(left), _moment(right)
    if one is not None and other is not None:
        try:
            return one < other if operator == "<" else one > other
        except TypeError:
            detail = "one of them has an offset from UTC and the other has none"
            raise EvaluationProblem(f"{show(left)} and {show(right)}: {detail}") from None
    numbered = _DIGIT.search(left) and _DIGIT.search(right)
    if numbered and _DIGIT.sub("0", left) != _DIGIT.sub("0", right):
        raise EvaluationProblem(
            f"{show(left)} and {show(right)} are texts with digits, whose order is not that of numbers; "
            "cast it to a number"
        )
    return compare(operator, left, right)


def _moment(text: str) -> datetime | None:
    if _MOMENT.match(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _never_changed(valued: Valued) -> str:
    values = [value for _, value in valued.pairs]
    if any(not equal(value, values[0]) for value in values[1:]):
        return ""
    return "its value never changed, so it was never seen to go either way"


def _told(
    expression: Expression, number: int, before: Valuation, after: Valuation, direction: Direction
) -> Broken:
    went = "down" if direction == "up" else "up"
    later = after[0].asked - before[0].answered
    summary = f"{expression} went {went} from {show(before[1])} to {show(after[1])} within {later}"
    return Broken(
        counterexample=Counterexample(
            round=number,
            summary=f"round {number}: {summary}",
            values={
                "round": number,
                "expression": expression.source,
                "readings": [told_of(reading) for reading, _ in (before, after)],
            },
        ),
        unknown=0,
        distance=apart(before[1], after[1]),
    )
