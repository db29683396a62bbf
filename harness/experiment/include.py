"""``include:`` draws the keys of other files in: own keys win, mappings merge, cycles are refused."""

from pathlib import Path

from harness.experiment.nodes import Entry, Mapping, Mark, Node, Scalar, Sequence
from harness.experiment.report import Report
from harness.experiment.source import Unreadable, parse, read_text

# A chain longer than this is a mistake, and a wide one could read the whole disk.
MAX_FILES = 50


def read_file(path: Path, report: Report, *, text: str | None = None) -> Mapping:
    """The tree of a file with everything it includes. ``text`` spares reading it again.

    Raises:
        Unreadable: this file gave no tree. A broken included file is reported and left out.
    """
    return _Reader(report).read(path, text, ())


class _Reader:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._files = 0

    def read(self, path: Path, text: str | None, chain: tuple[Path, ...]) -> Mapping:
        shown = str(path)
        self._files += 1
        tree = parse(
            read_text(path, shown, self._report) if text is None else text, shown, self._report
        )
        entry = tree.entries.get("include")
        if entry is None:
            return tree
        own = Mapping(
            entries={key: value for key, value in tree.entries.items() if key != "include"},
            mark=tree.mark,
        )
        # Later files win over earlier ones, as later lines do everywhere else.
        for name, mark in reversed(self._names(entry.value)):
            included = self._included(path, name, mark, (*chain, _identity(path)))
            if included is not None:
                own = merged(own, included)
        return own

    def _names(self, node: Node) -> list[tuple[str, Mark]]:
        nodes = node.items if isinstance(node, Sequence) else (node,)
        names = []
        for item in nodes:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                names.append((item.value, item.mark))
            else:
                self._report.mark(
                    item.mark,
                    "this is no path",
                    "the path of a file, or a list of them",
                    key="include",
                )
        return names

    def _included(
        self, path: Path, name: str, mark: Mark, chain: tuple[Path, ...]
    ) -> Mapping | None:
        file = beside(path, name)
        if file is None or not file.is_file():
            self._report.mark(
                mark, f"there is no file {str(file or name)!r}", "a YAML file", key="include"
            )
            return None
        if _identity(file) in chain:
            self._report.mark(mark, f"{file} includes itself in a circle", key="include")
            return None
        if self._files >= MAX_FILES:
            self._report.mark(mark, f"more than {MAX_FILES} files are included", key="include")
            return None
        try:
            return self.read(file, None, chain)
        except Unreadable:
            return None


def beside(path: Path, name: str) -> Path | None:
    """The file ``name`` as seen from the file ``path``; None when no file can be called that."""
    if "\0" in name:
        return None
    joined = path.parent / Path(name).expanduser()
    # Shortened as text only: `..` behind a symbolic link must not be touched, but reads badly.
    parts: list[str] = []
    for part in joined.parts:
        if (
            part == ".."
            and parts
            and parts[-1] not in ("..", "/")
            and not Path(*parts).is_symlink()
        ):
            parts.pop()
        else:
            parts.append(part)
    return Path(*parts) if parts else Path()


def _identity(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def merged(own: Mapping, other: Mapping) -> Mapping:
    """``own`` with what ``other`` adds; where both have a mapping, the two are merged."""
    entries = dict(own.entries)
    for key, entry in other.entries.items():
        mine = entries.get(key)
        if mine is None:
            entries[key] = entry
        elif isinstance(mine.value, Mapping) and isinstance(entry.value, Mapping):
            entries[key] = Entry(key=mine.key, value=merged(mine.value, entry.value))
    return Mapping(entries=entries, mark=own.mark)
