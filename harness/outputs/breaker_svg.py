"""A breaker's life as one SVG picture, from the numbers in its result: no script, no font, no address.

From above: phases with their faults, the states as inferred, what callers got, what arrived behind,
how much was in flight on either side, and the memory of the service's process. Times are seconds since
the run's start, as everywhere in the result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from typing import Any

from harness.outputs.breaker_rows import state_rows, tallest
from harness.outputs.paragraphs import safe

_WIDTH, _LEFT, _RIGHT = 1080, 150, 16
_STRIP, _PLOT, _GAP, _MARK = 22, 76, 16, 5
_TOP = 60
_MOST_CAPTION = 165
_APART = 40

# Each colour means one thing, and is told from all others by people with any form of colour blindness:
# a test simulates the three.
UNKNOWN = ("unknown", "#a2aa9e")
STATES = {
    "closed": ("closed", "#e6ddf3"),
    "open": ("open", "#2b2b2b"),
    "half-open": ("half-open", "#e69f00"),
    "unknown": UNKNOWN,
}
CLASSES = {
    "forwarded-ok": ("good", "#26b651"),
    "forwarded-slow": ("slow", "#fce131"),
    "forwarded-ignored": ("ignored", "#d8fcc3"),
    "forwarded-failed": ("failed", "#d64900"),
    "timed-out-forwarded": ("timed out", "#6b2400"),
    "left-forwarded": ("left", "#a360a0"),
    "short-circuited": ("rejected", "#123d92"),
    "unknown": UNKNOWN,
}
FRONT = ("in front", "#5eb8f5")
BEHIND = ("behind", "#4f4a6b")
MEMORY = ("memory", "#7951ca")
_NOT_JUDGED, _HEALTHY, _FAULTY, _FAULT = "#f2f2f2", "#e3ecf3", "#fdeedd", "#d64900"
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}"
    ".small{font-size:10px;fill:#555}.title{font-size:15px;font-weight:600}"
    ".axis{stroke:#ccc;stroke-width:1}"
)

Row = tuple[int, str, list[str]]
"""Height, label, content."""


@dataclass(frozen=True, slots=True)
class _Scale:
    start: float
    width: float
    buckets: int

    def x(self, second: float) -> float:
        """Where a moment is, kept within the picture."""
        share = (second - self.start) / max(self.width * self.buckets, 1e-9)
        return _LEFT + min(max(share, 0), 1) * (_WIDTH - _LEFT - _RIGHT)

    def bucket(self, index: int) -> float:
        return self.x(self.start + index * self.width)

    @property
    def step(self) -> float:
        return (_WIDTH - _LEFT - _RIGHT) / max(self.buckets, 1)


def breaker_svg(life: Mapping[str, Any], *, title: str, caption: str = "") -> str:
    """The picture; empty where there was no call. ``life`` is that of a breaker's result.

    ``caption`` is the line below the title. Whatever text comes in is written as text.
    """
    if not life:
        return ""
    scale = _Scale(life["start"], life["width"], life["buckets"])
    parts, y = [], _TOP
    for height, label, content in _rows(life, scale):
        parts.append(f'<g transform="translate(0,{y})">')
        parts.append(_label(label, height))
        parts += content
        parts.append("</g>")
        y += height + _GAP
    parts += _times(scale, y)
    y += 28
    for line in _legend(life):
        parts.append(f'<g transform="translate(0,{y})">{line}</g>')
        y += 18
    height = y + 4
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">'
    )
    first = [
        head,
        f"<title>{_text(title)}</title><desc>{_text(caption)}</desc><style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="24" class="title">{_text(title)}</text>',
        f'<text x="16" y="43">{_text(_shortened(caption, _MOST_CAPTION))}</text>',
    ]
    return "\n".join([*first, *parts, "</svg>", ""])


def _text(foreign: str) -> str:
    """XML has no form for controls, half surrogates and the two non-characters."""
    return escape(safe(foreign).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff"))


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _rows(life: Mapping[str, Any], scale: _Scale) -> Iterator[Row]:
    yield _STRIP, "phase", list(_phases(life["phases"], scale))
    rows, left_out = state_rows(life["states"])
    for label, spans in rows:
        yield _STRIP, label, list(_states(spans, scale))
    if left_out:
        yield 0, f"{left_out} more circuits", []
    yield _PLOT, "calls, by outcome", _stacked(life["front"], scale)
    yield _PLOT, "arrivals behind", _bars(life["arrivals"], scale)
    yield _PLOT, "in flight", _in_flight(life["in_flight"], scale)
    yield from _memory(life["rss"], scale)


def _label(text: str, height: int) -> str:
    told = _text(_shortened(text, 22))
    return (
        f'<text x="{_LEFT - 12}" y="{height / 2 + 4}" text-anchor="end">{told}'
        f"<title>{_text(text)}</title></text>"
    )


def _phases(phases: Iterable[Mapping[str, Any]], scale: _Scale) -> Iterator[str]:
    """Boxes with their names where there is room, a mark below for as long as a fault lasted.

    Those that are not judged stay grey and without a name.
    """
    for phase in phases:
        left, right = scale.x(phase["from"]), scale.x(_until(phase, scale))
        wide = right - left
        fill = _NOT_JUDGED if not phase["number"] else _FAULTY if phase["faults"] else _HEALTHY
        yield (
            f'<rect x="{left:.1f}" width="{max(wide - 1, 1):.1f}" height="{_STRIP}" fill="{fill}">'
            f"<title>{_text(_phase_told(phase))}</title></rect>"
        )
        for fault in phase["faults"]:
            begins, ends = scale.x(fault["from"]), scale.x(_until(fault, scale))
            yield (
                f'<rect x="{begins:.1f}" y="{_STRIP - _MARK + 2}" '
                f'width="{max(ends - begins, 1):.1f}" height="{_MARK - 2}" fill="{_FAULT}"/>'
            )
        name = str(phase["id"])
        if phase["number"] and wide > 6.2 * len(name):
            yield f'<text x="{left + 4:.1f}" y="14" class="small">{_text(name)}</text>'


def _until(span: Mapping[str, Any], scale: _Scale) -> float:
    """What has no end on record lasts to the end of the picture."""
    end = span["to"]
    return scale.start + scale.width * scale.buckets if end is None else float(end)


def _phase_told(phase: Mapping[str, Any]) -> str:
    faults = ", ".join(dict.fromkeys(str(fault["kind"]) for fault in phase["faults"]))
    return f"{phase['id']}: {faults}" if faults else str(phase["id"])


def _states(spans: Iterable[Mapping[str, Any]], scale: _Scale) -> Iterator[str]:
    for span in spans:
        left = scale.x(_middle(span["from"], scale.start))
        right = scale.x(_middle(span["to"], scale.start + scale.width * scale.buckets))
        state = str(span["state"])
        _, colour = STATES.get(state, UNKNOWN)
        yield (
            f'<rect x="{left:.1f}" width="{max(right - left, 0.6):.1f}" height="{_STRIP}" '
            f'fill="{colour}"><title>{_text(state)}</title></rect>'
        )


def _middle(interval: Sequence[float | None], otherwise: float) -> float:
    """A state changes somewhere within an interval: here in its middle, or where it is open, at its edge."""
    low, high = interval
    if low is None or high is None:
        return next((edge for edge in (low, high) if edge is not None), otherwise)
    return (low + high) / 2


def _stacked(front: Mapping[str, Sequence[int]], scale: _Scale) -> list[str]:
    totals = [sum(each) for each in zip(*front.values(), strict=True)]
    full = tallest(totals)
    drawn, below = _axis(totals, full), [0] * len(totals)
    for name, (_, colour) in CLASSES.items():
        counts = front.get(name, ())
        drawn += _pile(counts, below, full, scale, colour)
        below = [low + count for low, count in zip(below, counts, strict=True)] if counts else below
    return drawn + _cut_off(totals, full, scale)


def _bars(counts: Sequence[int], scale: _Scale) -> list[str]:
    full = tallest(counts)
    bars = _pile(counts, [0] * len(counts), full, scale, BEHIND[1])
    return [*_axis(counts, full), *bars, *_cut_off(counts, full, scale)]


def _pile(
    counts: Sequence[int], below: Sequence[int], full: int, scale: _Scale, colour: str
) -> Iterator[str]:
    """One bar for each bucket on top of what is ``below``, as far as the plot goes."""
    for index, count in enumerate(counts):
        low, high = min(below[index], full), min(below[index] + count, full)
        if high > low:
            yield (
                f'<rect x="{scale.bucket(index):.1f}" y="{_PLOT - high / full * _PLOT:.1f}" '
                f'width="{max(scale.step - 0.4, 0.6):.1f}" '
                f'height="{(high - low) / full * _PLOT:.1f}" fill="{colour}"/>'
            )


def _cut_off(counts: Sequence[int], full: int, scale: _Scale) -> list[str]:
    """The numbers of bars that go on beyond the plot; of neighbours the highest alone, to be legible."""
    told: list[tuple[float, int]] = []
    for count, index in sorted(((c, i) for i, c in enumerate(counts) if c > full), reverse=True):
        x = scale.bucket(index) + scale.step / 2
        if all(abs(x - other) >= _APART for other, _ in told):
            told.append((x, count))
    return [
        f'<text x="{x:.1f}" y="-2" text-anchor="middle" class="small">{count}↑</text>'
        for x, count in sorted(told)
    ]


def _in_flight(series: Mapping[str, Sequence[int]], scale: _Scale) -> list[str]:
    """The front wide and below the line of the back: where they are as one, both are seen."""
    most = max((max(counts, default=0) for counts in series.values()), default=0)
    lines = [
        _line(series[name], scale, max(most, 1), colour, stroke)
        for name, colour, stroke in _IN_FLIGHT
        if name in series
    ]
    return [*_axis([most], most), *lines]


_IN_FLIGHT = (("front", FRONT[1], 4.0), ("behind", BEHIND[1], 1.5))


def _memory(rss: Sequence[int | None], scale: _Scale) -> Iterator[Row]:
    known = [each for each in rss if each is not None]
    if known:
        most = max(known)
        line = _line(rss, scale, max(most * 1.1, 1), MEMORY[1], 1.5)
        told = _below(f"{most / 1024**2:.0f} MiB at most")
        yield _PLOT, "memory", [_axis_line(), told, line]


def _line(
    values: Sequence[float | None], scale: _Scale, full: float, colour: str, stroke: float
) -> str:
    points = " ".join(
        f"{scale.bucket(index) + scale.step / 2:.1f},{_PLOT - value / full * _PLOT:.1f}"
        for index, value in enumerate(values)
        if value is not None
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{stroke}"/>'


def _axis(counts: Sequence[int], full: int) -> list[str]:
    most = max(counts, default=0)
    told = f"{most} at most" if full == most else f"most {most}, cut at {full}"
    return [_axis_line(), _below(told)] if most else [_axis_line()]


def _axis_line() -> str:
    return f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_PLOT}" y2="{_PLOT}" class="axis"/>'


def _below(said: str) -> str:
    """Below the label, where no bar can hide it."""
    y = _PLOT / 2 + 20
    return f'<text x="{_LEFT - 12}" y="{y}" text-anchor="end" class="small">{said}</text>'


def _times(scale: _Scale, y: int) -> Iterator[str]:
    whole = scale.width * scale.buckets
    step = next(each for each in _STEPS if whole / each <= 14)
    first = ceil(scale.start / step)
    for index in range(first, first + 15):
        if index * step <= scale.start + whole:
            x = scale.x(index * step)
            yield (
                f'<text x="{x:.1f}" y="{y}" text-anchor="middle" class="small">{index * step} s</text>'
            )


_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 10**9)


def _legend(life: Mapping[str, Any]) -> list[str]:
    """A line for each group of rows, of the colours that occur."""
    states = {str(span["state"]) for span in life["states"]}
    groups = [
        ("state", [STATES[name] for name in STATES if name in states]),
        ("calls", [CLASSES[name] for name in CLASSES if name in life["front"]]),
        ("in flight", [FRONT, BEHIND]),
    ]
    return [_group(name, entries) for name, entries in groups if entries]


def _group(name: str, entries: Iterable[tuple[str, str]]) -> str:
    drawn = [f'<text x="{_LEFT - 12}" text-anchor="end" class="small">{name}</text>']
    x = float(_LEFT)
    for said, colour in entries:
        drawn.append(f'<rect x="{x:.0f}" y="-9" width="10" height="10" fill="{colour}"/>')
        drawn.append(f'<text x="{x + 14:.0f}" class="small">{said}</text>')
        x += 32 + 6 * len(said)
    return "".join(drawn)
