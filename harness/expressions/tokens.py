"""Source text to tokens with their offsets. Units are read here; meaning of names is not.

Python's own tokenizer is no use: ``500ms`` is one token to us and an error to it.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.expressions.tree import Scalar
from harness.model.units import Duration, Size, UnitProblem

# Far above what an invariant needs, and small enough that no source can stall the parser.
MAX_SOURCE = 4_000
MAX_DIGITS = 100

_SPACE = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([A-Za-zµ]\w*)?", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\].,]")
_FOREIGN = re.compile(r"===|<>|&&|\|\||&|\||\^|!(?!=)|=(?!=)")
_OURS = {
    "===": "==",
    "<>": "!=",
    "&&": "and",
    "||": "or",
    "&": "and",
    "|": "or",
    "^": "**",
    "!": "not",
    "=": "==",
}
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


class ExpressionProblem(ValueError):
    """A source that is no expression. ``column`` counts from 1 within the source."""

    def __init__(self, message: str, column: int) -> None:
        self.message = message
        self.column = column
        super().__init__(f"{message} (column {column})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """``text`` is the very source; ``value`` is that of a constant."""

    kind: Literal["constant", "name", "operator", "end"]
    text: str
    start: int
    end: int
    value: Scalar = None


def tokenize(source: str) -> list[Token]:
    """All tokens and a last one of kind ``end``.

    Raises:
        ExpressionProblem: a character, number, unit or text that cannot be read; a source too long.
    """
    if len(source) > MAX_SOURCE:
        raise ExpressionProblem(
            f"the expression is longer than {MAX_SOURCE} characters", MAX_SOURCE + 1
        )
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        if space := _SPACE.match(source, at):
            at = space.end()
            continue
        token = _next(source, at)
        tokens.append(token)
        at = token.end
    tokens.append(Token(kind="end", text="", start=len(source), end=len(source)))
    return tokens


def _next(source: str, at: int) -> Token:
    if source[at] in "'\"":
        return _text(source, at)
    if number := _NUMBER.match(source, at):
        value = _number(number[1], number[2] or "", at)
        return Token(kind="constant", text=number[0], start=at, end=number.end(), value=value)
    if name := _NAME.match(source, at):
        return Token(kind="name", text=name[0], start=at, end=name.end())
    if foreign := _FOREIGN.match(source, at):
        ours = _OURS[foreign[0]]
        raise ExpressionProblem(f"{foreign[0]!r} is no operator here; write {ours!r}", at + 1)
    if operator := _OPERATOR.match(source, at):
        return Token(kind="operator", text=operator[0], start=at, end=operator.end())
    raise ExpressionProblem(f"{source[at]!r} cannot stand in an expression", at + 1)


def _number(digits: str, unit: str, at: int) -> Scalar:
    if len(digits) > MAX_DIGITS:
        raise ExpressionProblem(f"a number has at most {MAX_DIGITS} digits", at + 1)
    if not unit:
        return Fraction(digits) if "." in digits else int(digits)
    try:
        return Duration.parse(digits + unit)
    except UnitProblem as problem:
        duration_problem = problem
    try:
        # A size is its number of bytes, so that it compares with what a probe counts.
        return Size.parse(digits + unit).bytes
    except UnitProblem:
        if "finer" in str(duration_problem):
            raise ExpressionProblem(str(duration_problem), at + 1) from None
        raise ExpressionProblem(
            f"{digits + unit!r} has the unknown unit {unit!r}; "
            "durations have ns, us, ms, s, min or h, sizes have B, KB, KiB, MB, MiB, GB or GiB",
            at + len(digits) + 1,
        ) from None


def _text(source: str, at: int) -> Token:
    quote, read, i = source[at], [], at + 1
    while i < len(source) and source[i] != quote:
        if source[i] == "\\":
            i += 1
            escaped = source[i : i + 1]
            if escaped not in _ESCAPES:
                raise ExpressionProblem(
                    f"'\\{escaped}' is no escape; known are \\n, \\t, \\\\, \\' and \\\"", i
                )
            read.append(_ESCAPES[escaped])
        else:
            read.append(source[i])
        i += 1
    if i >= len(source):
        raise ExpressionProblem(f"the text that begins here has no closing {quote}", at + 1)
    return Token(kind="constant", text=source[at : i + 1], start=at, end=i + 1, value="".join(read))
