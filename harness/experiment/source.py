"""One file's text to a tree with places: YAML 1.2, one document, no anchors, bounded in size.

Built from the parser's events and never recursively, so that no text can exhaust stack or memory.
Other files' keys are drawn in by ``include.py``; what keys mean is ``schema.py``.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from harness.experiment.nodes import Entry, Mapping, Mark, Node, Scalar, Sequence
from harness.experiment.report import Report

# A file of ours is a few KiB; the parser needs a second for each 100 KiB.
MAX_BYTES = 256 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 40
MAX_INTEGER = 2**63 - 1

# The core schema of YAML 1.2: `on` and `no` are words, 012 is twelve, dates are text.
_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_HINTS = (
    ("mapping values are not allowed", "Text that holds ': ' must be in quotes."),
    ("'\\t'", "Indent with spaces; YAML allows no tabs."),
    ("cannot start any token", "Text that begins with this character must be in quotes."),
    ("expected ',' or", "Text with , { } [ ] inside braces must be in quotes."),
    ("block end", "Keys of one mapping stand in one column."),
    ("while scanning a quoted scalar", "The quote that begins here is never closed."),
)


class Unreadable(Exception):
    """The file gave no tree; what is wrong stands in the report already."""


def read_text(path: Path, shown: str, report: Report) -> str:
    """The text of a file.

    Raises:
        Unreadable: there is none: missing, a directory, too large, not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        report.file(shown, "there is no such file")
    except IsADirectoryError:
        report.file(shown, "this is a directory", "a YAML file")
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        report.file(shown, f"cannot be read: {reason}")
    else:
        if len(data) <= MAX_BYTES:
            return _decode(data, shown, report)
        report.mark(
            Mark(shown, 1, 1), f"the file is larger than {MAX_BYTES // 1024} KiB", "a shorter one"
        )
    raise Unreadable


def _decode(data: bytes, shown: str, report: Report) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        before = data[: problem.start].decode("utf-8", errors="replace")
        mark = Mark(shown, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        report.mark(mark, f"the byte 0x{data[problem.start]:02x} is no UTF-8", "UTF-8 text")
        raise Unreadable from None


def parse(text: str, shown: str, report: Report) -> Mapping:
    """The tree of one file's text. Duplicate keys and the like are reported, and reading goes on.

    Raises:
        Unreadable: broken YAML, or no mapping at the top.
    """
    builder = _Builder(text, shown, report)
    events = _events(text, shown, report)
    for event in events:
        builder.take(event)
        if builder.nodes > MAX_NODES or len(builder.open) > MAX_DEPTH:
            limit = f"{MAX_NODES} values" if builder.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            report.mark(
                builder.mark(event.start_mark), f"the file has more than {limit}", "a simpler one"
            )
            raise Unreadable
    if builder.root is None:
        report.mark(Mark(shown, 1, 1), "the file is empty", "a mapping of keys to values")
        raise Unreadable
    if not isinstance(builder.root, Mapping):
        if isinstance(builder.root, Scalar) and builder.root.value is None:
            report.mark(builder.root.mark, "the file is empty", "a mapping of keys to values")
        else:
            what = "a list" if isinstance(builder.root, Sequence) else "a single value"
            report.mark(builder.root.mark, f"the file holds {what}", "a mapping of keys to values")
        raise Unreadable
    return builder.root


def _events(text: str, shown: str, report: Report) -> Iterator[Any]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        words = problem.problem or "it cannot be read"
        around = f"{problem.context or ''} {words}"
        hint = next((hint for part, hint in _HINTS if part in around), "")
        at = Mark(shown, mark.line + 1, mark.column + 1) if mark else Mark(shown, 1, 1)
        report.mark(at, f"broken YAML: {words}", "", hint)
        raise Unreadable from None
    except ReaderError as problem:
        before = text[: problem.position]
        at = Mark(shown, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        report.mark(
            at,
            f"the character U+{ord(text[problem.position]):04X} is not allowed",
            "printable text",
        )
        raise Unreadable from None
    except Unreadable:
        raise
    except Exception as problem:  # noqa: BLE001 - the parser fails on odd text in odd ways; it is their text
        report.mark(Mark(shown, 1, 1), f"broken YAML: {type(problem).__name__}: {problem}")
        raise Unreadable from None


@dataclass(slots=True)
class _Open:
    """A mapping or list that is not closed yet."""

    mark: Mark
    flow: bool
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Mark, bool] | None = None
    """The key that waits for its value, and whether the value is to be dropped."""
    last: tuple[str, int, int] | None = None
    """In braces: the last key whose value is plain text, and where that text begins and ends."""
    key_span: tuple[int, int] = (0, 0)


class _Builder:
    """Events to nodes; the tree is ``root`` at the end."""

    def __init__(self, text: str, shown: str, report: Report) -> None:
        self._text = text
        self._shown = shown
        self._report = report
        self._documents = 0
        self.open: list[_Open] = []
        self.root: Node | None = None
        self.nodes = 0

    def mark(self, at: Any) -> Mark:
        return Mark(self._shown, at.line + 1, at.column + 1)

    def take(self, event: Any) -> None:
        """Takes the next event in."""
        name = type(event).__name__
        if name == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._report.mark(
                    self.mark(event.start_mark),
                    "a second document begins",
                    "one document in a file",
                )
                raise Unreadable
        elif name == "AliasEvent":
            self._refuse(event, "an alias", "Write the value out, or share keys through include:.")
            self._place(Scalar(value=None, mark=self.mark(event.start_mark)), None)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            self._decorations(event)
            self.nodes += 1
            is_map = name == "MappingStartEvent"
            self.open.append(
                _Open(mark=self.mark(event.start_mark), flow=bool(event.flow_style), is_map=is_map)
            )
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            closed = self.open.pop()
            node: Node = (
                Mapping(entries=closed.entries, mark=closed.mark)
                if closed.is_map
                else Sequence(items=tuple(closed.items), mark=closed.mark)
            )
            self._place(node, None)
        elif name == "ScalarEvent":
            self._decorations(event)
            self.nodes += 1
            self._scalar(event)

    def _decorations(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(event, "an anchor", "Write the value out, or share keys through include:.")
        if event.tag is not None and str(event.tag) != "!":
            self._refuse(event, f"the tag {event.tag}", "Write the plain value.")

    def _refuse(self, event: Any, what: str, hint: str) -> None:
        self._report.mark(self.mark(event.start_mark), f"{what} is not allowed here", "", hint)

    def _scalar(self, event: Any) -> None:
        span = (event.start_mark.index, event.end_mark.index)
        mark = self.mark(event.start_mark)
        top = self.open[-1] if self.open else None
        if top is not None and top.is_map and top.key is None:
            self._key(event, top, mark, span)
            return
        if top is not None and top.is_map and self._continues(top, span):
            return
        inner: int | None = None
        if event.style is None and self._text[slice(*span)] == event.value:
            inner = 0
        elif event.style in ("'", '"') and self._text[span[0] + 1 : span[1] - 1] == event.value:
            inner = 1
        value = event.value if event.style is not None else self._resolve(event.value, mark)
        is_plain = event.style is None and isinstance(value, str)
        node = Scalar(value=value, mark=mark, inner=inner, plain=event.style is None)
        self._place(node, span if is_plain or (event.style is None and event.value) else None)

    def _key(self, event: Any, top: _Open, mark: Mark, span: tuple[int, int]) -> None:
        key = str(event.value)
        if key == "<<" and event.style is None:
            self._report.mark(
                mark, "a merge key (<<) is not allowed here", "", "Share keys through include:."
            )
        twice = key in top.entries
        if twice:
            first = top.entries[key].key
            self._report.mark(
                mark,
                f"the key {key!r} stands twice, first in line {first.line}",
                "each key once",
                key=key,
            )
        elif not key:
            self._report.mark(mark, "a key without a name", "a name before the colon")
        top.key = (key, mark, twice or not key or key == "<<")
        top.key_span = span

    def _continues(self, top: _Open, span: tuple[int, int]) -> bool:
        """Text behind a comma in braces, without a colon, goes on with the text before the comma.

        ``{title: read, check, write back}`` then means what everybody means by it: a key without a
        colon has no use in our files.
        """
        if not top.flow or span[0] != span[1] or top.last is None or top.key is None:
            return False
        begin, end = top.key_span
        if ":" in self._text[end : span[0]] or "\n" in self._text[top.last[1] : end]:
            return False
        if self._text[begin] in "\"'?":
            return False
        name, start, _ = top.last
        entry = top.entries[name]
        mark = entry.value.mark
        whole = Scalar(value=self._text[start:end], mark=mark, inner=0, plain=True)
        top.entries[name] = Entry(key=entry.key, value=whole)
        top.last = (name, start, end)
        top.key = None
        return True

    def _place(self, node: Node, plain_span: tuple[int, int] | None) -> None:
        if not self.open:
            self.root = node
            return
        top = self.open[-1]
        if not top.is_map:
            top.items.append(node)
            return
        if top.key is None:
            # A list, mapping or alias where a key belongs.
            self._report.mark(node.mark, "a key is no text", "a name before the colon")
            top.key = ("", node.mark, True)
            return
        key, mark, dropped = top.key
        top.key = None
        top.last = None
        if not dropped:
            top.entries[key] = Entry(key=mark, value=node)
            if plain_span is not None:
                top.last = (key, *plain_span)

    def _resolve(self, text: str, mark: Mark) -> Any:
        if _NULL.fullmatch(text):
            return None
        if _TRUE.fullmatch(text):
            return True
        if _FALSE.fullmatch(text):
            return False
        if _NOT_FINITE.fullmatch(text):
            self._report.mark(mark, f"{text} is no finite number", "a number")
            return 0
        if _INTEGER.fullmatch(text):
            return self._bounded(text, mark)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isfinite(number):
                return number
            self._report.mark(mark, "the number is too large", "a number up to 1.7e308")
            return 0
        return text

    def _bounded(self, text: str, mark: Mark) -> int:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        # Python refuses to read more than 4,300 digits; nothing that long fits anyway.
        number = int(text, base) if len(text) < 100 else MAX_INTEGER + 1  # noqa: PLR2004 - see above
        if abs(number) <= MAX_INTEGER:
            return number
        self._report.mark(mark, "the number is too large", f"a whole number up to {MAX_INTEGER}")
        return 0
