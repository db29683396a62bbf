"""One file's text to a tree with places: YAML 1.2, one document, no anchors, bounded in size.

Built from the parser's events and never recursively, so that no text can exhaust stack or memory.
Other files' keys are drawn in by ``include.py``; what keys mean is ``schema.py``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from harness.experiment.nodes import Mapping, Mark, Places, Scalar, Sequence
from harness.experiment.report import Report
from harness.experiment.tree_builder import Builder, Unreadable

# A file of ours is a few KiB; the parser needs a second for each 100 KiB.
MAX_BYTES = 256 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 40

_HINTS = (
    ("mapping values are not allowed", "Text that holds ': ' must be in quotes."),
    ("'\\t'", "Indent with spaces; YAML allows no tabs."),
    ("cannot start any token", "Text that begins with this character must be in quotes."),
    ("expected ',' or", "Text with , { } [ ] inside braces must be in quotes."),
    ("block end", "Keys of one mapping stand in one column."),
    ("while scanning a quoted scalar", "The quote that begins here is never closed."),
)


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
    builder = Builder(text, shown, report)
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
    places = Places(shown, text)
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except Unreadable:
        raise
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        if "quoted scalar" in (problem.context or ""):
            mark = problem.context_mark  # where the quote begins says more than the end of the file
        words = problem.problem or "it cannot be read"
        around = f"{problem.context or ''} {words}"
        hint = next((hint for part, hint in _HINTS if part in around), "")
        report.mark(places.mark(mark.index if mark else 0), f"broken YAML: {words}", "", hint)
    except ReaderError as problem:
        found = f"the character U+{ord(text[problem.position]):04X} is not allowed"
        report.mark(places.mark(problem.position), found, "printable text")
    except Exception as problem:
        # The parser fails on odd text in odd ways; it is the text's fault all the same.
        report.mark(places.mark(0), f"broken YAML: {type(problem).__name__}: {problem}")
    else:
        return
    raise Unreadable


__all__ = ["MAX_BYTES", "Unreadable", "parse", "read_text"]
