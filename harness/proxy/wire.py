"""Attributes of toxics as they travel: whole numbers with ranges. Units of the model end here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# More milliseconds than this overflow 64-bit nanoseconds; Toxiproxy then does not delay at all.
MOST_MS = 9_223_372_036_854
MOST = 2**63 - 1


class WireProblem(ValueError):
    """An attribute is out of its range. The message begins with the attribute's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAttribute:
    """One attribute: its key, the value it has when not given, and the range that is accepted."""

    name: str
    default: int = 0
    least: int = -(2**63)
    most: int = MOST
    unit: str = ""

    def check(self, value: int) -> None:
        """Raises ``WireProblem`` when ``value`` is out of range."""
        if not self.least <= value <= self.most:
            unit = f" {self.unit}" if self.unit else ""
            raise WireProblem(
                f"{self.name}: {value} is out of range, use {self.least} to {self.most}{unit}"
            )


def milliseconds(name: str) -> WireAttribute:
    """A time. Negative ones are accepted and count as 0, as Toxiproxy has it."""
    return WireAttribute(name=name, most=MOST_MS, unit="ms")


def completed(wire: Sequence[WireAttribute], given: Mapping[str, int]) -> dict[str, int]:
    """All attributes in their order, those not given with their default; unknown ones are left out.

    Raises:
        WireProblem: a value is out of range.
    """
    values = {attribute.name: given.get(attribute.name, attribute.default) for attribute in wire}
    for attribute in wire:
        attribute.check(values[attribute.name])
    return values
