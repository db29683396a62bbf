"""Runs the operations of ``prepare`` once before the rounds and keeps what they capture."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import parse
from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.events import AnyEvent, Prepared
from harness.model.outcomes import Acknowledged
from harness.model.plan import PreparePlan
from harness.traffic.operation import Operation
from harness.traffic.single import Answer, send


async def run_prepare(
    steps: Sequence[PreparePlan],
    *,
    operations: Mapping[str, Operation],
    address_of: Callable[[str], Address],
    values: Mapping[str, Any],
    record: Callable[[AnyEvent], object],
    hide: Callable[[str], None],
) -> dict[str, Any]:
    """The captured values by name. Texts among them are hidden from the journal: tokens, mostly.

    Raises:
        TargetError: an operation was not acknowledged, or its answer lacks what is captured.
    """
    captured: dict[str, Any] = {}
    for number, step in enumerate(steps, 1):
        operation = operations[step.operation]
        known = {**values, **step.vars, **captured, "n": 1, "round": 0, "rid": f"prepare-{number}"}
        answer = await send(operation, address=address_of(operation.on), values=known)
        record(
            Prepared(
                operation=step.operation,
                status=answer.status,
                outcome=answer.outcome,
                captured=tuple(step.capture),
            )
        )
        if not isinstance(answer.outcome, Acknowledged):
            raise TargetError(
                f"prepare: {step.operation}",
                f"was not acknowledged (status {answer.status}, {answer.outcome})",
                "prepare must succeed before the rounds can mean anything.",
            )
        for name, source in step.capture.items():
            captured[name] = value = _capture(source, answer, name)
            if isinstance(value, str):
                hide(value)
    return captured


def _capture(source: str, answer: Answer, name: str) -> Any:
    try:
        return evaluate(parse(source), answer.values())
    except EvaluationProblem as problem:
        raise TargetError(f"prepare: capture {name} from {source}", str(problem)) from problem
