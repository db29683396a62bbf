"""Sorts what a caller was answered by what the experiment declares: the second axis (contract §1.5)."""

from collections.abc import Callable

from harness.connections.answer import NotJson
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import Answer as Sorted
from harness.model.outcomes import Acknowledged
from harness.traffic.answer import Answer
from harness.traffic.operation import Operation


def answers_of(declared: BreakerPlan, operation: Operation) -> Callable[[Answer], Sorted]:
    """The sorting for one experiment. What a fallback looks like is asked first: it may be a 200."""
    fallback, rejection = declared.fallback, declared.rejection

    def sort(answer: Answer) -> Sorted:
        if fallback is not None and (
            (fallback.status is None or answer.status == fallback.status)
            and (not fallback.has_json or _is_json(answer, fallback.json))
        ):
            return "fallback"
        if isinstance(operation.classify(answer), Acknowledged):
            return "success"
        if rejection.status is not None and answer.status == rejection.status:
            return "rejection"
        return "other"

    return sort


def _is_json(answer: Answer, wanted: object) -> bool:
    """Whether the body has this value; one that is no JSON has none."""
    try:
        return bool(answer.values()["json"] == wanted)
    except NotJson:
        return False
