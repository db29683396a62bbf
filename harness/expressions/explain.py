"""Why an expression is false, in its own words: the part that failed and the value of each side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.expressions.evaluate import Count, evaluate_node
from harness.expressions.parse import Expression
from harness.expressions.tree import Binary, Compare, Constant, Node
from harness.expressions.values import EvaluationProblem, is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A part of the source and its value. ``constant`` when the source says it already."""

    source: str
    value: Any
    constant: bool


def failing_sides(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> tuple[Side, ...]:
    """The sides of the comparison that failed; the first one false in a row of ``and``.

    Empty when no single comparison is to blame, as with ``or``.
    """
    node = _failing(expression.root, values, counts)
    if not isinstance(node, Compare):
        return ()
    try:
        return tuple(
            Side(
                source=expression.text_of(operand),
                value=evaluate_node(operand, values, counts),
                constant=isinstance(operand, Constant),
            )
            for operand in node.operands
        )
    except EvaluationProblem:
        return ()


def distance(sides: tuple[Side, ...]) -> Any:
    """How far apart the two sides of one comparison of numbers are; 0 where that says nothing."""
    if len(sides) != 2 or not all(is_number(side.value) for side in sides):
        return 0
    return abs(sides[0].value - sides[1].value)


def _failing(node: Node, values: Mapping[str, Any], counts: Mapping[str, Count]) -> Node:
    while isinstance(node, Binary) and node.operator == "and":
        try:
            left_holds = evaluate_node(node.left, values, counts)
        except EvaluationProblem:
            return node
        node = node.right if left_holds is True else node.left
    return node
