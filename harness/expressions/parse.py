"""Source text to an ``Expression``: what its compilers need to know of it before it is evaluated.

Nothing is evaluated here, and no name is known: whoever compiles an expression compares ``names``
and ``counted`` with what there is.
"""

from dataclasses import dataclass
from typing import Literal

from harness.expressions.grammar import COUNTS, FUNCTIONS, Parser
from harness.expressions.tokens import ExpressionProblem
from harness.expressions.tree import Counted, Name, Node, walk

__all__ = ["COUNTS", "FUNCTIONS", "Expression", "ExpressionProblem", "parse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression. ``names`` and ``counted`` are in the order of first mention."""

    source: str
    root: Node
    names: tuple[str, ...]
    """Free names: probes, say, or ``status`` and ``json``."""
    counted: tuple[str, ...]
    """Operations whose outcomes are counted."""

    def counts(
        self, outcome: Literal["acknowledged", "rejected", "unknown"], operation: str
    ) -> bool:
        """True if ``outcome(operation)`` stands in the expression."""
        return any(
            isinstance(node, Counted) and (node.outcome, node.operation) == (outcome, operation)
            for node in walk(self.root)
        )

    def counts_rejected(self, operation: str) -> bool:
        return self.counts("rejected", operation)

    def column_of(self, name: str) -> int:
        """The column, from 1, where a free name or a counted operation is first mentioned."""
        for node in walk(self.root):
            match node:
                case Name(name=found) | Counted(operation=found) if found == name:
                    return node.start + 1
                case _:
                    continue
        return 1

    def text_of(self, node: Node) -> str:
        """The source of one part."""
        return self.source[node.start : node.end]

    def __str__(self) -> str:
        return self.source


def parse(source: str) -> Expression:
    """Reads one expression.

    Raises:
        ExpressionProblem: it is none; the message says what was found and what was expected.
    """
    parser = Parser(source)
    root = parser.whole()
    nodes = list(walk(root))
    names = dict.fromkeys(node.name for node in nodes if isinstance(node, Name))
    counted = dict.fromkeys(node.operation for node in nodes if isinstance(node, Counted))
    return Expression(source=source, root=root, names=tuple(names), counted=tuple(counted))
