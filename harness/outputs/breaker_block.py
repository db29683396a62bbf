"""What is said of a breaker beside its invariants: what was found out, its neighbours, and its picture."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.model.breaker_findings import BreakerFinding, BreakerResult
from harness.outputs.breaker_picture import breaker_lines, legend
from harness.outputs.paragraphs import Paragraph, Span, paragraph
from harness.outputs.run_files import PICTURE


def breaker_paragraphs(breaker: BreakerResult) -> list[Paragraph]:
    """In the order in which a reader asks: what it is, what was not looked at, what it looked like."""
    lines = [*_found(breaker.inferred), *_not_looked_at(breaker), *_neighbours(breaker)]
    picture = breaker_lines(breaker.life)
    if picture:
        lines += [paragraph(line, whole=True) for line in picture]
        lines.append(paragraph(Span(f"{legend()}; all of it: {PICTURE}", "faint"), whole=True))
    return lines


def _found(inferred: Mapping[str, Any]) -> Iterator[Paragraph]:
    """Undeclared values as the run has shown them."""
    told = [words for name, say in _FOUND.items() if (words := say(inferred.get(name)))]
    if told:
        yield paragraph(Span("found    ", "strong"), ", ".join(told), hang=9)


def _value(found: Any) -> Any:
    return found.get("value", found.get("seconds")) if isinstance(found, Mapping) else None


def _threshold(found: Any) -> str:
    value = _value(found)
    return "" if value is None else f"trips after {_count(value, 'failure')}"


def _open(found: Any) -> str:
    """Where it is known to lie: from the last rejection to the first call that came through."""
    value = _value(found)
    if value is None:
        return ""
    wide = float(found.get("resolution", 0)) if isinstance(found, Mapping) else 0.0
    if round(value, 2) == round(value + wide, 2):
        return f"opens for {value:.2f} s"
    return f"opens for {value:.2f} to {value + wide:.2f} s"


def _call_timeout(found: Any) -> str:
    value = _value(found)
    return "" if value is None else f"gives a call up after {value:.2f} s"


def _permits(found: Any) -> str:
    """Of so many callers at once."""
    value = _value(found)
    return "" if value is None else f"lets {value} of {found['of']} through half-open"


def _to_close(found: Any) -> str:
    value = _value(found)
    return "" if value is None else f"closes after {_count(value, 'good trial')}"


def _count(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"


_FOUND = {
    "threshold": _threshold,
    "open": _open,
    "permits": _permits,
    "call_timeout": _call_timeout,
    "to_close": _to_close,
}


def _not_looked_at(breaker: BreakerResult) -> Iterator[Paragraph]:
    """By what they would have needed, several in one line."""
    by_note: dict[str, list[BreakerFinding]] = {}
    for finding in breaker.invariants:
        if finding.verdict == "not-applicable":
            by_note.setdefault(_in_short(finding), []).append(finding)
    for note, findings in by_note.items():
        names = ", ".join(finding.id for finding in findings)
        yield paragraph(Span("not asked  ", "faint"), f"{names}: {note}", hang=11)


def _in_short(finding: BreakerFinding) -> str:
    """The note, of which ``result.json`` has the whole; many differ in their phases alone."""
    note = finding.notes[-1] if finding.notes else ""
    if note.endswith("not run"):
        return "no phase of this run was for that" if "phase" in note else note
    return next((short for short in _SHORT if note.startswith(short)), note)


_SHORT = ("never seen to open (BRK-01)", "not exercised enough by the quick script")


def _neighbours(breaker: BreakerResult) -> Iterator[Paragraph]:
    for neighbour in breaker.neighbours:
        if neighbour.get("verdict") == "seen":
            told = f"{neighbour['name']}: {neighbour['text']}"
            yield paragraph(Span("beside it  ", "odd"), told, hang=11)
