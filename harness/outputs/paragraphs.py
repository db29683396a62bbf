"""Styled paragraphs: text made safe, wrapped with a hanging indent, written plain or with colour.

What a target said reaches a terminal only through here, so that it is escaped in one place. Knows
neither events nor results, and no markup language that foreign text could speak.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Style = Literal["plain", "strong", "faint", "good", "bad", "odd"]

ANSI: dict[Style, str] = {
    "plain": "",
    "strong": "\x1b[1m",
    "faint": "\x1b[2m",
    "good": "\x1b[32m",
    "bad": "\x1b[1;31m",
    "odd": "\x1b[33m",
}
_RESET = "\x1b[0m"

# Controls could move the cursor or set a title; bidirectional marks reorder what a reader sees;
# the two separators break a line where nobody expects it; lone surrogates cannot be encoded.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)

_UNIT = re.compile(r"%|(ns|ms|s|min|h)(?!\w)")


def safe(text: str) -> str:
    """``text`` on one line, each character that could act on a terminal written as its escape."""
    text = text.replace("\r\n", "\n").replace("\t", "    ").rstrip("\n")
    return _UNSAFE.sub(lambda found: _escape(found[0]), text)


def _escape(char: str) -> str:
    return "\\n" if char == "\n" else char.encode("unicode_escape", "surrogatepass").decode("ascii")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text in one style; always safe to print, whoever wrote it."""

    text: str
    style: Style = "plain"

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", safe(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Spans that are wrapped together; lines after the first begin ``hang`` cells to the right.

    ``whole`` is never wrapped: paths and commands, to be copied.
    """

    spans: tuple[Span, ...]
    hang: int = 0
    whole: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


def paragraph(*parts: str | Span, hang: int = 0, whole: bool = False) -> Paragraph:
    """Joins parts; text without a style is plain."""
    spans = tuple(part if isinstance(part, Span) else Span(part) for part in parts)
    return Paragraph(spans=spans, hang=hang, whole=whole)


def cells(text: str) -> int:
    """How many columns of a terminal ``text`` takes; wide characters take two."""
    return sum(_cell(char) for char in text)


def _cell(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


_Char = tuple[str, Style]


def wrap(para: Paragraph, width: int) -> list[tuple[Span, ...]]:
    """The lines of one paragraph, none wider than ``width`` unless it is ``whole``."""
    chars: list[_Char] = [(char, span.style) for span in para.spans for char in span.text]
    if para.whole:
        return [_spans(chars, 0)]
    hang = min(para.hang, width // 2)
    cut = _cut(chars, 0, max(width, 2), hang=hang)
    lines = [_spans(chars[:cut], 0)]
    while (start := _skip_spaces(chars, cut)) < len(chars):
        cut = _cut(chars, start, max(width - hang, 2), hang=0)
        lines.append(_spans(chars[start:cut], hang))
    return lines


def _skip_spaces(chars: list[_Char], start: int) -> int:
    while start < len(chars) and chars[start][0] == " ":
        start += 1
    return start


def _cut(chars: list[_Char], start: int, room: int, *, hang: int) -> int:
    """Where a line from ``start`` ends: all of it, the last space that fits, or amid a long word.

    A space within the first ``hang`` cells is the label's own padding, no place to break.
    """
    used = 0
    space = 0
    begun = False
    for index in range(start, len(chars)):
        char = chars[index][0]
        begun = begun or char != " "
        if char == " " and begun and index - start >= hang and not _bound(chars, index):
            space = index
        used += _cell(char)
        if used > room and char != " ":
            return space or max(index, start + 1)
    return len(chars)


def _bound(chars: list[_Char], index: int) -> bool:
    """True for the space in ``95 %`` or ``40 ms``: a number and its unit stay together."""
    if index == 0 or not chars[index - 1][0].isdigit():
        return False
    return _UNIT.match("".join(char for char, _ in chars[index + 1 : index + 5])) is not None


def _spans(chars: list[_Char], indent: int) -> tuple[Span, ...]:
    while chars and chars[-1][0] == " ":
        chars = chars[:-1]
    grouped = tuple(
        Span("".join(char for char, _ in group), style)
        for style, group in groupby(chars, key=lambda pair: pair[1])
    )
    return (Span(" " * indent), *grouped) if indent else grouped


def render(paragraphs: Iterable[Paragraph], *, width: int, color: bool) -> str:
    """The paragraphs as text, each line ended by a newline; without ``color`` no control characters."""
    return "".join(_painted(line, color=color) + "\n" for line in _lines(paragraphs, width))


def _lines(paragraphs: Iterable[Paragraph], width: int) -> Iterator[tuple[Span, ...]]:
    for para in paragraphs:
        yield from wrap(para, width)


def _painted(line: tuple[Span, ...], *, color: bool) -> str:
    if not color:
        return "".join(span.text for span in line)
    return "".join(
        f"{ANSI[span.style]}{span.text}{_RESET}" if ANSI[span.style] else span.text for span in line
    )
