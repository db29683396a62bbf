"""The value of an expression, once, or over every assignment of its unknown outcomes.

With u operations unknown, any number of them may have taken effect: each is tried, and an invariant
is broken only if none fits. The language itself is in ``parse.py``, its arithmetic in ``values.py``.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, assert_never

from harness.expressions.functions import call
from harness.expressions.parse import Expression
from harness.expressions.tree import (
    Binary,
    Call,
    Choice,
    Compare,
    Constant,
    Counted,
    Index,
    Items,
    Key,
    Name,
    Node,
    Unary,
)
from harness.expressions.values import (
    EvaluationProblem,
    arithmetic,
    compare,
    intake,
    is_number,
    outward,
    show,
    type_name,
)
from harness.model.units import Duration

__all__ = [
    "MAX_ASSIGNMENTS",
    "Count",
    "EvaluationProblem",
    "Fits",
    "TooManyAssignments",
    "assignments",
    "evaluate",
    "truth",
    "truths",
]

MAX_ASSIGNMENTS = 100_000


class TooManyAssignments(EvaluationProblem):
    """There are more ways the unknown outcomes may have gone than can be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What became of the operations of one name.

    ``unknown`` ones may each have taken effect, been rejected, or neither. ``rejecting`` ones are
    certain to have no effect, yet may not have been rejected at the moment that is looked at.
    """

    acknowledged: int
    rejected: int
    unknown: int
    rejecting: int = 0

    @property
    def sent(self) -> int:
        return self.acknowledged + self.rejected + self.unknown + self.rejecting


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Whether some assignment makes the expression true: how many were tried, of how many."""

    fits: bool
    tried: int
    of: int

    @property
    def broken(self) -> bool:
        return not self.fits


def evaluate(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count] | None = None
) -> Any:
    """The value with the counts as they are: unknown outcomes count as neither.

    What is no whole number comes out as an exact ``Decimal``, as a ``Fraction`` only if its decimals
    never end (1 / 3).

    Raises:
        EvaluationProblem: wrong types, a missing name or key, a division by zero, a number too large.
    """
    return outward(evaluate_node(expression.root, values, counts or {}))


def truth(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count] | None = None
) -> bool:
    """``evaluate`` for an expression that must be true or false.

    Raises:
        EvaluationProblem: as ``evaluate``, or the value is neither true nor false.
    """
    return _boolean(evaluate(expression, values, counts), expression.source)


def truths(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count] | None = None
) -> Fits:
    """Tries the assignments of unknown outcomes until one makes the expression true.

    An assignment that has no value is no fit; it is raised when nothing else fits, since then
    neither true nor false can be said.

    Raises:
        TooManyAssignments: more than ``MAX_ASSIGNMENTS``.
        EvaluationProblem: no assignment fits, and at least one has no value.
    """
    of = number_of_assignments(expression, counts or {})
    tried, problem = 0, None
    for assigned in assignments(expression, counts or {}):
        tried += 1
        try:
            if truth(expression, values, assigned):
                return Fits(fits=True, tried=tried, of=of)
        except EvaluationProblem as found:
            problem = problem or found
    if problem is not None:
        raise problem
    return Fits(fits=False, tried=tried, of=of)


def number_of_assignments(expression: Expression, counts: Mapping[str, Count]) -> int:
    """How many assignments there are to try.

    Raises:
        TooManyAssignments: more than ``MAX_ASSIGNMENTS``.
    """
    ways = []
    for operation in expression.counted:
        count = _count(counts, operation)
        effects, rejections = count.unknown + 1, count.rejecting + 1
        if not expression.counts("acknowledged", operation):
            ways.append(effects + count.rejecting if expression.counts_rejected(operation) else 1)
        elif expression.counts_rejected(operation):
            ways.append(effects * (count.unknown + 2 * rejections) // 2)
        else:
            ways.append(effects)
    if prod(ways) > MAX_ASSIGNMENTS:
        raise TooManyAssignments(
            f"the unknown outcomes of {', '.join(expression.counted)} may have gone "
            f"{prod(ways):,} ways, more than the {MAX_ASSIGNMENTS:,} that are tried"
        )
    return prod(ways)


def assignments(
    expression: Expression, counts: Mapping[str, Count]
) -> Iterator[Mapping[str, Count]]:
    """Every way the unknown outcomes may have gone that the expression can tell apart.

    ``unknown`` stays the number observed: it counts what nobody could say.
    """
    ways = [
        list(_ways(expression, operation, _count(counts, operation)))
        for operation in expression.counted
    ]
    for chosen in product(*ways):
        yield dict(zip(expression.counted, chosen, strict=True))


def _ways(expression: Expression, operation: str, count: Count) -> Iterable[Count]:
    unknown = count.unknown
    effects = range(unknown + 1 if expression.counts("acknowledged", operation) else 1)
    rejects = expression.counts_rejected(operation)
    for took_effect in effects:
        others = unknown - took_effect + count.rejecting
        for rejected in range(others + 1 if rejects else 1):
            yield Count(
                acknowledged=count.acknowledged + took_effect,
                rejected=count.rejected + rejected,
                unknown=unknown,
            )


def _count(counts: Mapping[str, Count], operation: str) -> Count:
    if operation not in counts:
        raise EvaluationProblem(f"no outcomes were counted for the operation {operation!r}")
    return counts[operation]


def evaluate_node(  # noqa: C901, PLR0911 - one line for each kind of node
    node: Node, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> Any:
    """The value of one part of an expression."""
    match node:
        case Constant(value=value):
            return value
        case Name(name=name):
            return _name(name, values)
        case Key(of=of, key=key):
            return _entry(evaluate_node(of, values, counts), key)
        case Index(of=of, index=index):
            return _entry(evaluate_node(of, values, counts), evaluate_node(index, values, counts))
        case Items(items=items):
            return [evaluate_node(item, values, counts) for item in items]
        case Call(function=function, arguments=arguments):
            return call(function, [evaluate_node(each, values, counts) for each in arguments])
        case Counted(outcome=outcome, operation=operation):
            return getattr(_count(counts, operation), outcome)
        case Unary(operator=operator, operand=operand):
            return _unary(operator, evaluate_node(operand, values, counts))
        case Binary():
            return _binary(node, values, counts)
        case Compare():
            return _compare(node, values, counts)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            chosen = _boolean(evaluate_node(condition, values, counts), "a condition")
            return evaluate_node(then if chosen else otherwise, values, counts)
        case _:
            assert_never(node)


def _name(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise EvaluationProblem(f"{name!r} has no value here")
    return intake(values[name])


def _entry(holder: Any, key: Any) -> Any:
    match holder, key:
        case Mapping(), str():
            if key in holder:
                return intake(holder[key])
            near = difflib.get_close_matches(key, [k for k in holder if isinstance(k, str)], 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise EvaluationProblem(f"there is no {show(key)} in a map of {len(holder)}{hint}")
        case list() | tuple() | str(), int() if not isinstance(key, bool):
            if -len(holder) <= key < len(holder):
                return intake(holder[key])
            raise EvaluationProblem(
                f"there is no item {show(key)} in a {type_name(holder)} of {len(holder)}"
            )
        case _:
            raise EvaluationProblem(
                f"the {type_name(holder)} {show(holder)} has no entry {show(key)}"
            )


def _unary(operator: str, value: Any) -> Any:
    if operator == "not":
        return not _boolean(value, "what stands behind 'not'")
    if isinstance(value, Duration):
        return -value
    if not is_number(value):
        raise EvaluationProblem(f"'-' does not apply to the {type_name(value)} {show(value)}")
    return -value


def _binary(node: Binary, values: Mapping[str, Any], counts: Mapping[str, Count]) -> Any:
    left = evaluate_node(node.left, values, counts)
    if node.operator not in ("and", "or"):
        return arithmetic(node.operator, left, evaluate_node(node.right, values, counts))
    # Short-circuit, so that the left side may guard the right one.
    if _boolean(left, f"what stands before {node.operator!r}") == (node.operator == "or"):
        return left
    right = evaluate_node(node.right, values, counts)
    return _boolean(right, f"what stands behind {node.operator!r}")


def _compare(node: Compare, values: Mapping[str, Any], counts: Mapping[str, Count]) -> bool:
    left = evaluate_node(node.operands[0], values, counts)
    for operator, operand in zip(node.operators, node.operands[1:], strict=True):
        right = evaluate_node(operand, values, counts)
        if not compare(operator, left, right):
            return False
        left = right
    return True


def _boolean(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise EvaluationProblem(
            f"{what} is the {type_name(value)} {show(value)}, which is neither true nor false"
        )
    return value
