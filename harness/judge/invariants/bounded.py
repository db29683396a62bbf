"""bounded: every reading taken while a round lasts is within its bounds, these included."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression, ExpressionProblem, parse
from harness.expressions.values import compare, intake, show
from harness.judge.asked import a_reading_matters, refused_counts, refused_in_flight
from harness.judge.evidence import Reading, RoundEvidence
from harness.judge.judgement import Broken, RoundJudgement, apart
from harness.judge.sampled import (
    Samples,
    Valued,
    finding_over_readings,
    judged_by_samples,
    samples_to_judge,
    sampling_lack,
    values_at,
)
from harness.judge.told import problem_told, told_of
from harness.kinds import params, to_params
from harness.model.plan import InvariantPlan
from harness.model.units import Duration
from harness.model.verdicts import Counterexample, InvariantFinding

Bound = int | float | str | None


@params
class _Params:
    expression: str
    least: Bound = None
    """A number, or one with a unit: ``50ms``, ``200MiB``."""
    most: Bound = None
    every: Duration = Duration.parse("20ms")

    def __post_init__(self) -> None:
        if self.least is None and self.most is None:
            raise ValueError("bounded: has no bound; say least:, most: or both")
        least, most = bound_of("least", self.least), bound_of("most", self.most)
        if self.least is None or self.most is None:
            return
        try:
            empty = compare(">", least, most)
        except EvaluationProblem as problem:
            raise ValueError(f"least: does not compare with most: {problem}") from None
        if empty:
            raise ValueError(f"least: {show(least)} is above most: {show(most)}")


class Bounded:
    """Broken if a reading is below ``least`` or above ``most``."""

    kind = "bounded"
    summary = "an expression that is within bounds at every reading"
    word: ClassVar[Literal["expression"]] = "expression"
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._expression = parse(plan.expression)
        given = to_params(_Params, {**plan.params, "expression": plan.expression})
        bounds = ((">=", "least", given.least), ("<=", "most", given.most))
        self._bounds = [
            (operator, bound_of(name, bound))
            for operator, name, bound in bounds
            if bound is not None
        ]
        self._refused = refused_in_flight(self._expression) or refused_counts(self._expression)

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        samples = samples_to_judge(evidence, self._expression, self._refused)
        if isinstance(samples, RoundJudgement):
            return samples
        valued = values_at(self._expression, samples, evidence.round)
        broken, error = self._look_at(valued, evidence.round)
        lack = sampling_lack(evidence, samples, powerless=lambda: self._powerless(samples))
        return judged_by_samples(evidence, samples, broken=broken, error=error, lack=lack)

    def _look_at(self, valued: Valued, number: int) -> tuple[list[Broken], str | None]:
        broken: list[Broken] = []
        error = valued.error
        for reading, value in valued.pairs:
            try:
                for operator, bound in self._bounds:
                    if not compare(operator, value, bound):
                        broken.append(
                            _told(self._expression, number, reading, value, operator, bound)
                        )
            except EvaluationProblem as problem:
                read = {reading.probe: reading}
                error = error or problem_told(self._expression, problem, number, read)
        return broken, error

    def _powerless(self, samples: Samples) -> str:
        last = samples.readings[-1]
        try:
            matters = a_reading_matters(self._expression, {last.probe: last.exact})
        except EvaluationProblem:
            matters = False
        return "" if matters else "no other reading would have made another value of it"

    def finding(
        self, judgements: Sequence[RoundJudgement], *, enough: int | None = None
    ) -> InvariantFinding:
        return finding_over_readings(self._plan, judgements, enough=enough)


def bound_of(name: str, bound: Bound) -> Any:
    """A bound as expressions compare it; a text is a number with a unit.

    Raises:
        ValueError: it is no value.
    """
    try:
        return intake(evaluate(parse(bound), {})) if isinstance(bound, str) else intake(bound)
    except (EvaluationProblem, ExpressionProblem) as problem:
        raise ValueError(f"{name}: {problem}") from None


def _told(
    expression: Expression, number: int, reading: Reading, value: Any, operator: str, bound: Any
) -> Broken:
    return Broken(
        counterexample=Counterexample(
            round=number,
            summary=f"round {number}: {expression} is {show(value)}, not {operator} {show(bound)}",
            values={
                "round": number,
                "expression": expression.source,
                "readings": [told_of(reading)],
            },
        ),
        unknown=0,
        distance=apart(value, bound),
    )
