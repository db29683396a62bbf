"""YAML as a tree in which every key and value knows its place. Knows no key of ours.

Reading text is ``source.py``; what keys mean is ``schema.py``.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""The keys and indices that lead to a value, from the top of a file."""


# YAML also ends lines at U+0085 and U+2028; no editor numbers them so.
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place; line and column count from 1. ``file`` is the path as the user wrote it."""

    file: str
    line: int
    column: int


class Places:
    """Offsets in a text to places in its file, with the line ends that editors count."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def mark(self, offset: int) -> Mark:
        line = bisect_right(self._starts, offset)
        return Mark(self._file, line, offset - self._starts[line - 1] + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """``inner`` is how far behind ``mark`` the text itself begins, None if it is written otherwise
    (folded, escaped): columns within the text can then not be told."""

    value: Any
    mark: Mark
    inner: int | None = None
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    key: Mark
    value: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    entries: dict[str, Entry]
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    items: tuple["Node", ...]
    mark: Mark


Node = Scalar | Mapping | Sequence


def plain(node: Node) -> Any:
    """The tree as text, numbers, lists and dicts."""
    match node:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(entries=entries):
            return {key: plain(entry.value) for key, entry in entries.items()}


def child(node: Node, part: str | int) -> Node | None:
    """One step down, None when there is nothing of that name or number."""
    match node:
        case Mapping(entries=entries) if part in entries:
            return entries[str(part)].value
        case Sequence(items=items) if isinstance(part, int) and 0 <= part < len(items):
            return items[part]
        case _:
            return None


def steps(root: Node, path: Path) -> Iterator[tuple[Node, Mark, str | int]]:
    """The nodes along ``path``, each with the place of its key and its name; parts that name
    nothing are passed over, so that a path made by a validator may hold its own words."""
    node = root
    for part in path:
        below = child(node, part)
        if below is None:
            continue
        key = node.entries[str(part)].key if isinstance(node, Mapping) else below.mark
        node = below
        yield node, key, part


def find(root: Node, path: Path) -> Node:
    """The deepest node along ``path``."""
    node = root
    for below, _, _ in steps(root, path):
        node = below
    return node


def written(path: Path) -> str:
    """``method[0].fault.latency``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
