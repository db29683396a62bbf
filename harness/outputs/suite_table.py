"""The end of a suite: what was not as expected, a table with a line for each run, and their sum.

A pure function of results. What a run found is said by verdict_block.py, its figures by run_figures.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model.plan import Expected
from harness.model.units import Duration
from harness.model.verdicts import Result, Verdict
from harness.outputs.paragraphs import Paragraph, Span, Style, cells, paragraph
from harness.outputs.progress import Trouble
from harness.outputs.run_figures import (
    expected_in_words,
    in_ms,
    rate_in_words,
    rounds_in_words,
    time_in_words,
)
from harness.outputs.verdict_block import findings, not_undone, padded

_GAP = "  "
_HEADER = ("experiment", "variant", "verdict", "expected", "rounds", "rate", "time")
_EXPECTED = _HEADER.index("expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """``planned`` runs there were to be; ``took`` is the time of all together."""

    runs: Sequence[tuple[Result, Path]]
    planned: int
    took: Duration | None = None
    troubles: Mapping[str, tuple[Trouble, ...]]

    @property
    def results(self) -> list[Result]:
        return [result for result, _ in self.runs]


def suite_block(suite: Suite, *, width: int) -> list[Paragraph]:
    """All of it, ``width`` cells wide, with what must be undone by hand at the very end."""
    lines = list(_surprises(suite))
    lines += [*table(suite.results, width=width), paragraph(""), _sum(suite)]
    lines += _files([folder for _, folder in suite.runs])
    return lines + not_undone(suite.results)


def _surprises(suite: Suite) -> Iterator[Paragraph]:
    for result, folder in suite.runs:
        if not result.as_expected or result.not_undone:
            label = " ".join(filter(None, (result.experiment, result.variant)))
            yield paragraph(Span(label, "strong"), Span(f"      seed {result.seed}", "faint"))
            for said in findings(result, suite.troubles.get(result.run, ())):
                yield Paragraph(
                    spans=(Span("  "), *said.spans), hang=said.hang + 2, whole=said.whole
                )
            yield paragraph(f"  {folder}/", whole=True)
            yield paragraph("")


def table(results: Sequence[Result], *, width: int) -> list[Paragraph]:
    """A line a run. Where that is too wide, experiments have a line of their own, and at last the
    expected violations, too.
    """
    rows = [_cells(result) for result in results]
    styles = [_style(result) for result in results]
    widths = [max(map(cells, column)) for column in zip(_HEADER, *rows, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return list(_flat(rows, styles, widths))
    if sum(widths[1:]) + len(_GAP) * (len(widths) - 1) <= width:
        return list(_grouped(rows, styles, widths, [""] * len(rows)))
    violated = [_violation(result.expected) for result in results]
    return list(_grouped(rows, styles, widths, violated))


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.experiment,
        result.variant or "",
        result.verdict,
        _expected(result.expected),
        rounds_in_words(result),
        rate_in_words(result),
        time_in_words(in_ms(result.run_ms)),
    )


def _expected(expected: Expected) -> str:
    """The invariants alone where they are named: the verdict beside them says the rest."""
    return " and ".join(expected.invariants) or expected.verdict


def _violation(expected: Expected) -> str:
    return "" if expected.verdict == Verdict.HELD.value else expected_in_words(expected)


def _style(result: Result) -> Style:
    if result.as_expected:
        return "good"
    judged = (Verdict.HELD.value, Verdict.VIOLATED.value, Verdict.ERROR.value)
    return "bad" if result.verdict in judged else "odd"


_Rows = Sequence[tuple[str, ...]]


def _flat(rows: _Rows, styles: Sequence[Style], widths: Sequence[int]) -> Iterator[Paragraph]:
    yield _line(_HEADER, widths, "", header=True)
    before = ""
    for row, style in zip(rows, styles, strict=True):
        # The name again and again would hide where the next experiment begins; but lines are also
        # taken out of logs one by one.
        yield _line(row, widths, style, faint=(0,) if row[0] == before else ())
        before = row[0]


def _grouped(
    rows: _Rows, styles: Sequence[Style], widths: Sequence[int], second: Sequence[str]
) -> Iterator[Paragraph]:
    """``second`` is what stands in a second line of each row, instead of the column of that."""
    left_out = (_EXPECTED,) if any(second) else ()
    kept = [index for index in range(1, len(_HEADER)) if index not in left_out]
    narrow = [widths[index] for index in kept]
    before = None
    yield _line([_HEADER[index] for index in kept], narrow, "", header=True, indent="  ")
    for row, style, expected in zip(rows, styles, second, strict=True):
        if row[0] != before:
            yield paragraph(Span(row[0], "strong"))
        before = row[0]
        yield _line([row[index] for index in kept], narrow, style, indent="  ", verdict=1)
        if expected:
            yield paragraph(Span(f"    expected: {expected}", "faint"), hang=6)


def _line(
    row: Sequence[str],
    widths: Sequence[int],
    style: Style | str,
    *,
    header: bool = False,
    indent: str = "",
    verdict: int = 2,
    faint: Sequence[int] = (),
) -> Paragraph:
    """Columns in line, the last one to the right; ``verdict`` is the one in the run's ``style``."""
    spans = [Span(indent)]
    for index, (text, width) in enumerate(zip(row, widths, strict=True)):
        last = index == len(row) - 1
        shown = f"{' ' * (width - cells(text))}{text}" if last else padded(text, width) + _GAP
        spans.append(Span(shown, _style_of(index, style, header or index in faint, verdict)))
    return paragraph(*spans, whole=True)


def _style_of(index: int, style: Style | str, faint: bool, verdict: int) -> Style:
    if faint:
        return "faint"
    return style if index == verdict and style else "plain"  # type: ignore[return-value]  # a header has none


def _sum(suite: Suite) -> Paragraph:
    results = suite.results
    good = sum(result.as_expected for result in results)
    parts = [f"{good} of {suite.planned} as expected"]
    if suite.took is not None:
        parts[0] += f" in {time_in_words(suite.took)}"
    wrong = [result.verdict for result in results if not result.as_expected]
    judged = (Verdict.HELD.value, Verdict.VIOLATED.value)
    not_expected = sum(verdict in judged for verdict in wrong)
    if not_expected:
        parts.append(f"{not_expected} not as expected")
    others = dict.fromkeys(verdict for verdict in wrong if verdict not in judged)
    parts += [f"{wrong.count(verdict)} {verdict}" for verdict in others]
    if len(results) < suite.planned:
        parts.append(f"{suite.planned - len(results)} not run")
    seeds = {result.seed for result in results}
    seed = f"      seed {seeds.pop()}" if len(seeds) == 1 else ""
    whole = good == suite.planned
    return paragraph(Span(", ".join(parts), "good" if whole else "bad"), Span(seed, "faint"))


def _files(folders: Sequence[Path]) -> list[Paragraph]:
    """The first and the last are enough to find the others: names begin with the time."""
    if not folders:
        return []
    ends = [folders[0]] if len(folders) == 1 else [folders[0], folders[-1]]
    lines = [paragraph("files  ", f"{ends[0]}/", whole=True)]
    if len(ends) == 2:
        between = "" if len(folders) == 2 else f" (with those between, {len(folders)} folders)"
        lines.append(paragraph("       ", f"{ends[1]}/{between}", whole=True))
    return lines
