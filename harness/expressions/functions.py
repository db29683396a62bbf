"""The functions an expression may call. Each is bounded and says what it takes; none reaches out."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from harness.expressions.values import (
    EvaluationProblem,
    arithmetic,
    compare,
    intake,
    is_number,
    show,
    type_name,
)
from harness.model.units import Duration

_MAX_ROUNDING = 100


def call(function: str, arguments: list[Any]) -> Any:
    """The value of one call; the parser has seen to the name and the number of arguments."""
    return _FUNCTIONS[function](arguments)


def _refuse(function: str, expected: str, value: Any) -> EvaluationProblem:
    return EvaluationProblem(
        f"{function} takes {expected}, found the {type_name(value)} {show(value)}"
    )


def _extreme(function: str, operator: str, arguments: list[Any]) -> Any:
    items = arguments
    if len(arguments) == 1:
        if not isinstance(arguments[0], list | tuple):
            raise _refuse(function, "a list, or two values and more", arguments[0])
        items = [intake(item) for item in arguments[0]]
    if not items:
        raise EvaluationProblem(f"{function} of an empty list has no value")
    best = items[0]
    for item in items[1:]:
        best = item if compare(operator, item, best) else best
    return best


def _min(arguments: list[Any]) -> Any:
    return _extreme("min", "<", arguments)


def _max(arguments: list[Any]) -> Any:
    return _extreme("max", ">", arguments)


def _abs(arguments: list[Any]) -> Any:
    (value,) = arguments
    if isinstance(value, Duration):
        return Duration.of_ns(abs(value.ns))
    if not is_number(value):
        raise _refuse("abs", "a number or duration", value)
    return abs(value)


def _len(arguments: list[Any]) -> int:
    (value,) = arguments
    if type_name(value) not in ("text", "list", "map"):
        raise _refuse("len", "a text, list or map", value)
    return len(value)


def _sum(arguments: list[Any]) -> Any:
    (value,) = arguments
    if not isinstance(value, list | tuple):
        raise _refuse("sum", "a list of numbers", value)
    total: Any = 0
    for at, item in enumerate(value):
        number = intake(item)
        if not is_number(number) and not isinstance(number, Duration):
            raise _refuse("sum", "a list of numbers", number)
        total = number if at == 0 else arithmetic("+", total, number)
    return total


def _round(arguments: list[Any]) -> Any:
    """To the nearest, a tie to the even neighbour; the second argument is the number of decimals."""
    value, digits = arguments[0], arguments[1] if len(arguments) > 1 else 0
    if not is_number(value):
        raise _refuse("round", "a number", value)
    if not isinstance(digits, int) or isinstance(digits, bool) or not 0 <= digits <= _MAX_ROUNDING:
        raise _refuse("round", f"0 to {_MAX_ROUNDING} decimals", digits)
    return intake(Fraction(round(value * 10**digits), 10**digits))


def _int(arguments: list[Any]) -> int:
    """The whole part of a number, or the whole number that a text spells."""
    (value,) = arguments
    if is_number(value):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdecimal() and len(digits) <= 100:
            return int(text)
    raise _refuse("int", "a number or a text of digits", value)


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "min": _min,
    "max": _max,
    "abs": _abs,
    "len": _len,
    "sum": _sum,
    "round": _round,
    "int": _int,
}
