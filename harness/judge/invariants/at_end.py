"""at_end: true of the state once a round has settled, with the outcomes of that round counted."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from harness.expressions.evaluate import Count, EvaluationProblem, TooManyAssignments, truths
from harness.expressions.parse import parse
from harness.judge.evidence import (
    Call,
    Lack,
    RoundEvidence,
    unknown_in_words,
)
from harness.judge.falsifiable import (
    could_break,
    hidden_by_unknowns,
    other_readings_could_break,
)
from harness.judge.judgement import RoundJudgement, nothing_of
from harness.judge.rounds_in_words import finding_over_rounds
from harness.judge.run_view import traffic_of
from harness.judge.settled import settled_readings
from harness.judge.told import broken_in, problem_in
from harness.kinds import params
from harness.model.plan import InvariantPlan
from harness.model.verdicts import InvariantFinding


@params
class _Params:
    expression: str


class AtEnd:
    """Broken in a round if the settled readings fit none of the ways its unknown outcomes may have gone."""

    kind = "at_end"
    summary = "an expression that is true once a round has settled"
    word: ClassVar[Literal["expression"]] = "expression"
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._expression = parse(plan.expression)

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        read = settled_readings(evidence, self._expression.names)
        if isinstance(read, Lack):
            return nothing_of(evidence, read)
        values = {probe: reading.exact for probe, reading in read.items()}
        counts = counts_of(self._expression.counted, evidence.calls)
        try:
            fits = truths(self._expression, values, counts)
        except TooManyAssignments as problem:
            lack = Lack(short="too many unknown outcomes", detail=str(problem))
            return nothing_of(evidence, lack)
        except EvaluationProblem as problem:
            return problem_in(self._expression, problem, evidence, read)
        if fits.broken:
            return broken_in(self._expression, evidence, read, counts)
        return RoundJudgement(
            round=evidence.round,
            finished=True,
            lack=self._no_power(evidence, values, counts),
            readings=len(read),
        )

    def _no_power(
        self, evidence: RoundEvidence, values: Mapping[str, Any], counts: Mapping[str, Count]
    ) -> Lack | None:
        if evidence.lacks:
            return evidence.lacks[0]
        if not self._expression.counted:
            if other_readings_could_break(self._expression, values):
                return None
            detail = "no other reading would have broken it"
            return Lack(short="nothing could have broken it", detail=detail)
        if could_break(self._expression, values, counts):
            return self._hidden(evidence, values, counts)
        unknown = sum(count.unknown for count in counts.values())
        if unknown:
            detail = (
                f"{unknown} of {len(evidence.calls)} outcomes are unknown "
                f"({unknown_in_words(evidence.calls)}), so many that nothing could have broken it"
            )
        else:
            detail = "no other outcome of the requests would have broken it"
        return Lack(short="nothing could have broken it", detail=detail)

    def _hidden(
        self, evidence: RoundEvidence, values: Mapping[str, Any], counts: Mapping[str, Count]
    ) -> Lack | None:
        if not hidden_by_unknowns(self._expression, values, counts):
            return None
        unknown = sum(count.unknown for count in counts.values())
        detail = (
            f"{unknown} of {len(evidence.calls)} outcomes are unknown "
            f"({unknown_in_words(evidence.calls)}), which may hide an effect lost or made twice; let rounds "
            "have none (`toxicity:`), or ask probes alone for what took effect"
        )
        return Lack(short="hidden by unknown outcomes", detail=detail)

    def finding(
        self, judgements: Sequence[RoundJudgement], *, enough: int | None = None
    ) -> InvariantFinding:
        return finding_over_rounds(self._plan, judgements, enough=enough)


def counts_of(operations: Sequence[str], calls: Sequence[Call]) -> Mapping[str, Count]:
    """The outcomes of a round; an operation that was never sent counts nothing."""
    traffic = traffic_of(calls)
    return {
        operation: Count(
            acknowledged=traffic[operation].acknowledged if operation in traffic else 0,
            rejected=traffic[operation].rejected if operation in traffic else 0,
            unknown=traffic[operation].unknown if operation in traffic else 0,
        )
        for operation in operations
    }
