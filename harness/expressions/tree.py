"""The parsed form of an expression: frozen nodes that know their place in the source.

No node evaluates itself; that is ``evaluate.py``. ``start`` and ``end`` are offsets into the source,
so that a message can show the very words of a part. ``depth`` bounds the recursion of all walkers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.model.units import Duration

Scalar = int | Fraction | str | bool | Duration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    start: int
    end: int
    depth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Place):
    value: Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Place):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Place):
    """``of.key``: the entry of a map, never an attribute."""

    of: "Node"
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Place):
    """``of[index]``: an entry of a map, list or text."""

    of: "Node"
    index: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Place):
    """``[200, 201]``."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Place):
    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Place):
    """``acknowledged(op)``, ``rejected(op)`` or ``unknown(op)``."""

    outcome: Literal["acknowledged", "rejected", "unknown"]
    operation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Place):
    operator: Literal["-", "not"]
    operand: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Place):
    """Arithmetic, ``and`` and ``or``."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Place):
    """A chain such as ``0 <= balance <= 100``: one operator fewer than operands."""

    operators: tuple[str, ...]
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Place):
    """``then if condition else otherwise``."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"


Node = Constant | Name | Key | Index | Items | Call | Counted | Unary | Binary | Compare | Choice


def children(node: Node) -> tuple[Node, ...]:  # noqa: PLR0911 - one line for each kind of node
    """The parts of a node, in the order of the source."""
    match node:
        case Constant() | Name() | Counted():
            return ()
        case Key(of=of):
            return (of,)
        case Index(of=of, index=index):
            return (of, index)
        case Items(items=parts) | Call(arguments=parts) | Compare(operands=parts):
            return parts
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (then, condition, otherwise)


def walk(node: Node) -> Iterator[Node]:
    """Every node, parents first, in the order of the source."""
    yield node
    for child in children(node):
        yield from walk(child)
