"""Why an expression is false, in its own words: the part that failed and the value of each side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.expressions.evaluate import Count, evaluate_node
from harness.expressions.parse import Expression
from harness.expressions.tree import Binary, Compare, Constant, Node
from harness.expressions.values import EvaluationProblem, compare, is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A part of the source and its value. ``constant`` when the source says it already."""

    source: str
    value: Any
    constant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One comparison that is false: ``operator`` as it is written between its two sides."""

    left: Side
    operator: str
    right: Side

    @property
    def distance(self) -> Any:
        """How far apart two numbers are; 0 where that says nothing."""
        if not is_number(self.left.value) or not is_number(self.right.value):
            return 0
        return abs(self.left.value - self.right.value)


def failed_comparison(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> Failed | None:
    """The comparison that failed; the first one false in a row of ``and``, and in a chain.

    None when no single comparison is to blame, as with ``or``.
    """
    node = _failing(expression.root, values, counts)
    if not isinstance(node, Compare):
        return None
    try:
        sides = [
            Side(
                source=expression.text_of(operand),
                value=evaluate_node(operand, values, counts),
                constant=isinstance(operand, Constant),
            )
            for operand in node.operands
        ]
        for operator, left, right in zip(node.operators, sides, sides[1:], strict=False):
            if not compare(operator, left.value, right.value):
                return Failed(left=left, operator=operator, right=right)
    except EvaluationProblem:
        return None
    return None


def _failing(node: Node, values: Mapping[str, Any], counts: Mapping[str, Count]) -> Node:
    while isinstance(node, Binary) and node.operator == "and":
        try:
            left_holds = evaluate_node(node.left, values, counts)
        except EvaluationProblem:
            return node
        node = node.right if left_holds is True else node.left
    return node
