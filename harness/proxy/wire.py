"""Attributes of toxics as they travel: their types and ranges. Units of the model end here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# More milliseconds than this overflow 64-bit nanoseconds; Toxiproxy then does not delay at all.
MOST_MS = 9_223_372_036_854
NS_PER_MS = 1_000_000
MOST = 2**63 - 1

Value = int | str | bool
"""What an attribute can be. One that was not given and has no default is not there at all."""


class WireProblem(ValueError):
    """An attribute is of the wrong type or out of its range. The message begins with its name."""


class WrongType(WireProblem):
    """It is not what the attribute can be at all, whatever its range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAttribute:
    """A whole number: its key, the value it has when not given, and the range that is accepted.

    ``default`` None: it is not there until it is given, and answers leave it out until then.
    """

    name: str
    default: int | None = 0
    least: int = -(2**63)
    most: int = MOST
    unit: str = ""

    def read(self, given: Any) -> int:
        """Raises ``WireProblem`` when ``given``, a JSON value, is no whole number in range."""
        if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
            raise WrongType(f"{self.name}: cannot unmarshal {described(given)} into a number")
        # The range first: a decimal such as 1e999999999 is short to write and endless to expand.
        number = Decimal(given)
        if not -MOST - 1 <= number <= MOST or number != int(number):
            raise WrongType(
                f"{self.name}: {str(given)[:40]} is no whole number from -(2^63) to 2^63-1"
            )
        if not self.least <= number <= self.most:
            unit = f" {self.unit}" if self.unit else ""
            raise WireProblem(
                f"{self.name}: {int(number)} is out of range, use {self.least} to {self.most}{unit}"
            )
        return int(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAttribute:
    """A text; with ``choices``, one of them."""

    name: str
    default: str | None = ""
    choices: tuple[str, ...] = ()

    def read(self, given: Any) -> str:
        """Raises ``WireProblem`` when ``given``, a JSON value, is no such text."""
        if not isinstance(given, str):
            raise WrongType(f"{self.name}: cannot unmarshal {described(given)} into a text")
        if self.choices and given not in self.choices:
            raise WireProblem(f"{self.name}: {given!r} is unknown, use {' or '.join(self.choices)}")
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagAttribute:
    """True or false."""

    name: str
    default: bool | None = False

    def read(self, given: Any) -> bool:
        """Raises ``WireProblem`` when ``given``, a JSON value, is neither."""
        if not isinstance(given, bool):
            raise WrongType(f"{self.name}: cannot unmarshal {described(given)} into true or false")
        return given


Attribute = WireAttribute | TextAttribute | FlagAttribute


def described(value: Any) -> str:
    """The JSON type of a value, for people."""
    names = {bool: "true or false", str: "text", dict: "object", list: "array", type(None): "null"}
    return names.get(type(value), "number")


def milliseconds(name: str, *, default: int | None = 0, least: int = -(2**63)) -> WireAttribute:
    """A time. Negative ones are accepted and count as 0, as Toxiproxy has it, unless said."""
    return WireAttribute(name=name, default=default, least=least, most=MOST_MS, unit="ms")


def span_ns(values: Mapping[str, Value], name: str) -> int:
    """The time that ``milliseconds`` names, in nanoseconds; a negative one is 0."""
    return max(0, int(values[name])) * NS_PER_MS


def completed(wire: Sequence[Attribute], given: Mapping[str, Any]) -> dict[str, Value]:
    """The attributes in their order, with defaults; null is as not given, unknown ones are left out.

    Raises:
        WireProblem: a value of the wrong type or out of range.
    """
    values: dict[str, Value] = {}
    for attribute in wire:
        found = given.get(attribute.name)
        if found is not None:
            values[attribute.name] = attribute.read(found)
        elif attribute.default is not None:
            values[attribute.name] = attribute.default
    return values
