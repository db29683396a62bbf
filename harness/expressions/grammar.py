"""The grammar: tokens to a tree, by binding strength (a Pratt parser), with a bounded depth.

What an expression is to its users (its names, its source) is in ``parse.py``; values are elsewhere.
"""

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

from harness.expressions.tokens import ExpressionProblem, Token, tokenize
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

# Both far below Python's own recursion limit, with a few frames for each level.
MAX_NESTING = 50
MAX_DEPTH = 100

# Each function's least and most number of arguments.
FUNCTIONS: dict[str, tuple[int, int]] = {
    "min": (1, 20),
    "max": (1, 20),
    "abs": (1, 1),
    "len": (1, 1),
    "sum": (1, 1),
    "round": (1, 2),
    "int": (1, 1),
}
COUNTS = ("acknowledged", "rejected", "unknown")

_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_FOREIGN_WORDS = {
    "True": "true",
    "False": "false",
    "None": "null",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "is": "==",
}
_KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else", *_CONSTANTS})

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in"})
# How strongly an operator binds its left side.
_CHOICE, _NOT, _COMPARE, _NEGATE, _POWER, _POSTFIX = 1, 4, 5, 8, 9, 10
_BINDS = {
    "if": _CHOICE,
    "or": 2,
    "and": 3,
    **dict.fromkeys(_COMPARISONS, _COMPARE),
    **dict.fromkeys(("+", "-"), 6),
    **dict.fromkeys(("*", "/", "//", "%"), 7),
    "**": _POWER,
    **dict.fromkeys((".", "[", "("), _POSTFIX),
}


class Parser:
    """Reads one source once."""

    def __init__(self, source: str) -> None:
        self._tokens = tokenize(source)
        self._at = 0
        self._nesting = 0

    def whole(self) -> Node:
        """The only expression of the source."""
        root = self._expression(0)
        if self._now.kind != "end":
            raise self._unexpected("an operator or the end")
        return root

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._now
        self._at += 1
        return token

    def _is(self, text: str) -> bool:
        return self._now.kind in ("operator", "name") and self._now.text == text

    def _expect(self, text: str, expected: str) -> Token:
        if not self._is(text):
            raise self._unexpected(expected)
        return self._take()

    def _unexpected(self, expected: str) -> ExpressionProblem:
        token = self._now
        if token.text in _FOREIGN_WORDS:
            return ExpressionProblem(
                f"{token.text!r} is not known; write {_FOREIGN_WORDS[token.text]!r}",
                token.start + 1,
            )
        found = "the end" if token.kind == "end" else repr(token.text)
        return ExpressionProblem(f"found {found}, expected {expected}", token.start + 1)

    def _expression(self, binding: int) -> Node:
        """One expression whose operators all bind stronger than ``binding``."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionProblem(
                f"the expression is nested deeper than {MAX_NESTING} levels", self._now.start + 1
            )
        left = self._prefix()
        while (operator := self._operator()) is not None and _BINDS[operator] > binding:
            left = self._infix(left, operator)
            if left.depth > MAX_DEPTH:
                raise ExpressionProblem(
                    f"the expression chains more than {MAX_DEPTH} parts", self._now.start + 1
                )
        self._nesting -= 1
        return left

    def _operator(self) -> str | None:
        token = self._now
        if token.kind not in ("operator", "name"):
            return None
        if token.text == "not":
            after = self._tokens[self._at + 1]
            return "not in" if (after.kind, after.text) == ("name", "in") else None
        return token.text if token.text in _BINDS else None

    def _prefix(self) -> Node:
        token = self._now
        if token.kind == "constant":
            self._take()
            return Constant(value=token.value, start=token.start, end=token.end)
        if token.kind == "name" and token.text in _CONSTANTS:
            self._take()
            return Constant(value=_CONSTANTS[token.text], start=token.start, end=token.end)
        if token.text in ("-", "not") and token.kind != "end":
            return self._unary()
        if self._is("("):
            opened = self._take()
            inner = self._expression(0)
            closed = self._expect(")", "')'")
            return replace(inner, start=opened.start, end=closed.end)
        if self._is("["):
            return self._items()
        if token.kind != "name" or token.text in _KEYWORDS or token.text in _FOREIGN_WORDS:
            raise self._unexpected("a value")
        self._take()
        return self._call(token) if self._is("(") else self._name(token)

    def _items(self) -> Items:
        opened = self._take()
        items, closed = self._until("]")
        return Items(
            items=tuple(items),
            start=opened.start,
            end=closed.end,
            depth=max((item.depth for item in items), default=0) + 1,
        )

    def _until(self, closing: str) -> tuple[list[Node], Token]:
        """Expressions with commas between them, and the token that closes them."""
        items: list[Node] = []
        while not self._is(closing):
            items.append(self._expression(0))
            if not self._is(closing):
                self._expect(",", f"',' or {closing!r}")
        return items, self._take()

    def _name(self, token: Token) -> Name:
        if token.text in COUNTS:
            raise ExpressionProblem(
                f"{token.text!r} counts an operation; write {token.text}(operation)",
                token.start + 1,
            )
        return Name(name=token.text, start=token.start, end=token.end)

    def _unary(self) -> Unary:
        token = self._take()
        operator: Literal["-", "not"] = "-" if token.text == "-" else "not"
        # A bare "not" binds weaker than comparisons: not a == b is not (a == b).
        operand = self._expression(_NEGATE if operator == "-" else _NOT)
        return Unary(
            operator=operator,
            operand=operand,
            start=token.start,
            end=operand.end,
            depth=operand.depth + 1,
        )

    def _infix(self, left: Node, operator: str) -> Node:
        special: dict[str, Callable[[Node], Node]] = {
            ".": self._key,
            "[": self._index,
            "(": self._no_call,
            "if": self._choice,
        }
        if operator in special:
            return special[operator](left)
        if operator in _COMPARISONS:
            return self._compare(left)
        self._take()
        # ** binds to the right: 2 ** 3 ** 2 is 2 ** 9.
        right = self._expression(_BINDS[operator] - (operator == "**"))
        return Binary(
            operator=operator,
            left=left,
            right=right,
            start=left.start,
            end=right.end,
            depth=max(left.depth, right.depth) + 1,
        )

    def _compare(self, first: Node) -> Compare:
        operators: list[str] = []
        operands = [first]
        while (operator := self._operator()) in _COMPARISONS:
            self._take()
            if operator == "not in":
                self._take()
            operators.append(operator)
            operands.append(self._expression(_COMPARE))
        return Compare(
            operators=tuple(operators),
            operands=tuple(operands),
            start=first.start,
            end=operands[-1].end,
            depth=max(operand.depth for operand in operands) + 1,
        )

    def _key(self, of: Node) -> Key:
        self._take()
        if self._now.kind != "name":
            raise self._unexpected("a key behind '.'")
        token = self._take()
        return Key(of=of, key=token.text, start=of.start, end=token.end, depth=of.depth + 1)

    def _index(self, of: Node) -> Index:
        self._take()
        index = self._expression(0)
        closed = self._expect("]", "']'")
        return Index(
            of=of, index=index, start=of.start, end=closed.end, depth=max(of.depth, index.depth) + 1
        )

    def _no_call(self, of: Node) -> Node:
        known = ", ".join((*FUNCTIONS, *COUNTS))
        raise ExpressionProblem(f"only functions can be called: {known}", of.start + 1)

    def _choice(self, then: Node) -> Choice:
        self._take()
        condition = self._expression(_CHOICE)
        self._expect("else", "'else'")
        otherwise = self._expression(0)
        return Choice(
            condition=condition,
            then=then,
            otherwise=otherwise,
            start=then.start,
            end=otherwise.end,
            depth=max(condition.depth, then.depth, otherwise.depth) + 1,
        )

    def _call(self, name: Token) -> Node:
        self._take()
        if name.text in COUNTS:
            return self._counted(name)
        if name.text not in FUNCTIONS:
            known = [*FUNCTIONS, *COUNTS]
            near = difflib.get_close_matches(name.text, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
            raise ExpressionProblem(f"{name.text!r} is no function{hint}", name.start + 1)
        arguments, closed = self._until(")")
        least, most = FUNCTIONS[name.text]
        if not least <= len(arguments) <= most:
            takes = str(least) if least == most else f"{least} to {most}"
            raise ExpressionProblem(
                f"{name.text} takes {takes} argument{'s' if most > 1 else ''}, found {len(arguments)}",
                name.start + 1,
            )
        return Call(
            function=name.text,
            arguments=tuple(arguments),
            start=name.start,
            end=closed.end,
            depth=max(argument.depth for argument in arguments) + 1,
        )

    def _counted(self, name: Token) -> Counted:
        """``acknowledged(withdraw)``; a name with a hyphen is written as text."""
        token = self._now
        quoted = token.kind == "constant" and isinstance(token.value, str)
        if not quoted and (token.kind != "name" or token.text in _KEYWORDS):
            raise self._unexpected(f"the name of an operation, such as {name.text}(withdraw)")
        self._take()
        closed = self._expect(")", "')' behind the name of one operation")
        return Counted(
            outcome=cast("Literal['acknowledged', 'rejected', 'unknown']", name.text),
            operation=token.value if isinstance(token.value, str) else token.text,
            start=name.start,
            end=closed.end,
        )
