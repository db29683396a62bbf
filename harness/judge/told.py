"""A violation, or an expression without a value, in words with the numbers it can be re-derived from."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.expressions.evaluate import Count, EvaluationProblem
from harness.expressions.explain import Failed, failed_comparison
from harness.expressions.parse import Expression
from harness.expressions.values import show
from harness.judge.evidence import Reading, RoundEvidence
from harness.judge.judgement import Broken, RoundJudgement
from harness.model.verdicts import Counterexample

# So many of the values that are wrong are named in a sentence.
_NAMED = 5


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
    """The counterexample: what became of the operations, what failed, and the readings it rests on."""
    values = {probe: reading.exact for probe, reading in read.items()}
    failed = failed_comparison(expression, values, counts)
    said = [_outcomes(operation, count) for operation, count in counts.items()]
    told, shown = (f"{expression} is false", ()) if failed is None else _in_words(failed)
    given = ", ".join(f"{p} = {show(r.exact)}" for p, r in read.items() if p not in shown)
    summary = "; ".join([*said, f"{told} ({given})" if given else told])
    return Broken(
        counterexample=Counterexample(
            round=number,
            summary=f"round {number}: {summary}",
            values=_values(expression, number, read, counts),
        ),
        unknown=sum(count.unknown + count.rejecting for count in counts.values()),
        distance=0 if failed is None else failed.distance,
    )


# What an ordering says when its sides change places, so that the value comes first and the bound last.
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _in_words(failed: Failed) -> tuple[str, tuple[str, ...]]:
    """``100 - balance is 20, but 10 * paid is 500`` or ``balance is -20, not >= 0``.

    Beside it the parts of the source whose values are told by that.
    """
    left, operator, right = failed.left, failed.operator, failed.right
    if left.constant and not right.constant and operator in _MIRRORED:
        left, operator, right = right, _MIRRORED[operator], left
    if left.constant:
        return f"{left.source} {operator} {right.source} is false", ()
    told = f"{left.source} is {show(left.value)}"
    if operator in ("in", "not in"):
        return f"{told}, {'not ' if operator == 'in' else ''}in {right.source}", (left.source,)
    wanted = show(right.value)
    match operator, right.constant:
        case "==", True:
            told += f", not {wanted}"
        case "==", False:
            told += f", but {right.source} is {wanted}"
        case _, True:
            told += f", not {operator} {wanted}"
        case _:
            told += f", not {operator} {right.source}, which is {wanted}"
    return told, (left.source, right.source)


def _outcomes(operation: str, count: Count) -> str:
    """``50 of 50 withdraw were acknowledged``; what was rejected or unknown where there is any."""
    if not count.sent:
        return f"no {operation} was sent"
    verb = "was" if count.acknowledged == 1 else "were"
    told = [f"{count.acknowledged} of {count.sent} {operation} {verb} acknowledged"]
    if count.rejected:
        told.append(f"{count.rejected} rejected")
    # What is certain to have no effect and was not answered yet is unknown at that moment, too.
    if unknown := count.unknown + count.rejecting:
        told.append(f"{unknown} unknown, none of whose outcomes fits")
    return ", ".join(told)


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


def told_of(reading: Reading) -> dict[str, Any]:
    """One reading as a counterexample holds it: with its probe, its value and its moments."""
    return {
        "probe": reading.probe,
        "value": reading.value,
        "asked": reading.asked.ns,
        "answered": reading.answered.ns,
    }


def first_few(named: Sequence[str]) -> str:
    """``A1, A2, A3 and 4 more``: enough to look for, short enough to read."""
    more = len(named) - _NAMED
    shown = ", ".join(named[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
