"""Durations, instants, sizes and rates as types, so that 40 is never mistaken for 40 ms.

All are whole numbers underneath: nanoseconds, monotonic nanoseconds, bytes, bytes a second. Text such as ``40ms``
or ``64KiB`` is read and written here and nowhere else. Reading clocks is the caller's business.
"""

import re
from decimal import Decimal
from typing import Any, ClassVar, Self, overload

_NUMBER = r"(?P<number>-?\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-zµ]*(?:/s)?)"

_DURATION_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "min": 60 * 1_000_000_000,
    "h": 3600 * 1_000_000_000,
}
# KB is 1,000 bytes and KiB 1,024: the field's own convention, and Toxiproxy's for bandwidth.
_SIZE_UNITS = {
    "B": 1,
    "KB": 1_000,
    "KiB": 1_024,
    "MB": 1_000_000,
    "MiB": 1_024**2,
    "GB": 1_000_000_000,
    "GiB": 1_024**3,
}

_RATE_UNITS = {f"{unit}/s": factor for unit, factor in _SIZE_UNITS.items()}


class UnitProblem(ValueError):
    """A text that is no duration, size or rate. The message says which unit to add or which are known."""


def _parse(text: object, units: dict[str, int], what: str, hint: tuple[str, str]) -> int:
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UnitProblem(f"{text!r} is no {what}; write {hint[0]} or {hint[1]}")
    if not isinstance(text, str):
        first, second = (re.sub(r"^\d+", "", h) for h in hint)
        raise UnitProblem(f"{text} has no unit; write {text}{first} or {text}{second}")
    found = re.fullmatch(_NUMBER, text.strip())
    if found is None:
        raise UnitProblem(f"{text!r} is no {what}; write {hint[0]} or {hint[1]}")
    number, unit = found["number"], found["unit"]
    if not unit:
        first, second = (re.sub(r"^\d+", "", h) for h in hint)
        raise UnitProblem(f"{number} has no unit; write {number}{first} or {number}{second}")
    if unit not in units:
        known = ", ".join(units)
        raise UnitProblem(f"{text!r} has the unit {unit!r}; a {what} has one of {known}")
    whole = Decimal(number) * units[unit]
    if whole != whole.to_integral_value():
        raise UnitProblem(f"{text!r} is finer than one {next(iter(units))}")
    return int(whole)


def _trim(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Whole:
    """A frozen whole number with a unit; compares and hashes by value within its own type."""

    __slots__ = ("_value",)
    _value: int

    def __init__(self, value: int) -> None:
        object.__setattr__(self, "_value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._value == other._value

    def __lt__(self, other: Self) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._value < other._value

    # Written out: mypy does not follow functools.total_ordering for Self. > and >= are these, turned.
    def __le__(self, other: Self) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._value <= other._value

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._value))

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return (type(self), (self._value,))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> dict[str, Any]:
        """The schema pydantic asks for, as a plain dict so that pydantic is not imported here."""
        return {
            "type": "function-plain",
            "function": {"type": "no-info", "function": cls._from_text},
            "serialization": {"type": "to-string", "when_used": "always"},
        }

    @classmethod
    def _from_text(cls, text: object) -> Self:
        raise NotImplementedError  # pragma: no cover - each unit has its own


class Duration(_Whole):
    """A span of time in nanoseconds; may be negative as a difference."""

    __slots__ = ()
    ZERO: ClassVar["Duration"]

    @property
    def ns(self) -> int:
        return self._value

    @classmethod
    def of_ns(cls, value: int) -> "Duration":
        return cls(int(value))

    @classmethod
    def of_ms(cls, value: float) -> "Duration":
        return cls(round(value * 1_000_000))

    @classmethod
    def of_s(cls, value: float) -> "Duration":
        return cls(round(value * 1_000_000_000))

    @classmethod
    def parse(cls, text: object) -> "Duration":
        """Reads ``40ms``, ``10s``, ``1.5s``, ``2min``.

        Raises:
            UnitProblem: no unit, an unknown unit, or no number at all.
        """
        return cls(_parse(text, _DURATION_UNITS, "duration", ("40ms", "10s")))

    @classmethod
    def _from_text(cls, text: object) -> "Duration":
        return text if isinstance(text, Duration) else cls.parse(text)

    @property
    def in_ms(self) -> float:
        return self._value / 1_000_000

    @property
    def in_s(self) -> float:
        return self._value / 1_000_000_000

    def __add__(self, other: "Duration") -> "Duration":
        return (
            Duration(self._value + other._value) if isinstance(other, Duration) else NotImplemented
        )

    def __sub__(self, other: "Duration") -> "Duration":
        return (
            Duration(self._value - other._value) if isinstance(other, Duration) else NotImplemented
        )

    def __mul__(self, factor: float) -> "Duration":
        return Duration(round(self._value * factor))

    __rmul__ = __mul__

    def __neg__(self) -> "Duration":
        return Duration(-self._value)

    def __bool__(self) -> bool:
        return self._value != 0

    def text(self) -> str:
        """The exact form that ``parse`` reads back: ``40ms``, ``1.5s``, ``250us``."""
        for unit in ("h", "s", "ms", "us"):
            scale = _DURATION_UNITS[unit]
            if self._value % scale == 0 or (
                unit == "s" and self._value % 1_000_000 == 0 and abs(self._value) >= scale
            ):
                if unit == "h" and not self._value:
                    continue
                if unit == "s" and not self._value:
                    return "0s"
                return f"{_trim(Decimal(self._value) / scale)}{unit}"
        return f"{self._value}ns"

    def __str__(self) -> str:
        """Short, for people: ``40 ms``, ``1.5 s``, ``0.46 ms``."""
        size = abs(self._value)
        if size >= 1_000_000_000:
            return f"{self.in_s:.3g} s" if size < 1_000_000_000_000 else f"{self.in_s:.0f} s"
        return f"{self.in_ms:.3g} ms" if size < 999_500_000 else "1 s"

    def __repr__(self) -> str:
        return f"Duration.parse({self.text()!r})"


Duration.ZERO = Duration(0)


class Instant(_Whole):
    """A point on one machine's monotonic clock, in nanoseconds. Instants subtract; they never add."""

    __slots__ = ()

    @property
    def ns(self) -> int:
        return self._value

    @classmethod
    def of_ns(cls, value: int) -> "Instant":
        return cls(int(value))

    def __add__(self, other: Duration) -> "Instant":
        return (
            Instant(self._value + other._value) if isinstance(other, Duration) else NotImplemented
        )

    @overload
    def __sub__(self, other: "Instant") -> Duration: ...
    @overload
    def __sub__(self, other: Duration) -> "Instant": ...
    def __sub__(self, other: "Instant | Duration") -> "Duration | Instant":
        if isinstance(other, Instant):
            return Duration(self._value - other._value)
        return (
            Instant(self._value - other._value) if isinstance(other, Duration) else NotImplemented
        )

    def __repr__(self) -> str:
        return f"Instant({self._value})"


class Size(_Whole):
    """A number of bytes."""

    __slots__ = ()

    @property
    def bytes(self) -> int:
        return self._value

    @classmethod
    def parse(cls, text: object) -> "Size":
        """Reads ``64KiB``, ``100KB``, ``12B``; KB is 1,000 bytes.

        Raises:
            UnitProblem: no unit, an unknown unit, or no number at all.
        """
        return cls(_parse(text, _SIZE_UNITS, "size", ("64KiB", "100KB")))

    @classmethod
    def _from_text(cls, text: object) -> "Size":
        return text if isinstance(text, Size) else cls.parse(text)

    def text(self) -> str:
        for unit in ("GiB", "MiB", "KiB", "GB", "MB", "KB"):
            if self._value and self._value % _SIZE_UNITS[unit] == 0:
                return f"{self._value // _SIZE_UNITS[unit]}{unit}"
        return f"{self._value}B"

    __str__ = text

    def __repr__(self) -> str:
        return f"Size.parse({self.text()!r})"


class Rate(_Whole):
    """Bytes a second."""

    __slots__ = ()

    @property
    def bytes_per_second(self) -> int:
        return self._value

    @classmethod
    def parse(cls, text: object) -> "Rate":
        """Reads ``100KB/s``, ``1MiB/s``; KB is 1,000 bytes.

        Raises:
            UnitProblem: no unit, an unknown unit, or no number at all.
        """
        return cls(_parse(text, _RATE_UNITS, "rate", ("100KB/s", "1MiB/s")))

    @classmethod
    def _from_text(cls, text: object) -> "Rate":
        return text if isinstance(text, Rate) else cls.parse(text)

    def text(self) -> str:
        return f"{Size(self._value).text()}/s"

    __str__ = text

    def __repr__(self) -> str:
        return f"Rate.parse({self.text()!r})"


def to_builtin(value: object) -> object:
    """msgspec's ``enc_hook``: instants become whole nanoseconds, durations, sizes and rates their text."""
    if isinstance(value, Instant):
        return value.ns
    if isinstance(value, Duration | Size | Rate):
        return value.text()
    raise NotImplementedError(f"{type(value).__name__} has no written form")


def from_builtin(kind: type, value: Any) -> Any:
    """msgspec's ``dec_hook``: the inverse of ``to_builtin``."""
    if kind is Instant:
        return Instant.of_ns(value)
    if kind is Duration or kind is Size or kind is Rate:
        return kind.parse(value)
    raise NotImplementedError(f"{kind.__name__} has no written form")
