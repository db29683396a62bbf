"""The joined table of a breaker's run: one row for each call, as the evidence shows it."""

from collections.abc import Iterator
from typing import Any

from harness.expressions.evaluate import EvaluationProblem
from harness.expressions.parse import ExpressionProblem
from harness.judge.breaker.finding import row
from harness.judge.breaker.know import know
from harness.judge.breaker.slack import contradiction
from harness.model.breaker_history import BreakerHistory


def cases(history: BreakerHistory) -> Iterator[dict[str, Any]]:
    """In the order in which they were sent; none where nothing was judged."""
    if contradiction(history):
        return
    try:
        known = know(history)
    except (ExpressionProblem, EvaluationProblem):
        return
    yield from map(row, known.calls)
