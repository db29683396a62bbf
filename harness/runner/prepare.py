"""Runs the operations of ``prepare`` once before the rounds and keeps what they capture."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import parse
from harness.model.address import Address
from harness.model.errors import HarnessBug, TargetError
from harness.model.events import AnyEvent, Prepared
from harness.model.outcomes import Acknowledged
from harness.model.plan import PreparePlan
from harness.processes.programs import Programs
from harness.traffic.operation import Operation
from harness.traffic.single import Answer, Ended, run, send


async def run_prepare(
    steps: Sequence[PreparePlan],
    *,
    operations: Mapping[str, Operation],
    address_of: Callable[[str], Address],
    values: Mapping[str, Any],
    record: Callable[[AnyEvent], object],
    hide: Callable[[str], None],
    programs: Programs | None = None,
) -> dict[str, Any]:
    """The captured values by name. Texts among them are hidden from the journal: tokens, mostly.

    ``programs`` may be None where no operation is a command.

    Raises:
        TargetError: an operation was not acknowledged, or its answer lacks what is captured.
    """
    captured: dict[str, Any] = {}
    for number, step in enumerate(steps, 1):
        operation = operations[step.operation]
        known = {**values, **step.vars, **captured, "n": 1, "round": 0, "rid": f"prepare-{number}"}
        if operation.is_command:
            came: Answer | Ended = await run(operation, programs=_needed(programs), values=known)
        else:
            came = await send(operation, address=address_of(operation.on), values=known)
        record(
            Prepared(
                operation=step.operation,
                status=came.status,
                outcome=came.outcome,
                captured=tuple(step.capture),
            )
        )
        if not isinstance(came.outcome, Acknowledged):
            raise TargetError(
                f"prepare: {step.operation}",
                f"was not acknowledged ({_seen(came)}, {came.outcome})",
                "prepare must succeed before the rounds can mean anything.",
            )
        for name, source in step.capture.items():
            captured[name] = value = _capture(source, came, name)
            if isinstance(value, str):
                hide(value)
    return captured


def _needed(programs: Programs | None) -> Programs:
    if programs is None:
        raise HarnessBug("prepare has a command and was not told what commands are run with.")
    return programs


def _seen(came: Answer | Ended) -> str:
    if isinstance(came, Answer):
        return f"status {came.status}"
    said = f": {came.errors.splitlines()[-1]}" if came.errors else ""
    return f"{came.words()}{said}"


def _capture(source: str, came: Answer | Ended, name: str) -> Any:
    try:
        return evaluate(parse(source), came.values())
    except EvaluationProblem as problem:
        raise TargetError(f"prepare: capture {name} from {source}", str(problem)) from problem
