"""How one answer counts for the breaker: by the declared expressions, each combination looked at once."""

from typing import Literal

from harness.expressions.evaluate import truth
from harness.expressions.parse import Expression, parse
from harness.model.breaker import DEFAULT_FAILURE, BreakerPlan

Counts = Literal["failure", "success", "ignored"]

DEFAULT_IGNORED = "status >= 400 and status < 500"


class Outcomes:
    """``failure`` and ``ignored`` over ``status``, ``cut`` and ``timed_out``; status 0 where there is none.

    What is declared as ignored is an exception from what is a failure. Where nothing is declared as
    ignored, 4xx is, unless it is a declared failure: every breaker keeps that much apart (contract §2).

    Raises:
        ExpressionProblem, EvaluationProblem: an expression cannot be read, or has no value.
    """

    def __init__(self, plan: BreakerPlan) -> None:
        self._failure = parse(plan.failure or DEFAULT_FAILURE)
        self._declared = None if plan.ignored is None else parse(plan.ignored)
        self._default = parse(DEFAULT_IGNORED)
        self._seen: dict[tuple[int | None, bool, bool], Counts] = {}

    def of(self, status: int | None, *, cut: bool = False, timed_out: bool = False) -> Counts:
        known = self._seen.get((status, cut, timed_out))
        if known is None:
            known = self._looked_at(status, cut, timed_out)
            self._seen[status, cut, timed_out] = known
        return known

    def _looked_at(self, status: int | None, cut: bool, timed_out: bool) -> Counts:
        values = {"status": status or 0, "cut": cut, "timed_out": timed_out}

        def holds(expression: Expression) -> bool:
            return truth(expression, values)

        if self._declared is not None and holds(self._declared):
            return "ignored"
        if holds(self._failure):
            return "failure"
        if self._declared is None and holds(self._default):
            return "ignored"
        return "success"
