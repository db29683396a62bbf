"""The documentation as data: which files there are, their headings, links, tables and code blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: ``info`` stands behind its fence, ``line`` is where it begins, ``named`` the
    last file that the paragraph before it names in backticks.
    """

    file: Path
    line: int
    info: tuple[str, ...]
    named: str | None
    text: str

    @property
    def id(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """All pages: at the top, under docs/ and beside the targets."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "targets").rglob("*.md")]
    return sorted(found)


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _FENCE.finditer(text):
        yield Block(
            file=page,
            line=text.count("\n", 0, found.start()) + 1,
            info=tuple(found["info"].split()),
            named=_named(text[: found.start()]),
            text=found["text"],
        )


def _named(before: str) -> str | None:
    paragraph = before.rstrip().rpartition("\n\n")[2]
    names = re.findall(r"`([\w./-]+\.\w+)`", paragraph)
    return names[-1] if names else None


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _FENCE.sub("", page.read_text())


def headings(page: Path) -> dict[str, list[str]]:
    """The ``##`` headings, each with the ``###`` ones below it."""
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for line in prose(page).splitlines():
        if line.startswith("## "):
            section = found.setdefault(line.removeprefix("## ").strip(), [])
        elif line.startswith("### "):
            section.append(line.removeprefix("### ").strip())
    return found


def rows(page: Path) -> list[tuple[str, ...]]:
    """The rows of all tables, without the lines under their heads."""
    return [
        tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        for line in prose(page).splitlines()
        if line.startswith("|") and set(line) - set("|-: ")
    ]


def links(page: Path) -> list[str]:
    """Targets of links within the checkout, without their anchors."""
    found = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose(page))
    return [link for link in found if "://" not in link and not link.startswith("mailto:")]
