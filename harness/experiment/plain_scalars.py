"""What a scalar without quotes means: YAML 1.2's core schema, and no more.

`on` and `no` are words, 012 is twelve, dates and 1_000 are text: nobody is surprised by a type.
"""

import math
import re

MAX_INTEGER = 2**63 - 1

_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class NoValue(ValueError):
    """A scalar that looks like a number and is none that we can keep."""

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(f"{found}, expected {expected}")


def plain_value(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar.

    Raises:
        NoValue: an infinite, undefined or too large number.
    """
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    if _NOT_FINITE.fullmatch(text):
        raise NoValue(f"{text} is no finite number", "a number")
    if _INTEGER.fullmatch(text):
        return _integer(text)
    return _float(text) if _FLOAT.fullmatch(text) else text


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    # Python refuses to read more than 4,300 digits; nothing that long fits anyway.
    number = int(text, base) if len(text) < 100 else MAX_INTEGER + 1
    if abs(number) > MAX_INTEGER:
        raise NoValue("the number is too large", f"a whole number up to {MAX_INTEGER}")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NoValue("the number is too large", "a number up to 1.7e308")
    return number
