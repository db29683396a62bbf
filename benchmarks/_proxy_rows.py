"""Rows of figures from several sides, measured in turns, and how they are printed.

A ratio is one of medians: the first side's by Toxiproxy's. Beside it stands the middle half of the
ratios round by round, for what slows the machine down slows two neighbouring measurements down alike.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks._proxy_servers import DIRECT, TOXIPROXY

Measure = Callable[[str], dict[str, float]]


@dataclass(slots=True)
class Row:
    """One figure of all sides, a value a round each. ``aim`` is said behind it, in words."""

    what: str
    unit: str
    aim: str = ""
    digits: int = 0
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side: str, value: float) -> None:
        self.values.setdefault(side, []).append(value)

    def figure(self, side: str) -> str:
        """The median and the middle half, so that one look tells how noisy it was."""
        values = self.values.get(side)
        if not values:
            return "–"
        low, middle, high = _middle_half(values)
        form = f",.{self.digits}f"
        return f"{middle:{form}} ({low:{form}}–{high:{form}}) {self.unit}"

    def ratio(self, side: str) -> str:
        """Of ``side`` by Toxiproxy; empty where one of them was not measured, or is not above 0."""
        mine, theirs = self.values.get(side), self.values.get(TOXIPROXY)
        if side in {TOXIPROXY, DIRECT} or not mine or not theirs or min(*mine, *theirs) <= 0:
            return ""
        low, _, high = _middle_half([a / b for a, b in zip(mine, theirs, strict=True)])
        middle = statistics.median(mine) / statistics.median(theirs)
        return f"{middle:.2f}× ({low:.2f}–{high:.2f})"


def in_turns(sides: Sequence[str], rounds: int, measure: Callable[[str], None]) -> None:
    """A B C, B C A, …: each side once a round, and none always behind the same one."""
    for number in range(rounds):
        first = number % len(sides)
        for side in (*sides[first:], *sides[:first]):
            measure(side)


def as_text(rows: Sequence[Row], sides: Sequence[str]) -> str:
    lines = []
    for row in rows:
        lines.append(row.what + (f"   (aim: {row.aim})" if row.aim else ""))
        for side in sides:
            if side in row.values:
                ratio = row.ratio(side)
                lines.append(f"  {side:<26} {row.figure(side):<38} {ratio}".rstrip())
    return "\n".join(lines)


def as_markdown(rows: Sequence[Row], sides: Sequence[str]) -> str:
    compared = [side for side in sides if any(row.ratio(side) for row in rows)]
    head = ["what", *sides, *(f"{side} ÷ {TOXIPROXY}" for side in compared), "aim"]
    lines = [head, ["---"] * len(head)]
    lines += [
        [
            row.what,
            *(row.figure(side) for side in sides),
            *(row.ratio(side) or "–" for side in compared),
            row.aim or "–",
        ]
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _middle_half(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return (values[0],) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high
