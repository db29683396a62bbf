"""A breaker's life in a few lines of a terminal, from the numbers in its result.

Time goes from left to right, in columns of equal length: a column stands for the most in it, and for
the state that lasted longest. ``breaker.svg`` has all of it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from harness.outputs.breaker_rows import state_rows
from harness.outputs.paragraphs import cells, safe

# With labels and numbers it fits a screen of 80, beside the name of a variant.
_COLUMNS = 48
_MOST_LABEL = 18
_BLOCKS = " ▁▂▃▄▅▆▇█"
_STATES = {"closed": "─", "open": "█", "half-open": "▒", "unknown": "·"}
# A trial takes a moment of a column that else is open, and is what a reader looks for.
_COUNTS = {"half-open": 3.0}
_GOOD = ("forwarded-ok", "forwarded-slow")
_FAILED = ("forwarded-failed", "timed-out-forwarded")


def breaker_lines(life: Mapping[str, Any], *, columns: int = _COLUMNS) -> list[str]:
    """The picture, a text for each line, its labels in front; empty where there was no call."""
    if not life:
        return []
    circuits, left_out = state_rows(life["states"])
    rows = [(_fitted(label), _states(life, spans, columns)) for label, spans in circuits]
    if left_out:
        rows.append((f"{left_out} more", ""))
    for label, counts in _series(life):
        if any(counts):
            rows.append((label, _spark(counts, columns) + _most(label, counts)))
    rows.append(("", _times(life, columns)))
    width = max(cells(label) for label, _ in rows)
    return [f"{label}{' ' * (width - cells(label))}  {drawn}".rstrip() for label, drawn in rows]


def legend() -> str:
    """What the signs of a state line mean."""
    return "  ".join(f"{sign} {state}" for state, sign in _STATES.items())


def _series(life: Mapping[str, Any]) -> list[tuple[str, Sequence[int]]]:
    front = life["front"]
    return [
        ("good", _sum([front[name] for name in _GOOD if name in front])),
        ("failed", _sum([front[name] for name in _FAILED if name in front])),
        ("rejected", front.get("short-circuited", [])),
        ("arrived", life["arrivals"]),
        ("in flight", life["in_flight"].get("front", [])),
        ("memory", [each or 0 for each in life["rss"]]),
    ]


def _fitted(label: str) -> str:
    """As wide as there is room for; a circuit's key comes from outside."""
    label = safe(label)
    if cells(label) <= _MOST_LABEL:
        return label
    while cells(label) >= _MOST_LABEL:
        label = label[:-1]
    return f"{label}…"


def _most(label: str, counts: Sequence[int]) -> str:
    most = max(counts)
    return f"  {most / 1024**2:.0f} MiB" if label == "memory" else f"  {most}"


def _sum(series: Sequence[Sequence[int]]) -> list[int]:
    return [sum(each) for each in zip(*series, strict=True)]


def _times(life: Mapping[str, Any], columns: int) -> str:
    """The run's seconds at either end."""
    begins = f"{life['start']:.0f} s"
    ends = f"{life['start'] + life['width'] * life['buckets']:.0f} s"
    return f"{begins}{ends:>{max(columns - len(begins), len(ends) + 1)}}"


def _spark(counts: Sequence[int], columns: int) -> str:
    """The most of each column as a block; what is not nothing is at least the lowest."""
    most, drawn = max(counts), []
    for part in _parts(counts, columns):
        share = max(part) / most
        drawn.append(_BLOCKS[max(1, round(share * 8))] if share else _BLOCKS[0])
    return "".join(drawn)


def _parts(counts: Sequence[int], columns: int) -> list[Sequence[int]]:
    """Cut into columns; fewer buckets than columns are stretched. Each bucket is in one, at least."""
    size = len(counts)
    cuts = [index * size // columns for index in range(columns + 1)]
    return [counts[low : max(high, low + 1)] for low, high in pairwise(cuts)]


def _states(life: Mapping[str, Any], spans: Sequence[Mapping[str, Any]], columns: int) -> str:
    width = life["width"] * life["buckets"] / columns
    drawn = []
    for column in range(columns):
        low = life["start"] + column * width
        lasted = dict.fromkeys(_STATES, 0.0)
        for span in spans:
            state = span["state"] if span["state"] in _STATES else "unknown"
            lasted[state] += _within(span, low, low + width) * _COUNTS.get(state, 1)
        state = max(lasted, key=lambda each: lasted[each])
        drawn.append(_STATES[state] if lasted[state] else " ")
    return "".join(drawn)


def _within(span: Mapping[str, Any], low: float, high: float) -> float:
    """Seconds of it; a state that may have begun earlier or ended later is taken at its widest."""
    begins, ends = span["from"][0], span["to"][1]
    begins = low if begins is None else max(low, begins)
    return max(0.0, (high if ends is None else min(high, ends)) - begins)
