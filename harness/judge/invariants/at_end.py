"""at_end: true of the state once a round has settled, with the outcomes of that round counted."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.expressions.evaluate import Count, EvaluationProblem, TooManyAssignments, truths
from harness.expressions.parse import parse
from harness.judge.evidence import (
    Call,
    Lack,
    Reading,
    RoundEvidence,
    hidden_reading,
    unknown_in_words,
)
from harness.judge.falsifiable import (
    could_break,
    hidden_by_unknowns,
    other_readings_could_break,
)
from harness.judge.judgement import RoundJudgement, plural
from harness.judge.rounds_in_words import finding_over_rounds
from harness.judge.run_view import traffic_of
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
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._expression = parse(plan.expression)

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        def nothing(lack: Lack) -> RoundJudgement:
            return RoundJudgement(round=evidence.round, finished=evidence.finished, lack=lack)

        if lack := self._unsettled(evidence):
            return nothing(lack)
        read = self._readings(evidence)
        if isinstance(read, Lack):
            return nothing(read)
        values = {probe: reading.exact for probe, reading in read.items()}
        counts = counts_of(self._expression.counted, evidence.calls)
        try:
            fits = truths(self._expression, values, counts)
        except TooManyAssignments as problem:
            return nothing(Lack(short="too many unknown outcomes", detail=str(problem)))
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

    def _unsettled(self, evidence: RoundEvidence) -> Lack | None:
        if not evidence.finished:
            return Lack(short="not finished", detail="the round did not finish")
        if evidence.tainted is not None or evidence.settled is not None:
            return evidence.tainted
        never = evidence.never_settled
        if never is None:
            detail = "nothing says whether the state settled"
            return Lack(short="not settled", detail=detail, withheld=True)
        moving = [probe for probe in never.probes if probe in self._expression.names]
        if never.in_flight:
            detail = f"{never.in_flight} requests were still in flight after {never.limit}"
        elif moving:
            what = f"{plural(len(moving), 'probe')} {', '.join(moving)}"
            detail = f"{what} gave no two equal readings within {never.limit}"
        else:
            # What kept moving is nothing that this invariant reads.
            return None
        return Lack(short="never settled", detail=detail, withheld=True)

    def _readings(self, evidence: RoundEvidence) -> Mapping[str, Reading] | Lack:
        read: dict[str, Reading] = {}
        for reading in evidence.readings:
            if reading.purpose != "at-end" or reading.probe not in self._expression.names:
                continue
            if reading.probe in read and read[reading.probe].value != reading.value:
                detail = f"probe {reading.probe} changed between two readings at the end"
                return Lack(short="never settled", detail=detail, withheld=True)
            if reading.hidden:
                return hidden_reading(reading.probe)
            read[reading.probe] = reading
        for probe in self._expression.names:
            if probe not in read:
                detail = f"probe {probe} was not read at the end"
                return Lack(short="not read", detail=detail, withheld=True)
        return read

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

    def finding(self, judgements: Sequence[RoundJudgement]) -> InvariantFinding:
        return finding_over_rounds(self._plan, judgements)


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
