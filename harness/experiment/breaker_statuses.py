"""Which statuses make a call fail, or be ignored, by what is declared; the script answers with these.

Pure. An expression that cannot be evaluated for a status does not match it.
"""

from functools import lru_cache

from harness.expressions.evaluate import EvaluationProblem, truth
from harness.expressions.parse import ExpressionProblem, parse
from harness.model.breaker import DEFAULT_FAILURE, BreakerPlan

ANSWER_NAMES = ("status", "cut", "timed_out")
DEFAULT_IGNORED = "status >= 400 and status < 500"

# What everybody understands first, then all that there are.
_FAILING_FIRST = (500, 503, 502, 504)
_IGNORED_FIRST = (404, 400, 409, 422)
_ALL = (*range(400, 600), *range(300, 400), *range(201, 300))


def failing_status(declared: BreakerPlan) -> int | None:
    """A status that counts as a failure; None where none does, as of a breaker of cuts alone."""
    failure, ignored = _rules(declared)
    return _first((*_FAILING_FIRST, *_ALL), failure, ignored)


def ignored_status(declared: BreakerPlan) -> int | None:
    """A status that counts as neither; None where none does."""
    failure, ignored = _rules(declared)
    return _first((*_IGNORED_FIRST, *_ALL), ignored, failure)


def _rules(declared: BreakerPlan) -> tuple[str, str]:
    return declared.failure or DEFAULT_FAILURE, declared.ignored or DEFAULT_IGNORED


@lru_cache(maxsize=64)
def _first(candidates: tuple[int, ...], wanted: str, unwanted: str) -> int | None:
    """The first that ``wanted`` matches and ``unwanted`` does not, else the first it matches."""
    matching = [status for status in candidates if matches(wanted, status)]
    alone = (status for status in matching if not matches(unwanted, status))
    return next(alone, matching[0] if matching else None)


def matches(rule: str, status: int) -> bool:
    """Whether an answer with this status, neither cut nor timed out, fits the rule."""
    try:
        return truth(parse(rule), {"status": status, "cut": False, "timed_out": False})
    except (EvaluationProblem, ExpressionProblem):
        return False
