"""Reads a number out of the text that a server exposes to Prometheus. Its own is written elsewhere."""

import re
from collections.abc import Iterator, Mapping

_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)")
_LABEL = re.compile(r'(?P<name>[A-Za-z_]\w*)="(?P<value>(?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def total(
    text: str, name: str, labels: Mapping[str, str], *, absent: int | None = None
) -> int | None:
    """The sum of the samples of ``name`` that have these labels, whatever others they have.

    ``absent`` where the metric is there and none of its samples fits; None where it is not.
    """
    there = f"# TYPE {name.removesuffix('_total')}" in text
    fitting = [
        float(value)
        for found, given, value in _samples(text)
        if found == name and labels.items() <= given.items()
    ]
    if not fitting:
        return absent if there else None
    return round(sum(fitting))


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    for line in text.splitlines():
        found = None if line.startswith("#") else _SAMPLE.match(line)
        if found is not None:
            labels = {
                each["name"]: _ESCAPED.sub(_unescaped, each["value"])
                for each in _LABEL.finditer(found["labels"] or "")
            }
            yield found["name"], labels, found["value"]


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]
