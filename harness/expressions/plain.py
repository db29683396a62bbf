"""Values as a journal line can hold them, and back: no digit is lost on the way, in either direction.

What wrote a value (a driver, an expression) and what it means are not known here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from harness.model.units import Duration

# What JSON readers agree on: whole numbers beyond 64 bits are written as text with ``exact``.
_LEAST_WHOLE, _MOST_WHOLE = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Plain:
    """``value`` as a journal line has it. With ``exact`` it is a number, or a span of time, written as text."""

    value: Any
    exact: bool = False

    @property
    def exact_value(self) -> Any:
        """What expressions compute with: the number itself where ``exact``."""
        return exact_number(self.value) if self.exact else self.value


def exact_number(text: str) -> Decimal | Fraction | Duration:
    """The number, or span of time, that ``Plain`` wrote: ``12.30``, ``1E+40``, ``1/3`` or ``271us``."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Duration.parse(text) if text[-1].isalpha() else Fraction(text)


def plain(value: Any) -> Plain:  # noqa: C901, PLR0911 - a table: one line for each sort of value
    """One value of a reading. Nested values are made plain too; numbers within them as text if exact."""
    match value:
        case None | bool() | str():
            return Plain(value)
        case int():
            small = _LEAST_WHOLE <= value <= _MOST_WHOLE
            return Plain(value) if small else Plain(str(value), exact=True)
        case float():
            return Plain(value if math.isfinite(value) else _not_finite(value))
        case Decimal():
            return Plain(str(value), exact=True) if value.is_finite() else Plain(str(value))
        case Fraction():
            return _fraction(value)
        case Duration():
            return Plain(value.text(), exact=True)
        case datetime() | date() | time():
            return Plain(value.isoformat())
        case timedelta():
            # Exact: a timedelta is whole microseconds.
            return plain(Duration.of_ns(value // timedelta(microseconds=1) * 1_000))
        case bytes() | bytearray() | memoryview():
            return Plain(bytes(value).hex())
        case Mapping():
            return Plain({str(key): plain(item).value for key, item in value.items()})
        case list() | tuple():
            return Plain([plain(item).value for item in value])
        case _:
            return Plain(str(value))


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _fraction(value: Fraction) -> Plain:
    if value.denominator == 1:
        return plain(value.numerator)
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return Plain(str(value), exact=True)
    # Only twos and fives below the line: the number has an end as a decimal.
    places = max(twos, fives)
    whole = value.numerator * 10**places // value.denominator
    digits = tuple(int(digit) for digit in str(abs(whole)))
    return Plain(str(Decimal((whole < 0, digits, -places))), exact=True)
