"""What invariants of one expression share: what they may ask for, and whether a reading matters to it.

Only values of expressions; which readings of a round are looked at is in ``sampled.py`` and ``settled.py``.
"""

from collections.abc import Mapping
from typing import Any

from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression
from harness.expressions.values import equal
from harness.judge.evidence import Lack
from harness.judge.falsifiable import other_values


def refused_in_flight(expression: Expression) -> Lack | None:
    """What nobody can say of one moment while requests are in flight: decision 0003."""
    if len(expression.names) > 1:
        detail = (
            f"it reads {' and '.join(expression.names)}, and two probes are never read at one moment; "
            "ask for both in one probe"
        )
        return Lack(short="several probes", detail=detail, withheld=True)
    if not expression.names:
        detail = "it reads no probe, so there is nothing to sample; write it as at_end"
        return Lack(short="no probe", detail=detail, withheld=True)
    if any(expression.counts("unknown", operation) for operation in expression.counted):
        detail = "which outcomes are unknown is not known while requests are in flight; write it as at_end"
        return Lack(short="unknown outcomes", detail=detail, withheld=True)
    return None


def refused_counts(expression: Expression) -> Lack | None:
    """A value that rests on outcomes is several values while one of them is unknown."""
    if not expression.counted:
        return None
    detail = (
        f"it counts {' and '.join(expression.counted)}, so it has no one value while an outcome is unknown; "
        "ask probes alone, or write it as at_end"
    )
    return Lack(short="counts outcomes", detail=detail, withheld=True)


def a_reading_matters(expression: Expression, values: Mapping[str, Any]) -> bool:
    """True if some other value of one probe gives the expression another value.

    ``0 * files`` is within its bounds whatever is read, and so shows nothing.

    Raises:
        EvaluationProblem: the expression has no value for these.
    """
    value = evaluate(expression, values)
    for name in expression.names:
        for other in other_values(values.get(name)):
            try:
                if not equal(evaluate(expression, {**values, name: other}), value):
                    return True
            except EvaluationProblem:
                continue
    return False
