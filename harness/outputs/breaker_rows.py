"""What both pictures of a breaker's life share: a row for each circuit, and how high a plot must be."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MOST_ROWS = 8
"""Circuits that are drawn; a service may have one for each of its customers."""
_FEW = 0.1
_TOWERS = 3


def state_rows(
    states: Iterable[Mapping[str, Any]],
) -> tuple[list[tuple[str, list[Mapping[str, Any]]]], int]:
    """The states of each circuit under its label, at most ``MOST_ROWS``; and how many are left out.

    Those that opened come before those that never did. A circuit is one key of one process.
    """
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for span in states:
        circuit = str(span.get("key") or ""), str(span.get("instance") or "")
        found.setdefault(circuit, []).append(span)
    rows = [(_label(*circuit), spans) for circuit, spans in found.items()]
    rows.sort(key=lambda row: not any(span["state"] == "open" for span in row[1]))
    return rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS)


def _label(key: str, instance: str) -> str:
    return " ".join(each for each in ("state", key, f"@{instance}" if instance else "") if each)


def tallest(counts: Sequence[int]) -> int:
    """The count that fills a plot: the most, unless a few bursts would make all else flat.

    Where at most a tenth of the buckets tower over the others by more than three times, they are cut
    off a little above those.
    """
    ordered = sorted(count for count in counts if count)
    if not ordered:
        return 0
    most, usual = ordered[-1], ordered[int((len(ordered) - 1) * (1 - _FEW))]
    return most if most <= _TOWERS * usual else round(usual * 1.5)
