"""What a value may be inside an expression, and its exact arithmetic and comparisons.

A value is a whole number, a fraction, text, true or false, null, a duration, a list or a map. All
that comes in is untrusted, so every operation is bounded, and no attribute of it is ever asked for.
"""

import math
import operator as op
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from harness.model.units import Duration, Size

# 1,233 decimal digits: more than any count or sum of money, little enough to multiply in no time.
MAX_BITS = 4_096
MAX_EXPONENT = 64
MAX_DEPTH = 50
# A decimal such as 1E+999999 is short to write and long to hold.
_MAX_DECIMAL_EXPONENT = 1_000
_SHOWN = 60
_MAX_DECIMALS = 64


class EvaluationProblem(ValueError):
    """An expression that has no value for these inputs: wrong types, a missing key, a division by zero."""


def is_number(value: Any) -> bool:
    """True for whole numbers and fractions; true and false are no numbers."""
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def intake(value: Any) -> Any:
    """A foreign value as one of ours; floats and decimals become exact, as they are written.

    Raises:
        EvaluationProblem: it is infinite, no number, too large, or of a type that is none of ours.
    """
    match value:
        case None | bool() | str() | Duration() | list() | tuple() | Mapping():
            return value
        case int() | Fraction():
            return _bounded(value)
        case float():
            if not math.isfinite(value):
                raise EvaluationProblem(f"{value} is not a finite number")
            # The shortest text that reads back as this float: 0.1 is a tenth, as its writer meant.
            return _bounded(Fraction(repr(value)))
        case Decimal():
            return _from_decimal(value)
        case Size():
            return value.bytes
        case _:
            raise EvaluationProblem(f"a value of type {type(value).__name__} cannot be used here")


def _from_decimal(value: Decimal) -> int | Fraction:
    if not value.is_finite():
        raise EvaluationProblem(f"{value} is not a finite number")
    if value and abs(value.adjusted()) > _MAX_DECIMAL_EXPONENT:
        raise EvaluationProblem(f"{str(value)[:_SHOWN]} is too large or too fine")
    return _bounded(Fraction(value))


def _bounded(value: int | Fraction) -> int | Fraction:
    if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
        raise EvaluationProblem("a number is too large or too fine")
    return value.numerator if value.denominator == 1 else value


_TYPE_NAMES: tuple[tuple[Any, str], ...] = (
    (type(None), "null"),
    (bool, "boolean"),
    (str, "text"),
    (Duration, "duration"),
    (Mapping, "map"),
    (list | tuple, "list"),
)


def type_name(value: Any) -> str:
    """The word for a value's type in messages."""
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "number")


def show(value: Any) -> str:  # noqa: PLR0911 - a table: one line for each sort of value
    """A value for people, short: exact where its decimals end, a fraction where they do not."""
    match value:
        case str():
            return repr(value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…")
        case Duration():
            return value.text()
        case Mapping() | list() | tuple():
            return f"a {type_name(value)} of {len(value)}"
        case int() | Fraction() if not isinstance(value, bool):
            return _show_number(value)
        case float() if math.isfinite(value):
            return _show_number(Fraction(repr(value)))
        case None | bool():
            return "null" if value is None else str(value).lower()
        case _:
            return str(value)[:_SHOWN]


def _show_number(value: int | Fraction) -> str:
    if value.numerator.bit_length() > 200:
        return "a number of more than 60 digits"
    return _decimals(value) or f"about {float(value):.6g}"


def _decimals(value: int | Fraction) -> str | None:
    """The exact decimal text of a number; None where its decimals do not end, or not soon."""
    # A denominator of 2**a * 5**b ends after max(a, b) decimals, which is below its bit length.
    digits = value.denominator.bit_length() - 1
    scaled = abs(value) * 10 ** min(digits, _MAX_DECIMALS)
    if digits > _MAX_DECIMALS or scaled.denominator != 1:
        return None
    whole, rest = divmod(scaled.numerator, 10**digits)
    decimals = f".{rest:0{digits}d}".rstrip("0") if digits else ""
    return f"{'-' if value < 0 else ''}{whole}{decimals}"


def outward(value: Any) -> Any:
    """A value for the world outside: a fraction as an exact ``Decimal`` where its decimals end."""
    if isinstance(value, Fraction) and (text := _decimals(value)) is not None:
        return Decimal(text)
    return value


def equal(left: Any, right: Any, depth: int = 0) -> bool:
    """Equality of value and type; all numbers are one type."""
    if depth > MAX_DEPTH:
        raise EvaluationProblem("the values are nested too deeply to compare")
    left, right = intake(left), intake(right)
    kind = type_name(left)
    if kind != type_name(right):
        return False
    if kind == "list":
        return len(left) == len(right) and all(
            equal(a, b, depth + 1) for a, b in zip(left, right, strict=True)
        )
    if kind == "map":
        return left.keys() == right.keys() and all(
            equal(left[key], right[key], depth + 1) for key in left
        )
    return bool(left == right)


_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": op.lt,
    "<=": op.le,
    ">": op.gt,
    ">=": op.ge,
}


def compare(operator: str, left: Any, right: Any) -> bool:
    """One comparison; an ordering needs two numbers, two texts or two durations."""
    match operator:
        case "==":
            return equal(left, right)
        case "!=":
            return not equal(left, right)
        case "in":
            return contains(right, left)
        case "not in":
            return not contains(right, left)
        case _:
            if type_name(left) != type_name(right) or type_name(left) not in (
                "number",
                "text",
                "duration",
            ):
                raise _mismatch(operator, left, right)
            return _ORDERINGS[operator](left, right)


def contains(holder: Any, item: Any) -> bool:
    """``item in holder``: an item of a list, a key of a map, a part of a text."""
    match holder:
        case str() if isinstance(item, str):
            return item in holder
        case list() | tuple():
            return any(equal(item, each) for each in holder)
        case Mapping() if isinstance(item, str):
            return item in holder
        case _:
            raise _mismatch("in", item, holder)


def _mismatch(operator: str, left: Any, right: Any) -> EvaluationProblem:
    return EvaluationProblem(f"{operator!r} does not apply to {_named(left)} and {_named(right)}")


def _named(value: Any) -> str:
    return "null" if value is None else f"the {type_name(value)} {show(value)}"


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """One of ``+ - * / // % **``, exact for numbers; durations add, scale and divide.

    Raises:
        EvaluationProblem: the types do not go together, a division by zero, a result too large.
    """
    if operator in ("/", "//", "%") and right in (0, Duration.ZERO) and right is not False:
        raise EvaluationProblem(f"{show(left)} {operator} {show(right)} divides by zero")
    if is_number(left) and is_number(right):
        return _of_numbers(operator, left, right)
    match operator, left, right:
        case "+" | "-", Duration(), Duration():
            return _duration(_EXACT[operator](left.ns, right.ns))
        case "*", Duration(), _ if is_number(right):
            return _duration(left.ns * right)
        case "*", _, Duration() if is_number(left):
            return _duration(left * right.ns)
        case "/", Duration(), _ if is_number(right):
            return _duration(Fraction(left.ns) / right)
        case "/", Duration(), Duration() if right:
            return _bounded(Fraction(left.ns, right.ns))
        case _:
            raise _mismatch(operator, left, right)


def _duration(ns: int | Fraction) -> Duration:
    """Durations are whole nanoseconds; dividing one rounds to the nearest."""
    return Duration.of_ns(round(_bounded(ns)))


_EXACT: dict[str, Callable[[Any, Any], Any]] = {
    "+": op.add,
    "-": op.sub,
    "*": op.mul,
    "//": op.floordiv,
    "%": op.mod,
}


def _of_numbers(operator: str, left: int | Fraction, right: int | Fraction) -> int | Fraction:
    if operator == "/":
        return _bounded(Fraction(left) / right)
    if operator != "**":
        return _bounded(_EXACT[operator](left, right))
    if not isinstance(right, int) or not 0 <= right <= MAX_EXPONENT:
        raise EvaluationProblem(
            f"{show(left)} ** {show(right)}: an exponent is a whole number from 0 to {MAX_EXPONENT}"
        )
    widest = max(left.numerator.bit_length(), left.denominator.bit_length())
    if widest * right > 2 * MAX_BITS:
        raise EvaluationProblem(f"{show(left)} ** {right} is too large")
    return _bounded(left**right)
