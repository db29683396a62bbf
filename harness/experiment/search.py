"""Which files are meant: those named, and in folders those that hold an experiment (or a target).

Whether they are right is not asked here.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from harness.experiment.nodes import Scalar
from harness.experiment.report import Report
from harness.experiment.source import MAX_BYTES, Unreadable, parse

_ENDINGS = (".yaml", ".yml")
# Folders of tools, not of people.
_SKIPPED = ("node_modules", "__pycache__", "runs")


def experiment_files(
    paths: Iterable[Path], report: Report, *, words: Sequence[str] = ("experiment",)
) -> list[Path]:
    """Every file once, in the order given; a folder gives those with one of ``words`` as a key."""
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.is_dir():
            found.setdefault(_identity(path), path)
            continue
        inside = [file for file in _yaml_files(path) if _holds(file, words)]
        if not inside:
            report.file(str(path), f"no file in this folder has the key {' or '.join(words)}")
        for file in inside:
            found.setdefault(_identity(file), file)
    return list(found.values())


def _identity(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def _yaml_files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _SKIPPED
        )
        for name in sorted(files):
            if name.endswith(_ENDINGS):
                yield Path(root) / name


def _holds(file: Path, words: Sequence[str]) -> bool:
    try:
        text = file.read_bytes()[:MAX_BYTES].decode("utf-8-sig", errors="replace")
    except OSError:
        return False
    if not any(word in text for word in words):
        return False
    try:
        keys = parse(text, str(file), Report()).entries
    except Unreadable:
        # Broken: it is shown as broken if it looks like one of ours.
        return any(line.startswith(f"{word}:") for word in words for line in text.splitlines())
    return any(word in keys and isinstance(keys[word].value, Scalar) for word in words)
