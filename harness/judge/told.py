"""A violation, or an expression without a value, in words with the numbers it can be re-derived from."""

from collections.abc import Mapping
from typing import Any

from harness.expressions.evaluate import Count, EvaluationProblem
from harness.expressions.explain import Side, distance, failing_sides
from harness.expressions.parse import Expression
from harness.expressions.values import show
from harness.judge.evidence import Reading, RoundEvidence
from harness.judge.judgement import Broken, RoundJudgement
from harness.model.verdicts import Counterexample


def broken_in(
    expression: Expression,
    evidence: RoundEvidence,
    read: Mapping[str, Reading],
    counts: Mapping[str, Count],
) -> RoundJudgement:
    """The judgement of a settled round that broke the expression."""
    return RoundJudgement(
        round=evidence.round,
        finished=True,
        broken=broken_by(expression, evidence.round, read, counts),
        lack=evidence.lacks[0] if evidence.lacks else None,
        readings=len(read),
        readings_broken=len(read),
    )


def broken_by(
    expression: Expression, number: int, read: Mapping[str, Reading], counts: Mapping[str, Count]
) -> Broken:
    """The counterexample: both sides of what failed, then every reading and count."""
    values = {probe: reading.exact for probe, reading in read.items()}
    sides = failing_sides(expression, values, counts)
    told = " and ".join(
        f"{side.source} is {show(side.value)}" for side in sides if not _says_itself(side, values)
    )
    given = _given(expression, read, counts)
    summary = (
        f"round {number}: {told or f'{expression} is false'} ({given})"
        if given
        else (f"round {number}: {told or f'{expression} is false'}")
    )
    return Broken(
        counterexample=Counterexample(
            round=number, summary=summary, values=_values(expression, number, read, counts)
        ),
        unknown=sum(count.unknown + count.rejecting for count in counts.values()),
        distance=distance(sides),
    )


def problem_in(
    expression: Expression,
    problem: EvaluationProblem,
    evidence: RoundEvidence,
    read: Mapping[str, Reading],
) -> RoundJudgement:
    """The judgement of a round in which the expression has no value."""
    return RoundJudgement(
        round=evidence.round,
        finished=evidence.finished,
        error=problem_told(expression, problem, evidence.round, read),
        readings=len(read),
    )


def problem_told(
    expression: Expression, problem: EvaluationProblem, number: int, read: Mapping[str, Reading]
) -> str:
    """``100 / balance == 1 has no value in round 3: 100 / 0 divides by zero (balance = 0)``."""
    given = ", ".join(f"{probe} = {show(reading.exact)}" for probe, reading in read.items())
    told = f"{expression} has no value in round {number}: {problem}"
    return f"{told} ({given})" if given else told


def _says_itself(side: Side, values: Mapping[str, Any]) -> bool:
    """A constant says what it is, and a bare probe stands among the readings."""
    return side.constant or side.source in values


def _given(expression: Expression, read: Mapping[str, Reading], counts: Mapping[str, Count]) -> str:
    told = [f"{probe} = {show(reading.exact)}" for probe, reading in read.items()]
    for operation, count in counts.items():
        told.append(f"acknowledged({operation}) = {count.acknowledged}")
        if count.rejected or expression.counts_rejected(operation):
            told.append(f"rejected({operation}) = {count.rejected}")
        fits = ", none of whose outcomes fits" if count.unknown else ""
        told.append(f"unknown {count.unknown}{fits}")
    return ", ".join(told)


def _values(
    expression: Expression,
    number: int,
    read: Mapping[str, Reading],
    counts: Mapping[str, Count],
) -> dict[str, Any]:
    return {
        "round": number,
        "expression": expression.source,
        "readings": {
            probe: {
                "value": reading.value,
                "asked": reading.asked.ns,
                "answered": reading.answered.ns,
            }
            for probe, reading in read.items()
        },
        "counts": {
            operation: {
                "acknowledged": count.acknowledged,
                "rejected": count.rejected,
                "unknown": count.unknown,
                **({"rejecting": count.rejecting} if count.rejecting else {}),
            }
            for operation, count in counts.items()
        },
    }
