"""always: true of every reading taken while a round lasted. Why one probe only: decision 0003.

A reading stands for one unknown moment between its question and its answer, so outcomes count as
certain only if they were known before it was asked.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, Literal

from harness.expressions.evaluate import Count, EvaluationProblem, TooManyAssignments, truths
from harness.expressions.parse import parse
from harness.judge.asked import refused_in_flight
from harness.judge.evidence import Call, Lack, Reading, RoundEvidence
from harness.judge.falsifiable import could_break, other_readings_could_break
from harness.judge.judgement import Broken, RoundJudgement
from harness.judge.sampled import (
    finding_over_readings,
    judged_by_samples,
    samples_to_judge,
    sampling_lack,
)
from harness.judge.told import broken_by, problem_told
from harness.kinds import params
from harness.model.plan import InvariantPlan
from harness.model.units import Duration, Instant
from harness.model.verdicts import InvariantFinding

# Looking for one reading that could have been broken is worth so many tries a round, not more.
_MAX_TRIED = 50


@params
class _Params:
    expression: str
    every: Duration = Duration.parse("20ms")


class Always:
    """Broken if one reading fits none of the outcomes that were possible at its moment."""

    kind = "always"
    summary = "an expression that is true of every reading"
    word: ClassVar[Literal["expression"]] = "expression"
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._expression = parse(plan.expression)
        self._refused = refused_in_flight(self._expression)

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        samples = samples_to_judge(evidence, self._expression, self._refused)
        if isinstance(samples, RoundJudgement):
            return samples
        known = [_Known(name, evidence.calls) for name in self._expression.counted]
        broken, error, undecided = self._look_at(samples.readings, known, evidence.round)
        lack = sampling_lack(
            evidence,
            samples,
            undecided=undecided,
            powerless=lambda: self._powerless(samples.readings, known),
        )
        return judged_by_samples(evidence, samples, broken=broken, error=error, lack=lack)

    def _look_at(
        self, readings: Sequence[Reading], known: "Sequence[_Known]", number: int
    ) -> tuple[list[Broken], str | None, Lack | None]:
        """The violations, the first reading without a value, the first with too many outcomes."""
        broken: list[Broken] = []
        error: str | None = None
        undecided: Lack | None = None
        for reading in readings:
            counts = {each.operation: each.at(reading) for each in known}
            read = {reading.probe: reading}
            try:
                if truths(self._expression, {reading.probe: reading.exact}, counts).broken:
                    broken.append(broken_by(self._expression, number, read, counts))
            except TooManyAssignments as problem:
                undecided = undecided or Lack(
                    short="too many unknown outcomes", detail=str(problem)
                )
            except EvaluationProblem as problem:
                error = error or problem_told(self._expression, problem, number, read)
        return broken, error, undecided

    def _powerless(self, readings: Sequence[Reading], known: "Sequence[_Known]") -> str:
        """Why nothing could have broken it; empty if something could."""
        last = readings[-1]
        if not known:
            could = other_readings_could_break(self._expression, {last.probe: last.exact})
            return "" if could else "no other reading would have broken it"
        could = self._could_break(readings, known)
        return (
            "" if could else "no other outcome of the requests would have broken it at any reading"
        )

    def _could_break(self, readings: Sequence[Reading], known: "Sequence[_Known]") -> bool:
        # The last readings first: outcomes are best known there.
        step = max(1, len(readings) // _MAX_TRIED)
        return any(
            could_break(
                self._expression,
                {reading.probe: reading.exact},
                {each.operation: each.at(reading) for each in known},
            )
            for reading in list(readings)[::-step]
        )

    def finding(
        self, judgements: Sequence[RoundJudgement], *, enough: int | None = None
    ) -> InvariantFinding:
        return finding_over_readings(self._plan, judgements, enough=enough)


class _Known:
    """What was known of one operation's outcomes at any moment, from sorted instants."""

    def __init__(self, operation: str, calls: Sequence[Call]) -> None:
        self.operation = operation
        mine = [call for call in calls if call.operation == operation]
        self._sent = sorted(call.began or call.sent for call in mine)
        acknowledged = [call for call in mine if call.outcome == "acknowledged"]
        rejected = [call for call in mine if call.outcome == "rejected"]
        self._acknowledged = sorted(call.last for call in acknowledged if call.last is not None)
        self._rejected = sorted(call.last for call in rejected if call.last is not None)
        self._rejected_sent = sorted(call.began or call.sent for call in rejected)

    def at(self, reading: Reading) -> Count:
        """Certain is what was answered before the question; possible what was sent before the answer."""

        def until(instants: Sequence[Instant], moment: Instant) -> int:
            return bisect_right(instants, moment)

        acknowledged = until(self._acknowledged, reading.asked)
        rejected = until(self._rejected, reading.asked)
        rejecting = until(self._rejected_sent, reading.answered) - rejected
        sent = until(self._sent, reading.answered)
        return Count(
            acknowledged=acknowledged,
            rejected=rejected,
            unknown=sent - acknowledged - rejected - rejecting,
            rejecting=rejecting,
        )
