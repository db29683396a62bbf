"""Results as paragraphs: the row of each run, its findings in words, and what remains to be undone.

A pure function of results and of what went wrong on the way; nothing here decides a verdict.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.model.verdicts import (
    EXIT_NOT_UNDONE,
    BurstFinding,
    InvariantFinding,
    Result,
    Verdict,
)
from harness.outputs.paragraphs import Paragraph, Span, Style, cells, paragraph
from harness.outputs.progress import Trouble, label_of

# What a target said may be a whole log; the journal keeps all of it.
MOST_LINES = 24
MOST_CHARACTERS = 600

_STYLE_OF_VERDICT: dict[str, Style] = {
    Verdict.HELD.value: "good",
    Verdict.VIOLATED.value: "bad",
    Verdict.INCONCLUSIVE.value: "odd",
    Verdict.ABORTED.value: "odd",
    Verdict.INTERRUPTED.value: "odd",
    Verdict.ERROR.value: "bad",
    Verdict.REFUSED.value: "bad",
}


def heading(experiment: str, title: str, seed: int) -> Paragraph:
    """The line above the runs of one experiment."""
    about = f" · {title}" if title else ""
    return paragraph(
        Span(experiment, "strong"), f"{about}      ", Span(f"seed {seed}", "faint"), hang=2
    )


def label_width(labels: Sequence[str]) -> int:
    return max((cells(label) for label in labels), default=0)


def padded(text: str, width: int) -> str:
    return text + " " * max(width - cells(text), 0)


def verdict_spans(result: Result) -> tuple[Span, ...]:
    """``violated   as expected``, or what was expected instead."""
    surprise = unexpected(result)
    if surprise:
        return (Span(f"{padded(result.verdict, 8)}   unexpected: {surprise}", "bad"),)
    if result.as_expected:
        # A known bug that shows again is no alarm: only what was not expected stands out.
        return (Span(padded(result.verdict, 8), "good"), Span("   as expected"))
    return (Span(result.verdict, _STYLE_OF_VERDICT.get(result.verdict, "bad")),)


def unexpected(result: Result) -> str:
    """What was expected of a run that came to another verdict; empty when it came to none."""
    if result.as_expected or result.verdict not in (Verdict.HELD.value, Verdict.VIOLATED.value):
        return ""
    expected = result.expected
    if result.verdict == expected.verdict == Verdict.HELD.value:
        return ""  # what was not as expected lies elsewhere: a fault that stayed, say
    by = f" by {' and '.join(expected.invariants)}" if expected.invariants else ""
    only = " and no other" if result.verdict == expected.verdict else ""
    return f"{expected.verdict}{by}{only} was expected"


def row(result: Result, *, width: int, done: int | None = None) -> Paragraph:
    """One line a run, for output without a bar; ``done`` rounds of it, where that is known."""
    count = str(result.rounds) if done is None else f"{done}/{result.rounds}"
    said = verdict_spans(result)
    return paragraph(f"  {padded(_label(result), width)}  {count}   ", *said, hang=width + 4)


def block(
    runs: Sequence[tuple[Result, Path]], troubles: Mapping[str, tuple[Trouble, ...]]
) -> list[Paragraph]:
    """What is printed when all runs are over: findings, files, and last what must be undone by hand."""
    width = max(label_width([_label(result) for result, _ in runs]), len("files")) + 2
    lines: list[Paragraph] = []
    for result, _ in runs:
        said = _findings(result, troubles.get(result.run, ()))
        lines += _labelled(_label(result), said, width)
    lines += _labelled("files", _folders([folder for _, folder in runs]), width)
    lines += _not_undone([result for result, _ in runs])
    return lines


def _label(result: Result) -> str:
    return label_of(result.variant, result.experiment)


def _labelled(label: str, said: Sequence[Paragraph], width: int) -> list[Paragraph]:
    """The label beside the first paragraph, blanks beside the others."""
    labels = [Span(padded(label, width), "strong")] + [Span(" " * width)] * len(said)
    return [
        Paragraph(spans=(left, *para.spans), hang=width + para.hang, whole=para.whole)
        for left, para in zip(labels, said, strict=False)
    ]


def _findings(result: Result, troubles: tuple[Trouble, ...]) -> list[Paragraph]:
    lines = [*_surprise(result), *_said_first(result, troubles)]
    for finding in result.invariants:
        lines += _invariant(finding, result.power)
    lines += _steady_state(result)
    lines += _tested_with(result)
    if result.verdict == Verdict.INCONCLUSIVE.value:
        unsaid = [text for text in result.missing if text not in result.reason]
        lines += [paragraph(Span("missing  ", "odd"), text, hang=9) for text in unsaid]
    lines += [paragraph(Span("note     ", "faint"), text, hang=9) for text in result.notes]
    return lines


def _surprise(result: Result) -> list[Paragraph]:
    wanted = unexpected(result)
    return [paragraph(Span(f"{result.verdict}, but {wanted}", "bad"))] if wanted else []


def _said_first(result: Result, troubles: tuple[Trouble, ...]) -> list[Paragraph]:
    """The sentence of the whole run: its power, or why there is no verdict, with what went wrong."""
    if result.verdict == Verdict.HELD.value:
        return [paragraph(*_emphasised(result.power or result.reason, "held", "good"))]
    if result.verdict == Verdict.VIOLATED.value:
        return [line for trouble in troubles for line in _trouble(trouble)]
    style = _STYLE_OF_VERDICT.get(result.verdict, "bad")
    first, *rest = result.reason.splitlines() or [""]
    lines = [paragraph(Span(result.verdict, style), f": {first}" if first else "")]
    lines += _quoted(rest)
    for trouble in troubles:
        lines += _trouble(trouble, already=result.reason)
    return lines


def _emphasised(sentence: str, word: str, style: Style) -> tuple[Span, ...]:
    if not sentence.startswith(word):
        return (Span(word, style), Span(f": {sentence}" if sentence else ""))
    return (Span(word, style), Span(sentence.removeprefix(word)))


def _trouble(trouble: Trouble, already: str = "") -> list[Paragraph]:
    """What went wrong, in its own words, without what ``already`` says."""
    first, *rest = trouble.detail.strip("\n").splitlines() or [""]
    sentence = ": ".join(part for part in (trouble.what, first) if part)
    known = trouble.what in already and first in already
    lines = [] if known else [paragraph(sentence)]
    lines += _quoted([line for line in rest if not (line.strip() and line in already)])
    if trouble.hint and trouble.hint not in already:
        lines.append(paragraph(Span("→ ", "strong"), trouble.hint, hang=2))
    return lines


def _quoted(lines: Sequence[str]) -> list[Paragraph]:
    """Foreign lines behind a bar, the last ones when there are many: the end of a log tells most."""
    kept = lines[-MOST_LINES:]
    quoted = [paragraph(Span("│ ", "faint"), _shortened(line), hang=2) for line in kept]
    left_out = len(lines) - len(kept)
    if left_out:
        quoted.insert(
            0, paragraph(Span(f"│ … {left_out} lines before these are in the journal", "faint"))
        )
    return quoted


def _shortened(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return (
        f"{text[:MOST_CHARACTERS]}… ({len(text) - MOST_CHARACTERS} characters more in the journal)"
    )


def _invariant(finding: InvariantFinding, power: str) -> list[Paragraph]:
    """An invariant's line, and its counterexample; none where the run's power says the same."""
    if finding.verdict == "held" and finding.summary and finding.summary in power:
        return []
    style = _STYLE_OF_VERDICT[finding.verdict]
    said = _emphasised(finding.summary, finding.verdict, style)
    lines = [paragraph(f"{finding.name}  ", *said, hang=2)]
    if finding.counterexample is not None:
        summary = finding.counterexample.summary
        lines.append(paragraph(_shortened(summary), hang=2))
    return lines


def _steady_state(result: Result) -> list[Paragraph]:
    """Only where it was not there, and neither a finding nor the reason has said so."""
    state = result.steady_state
    if "not held" not in (state.before, state.after):
        return []
    named = any(finding.name == "steady-state" for finding in result.invariants)
    if named or (state.detail and state.detail in result.reason):
        return []
    when = "before the method" if state.before == "not held" else "after the last undo"
    detail = f": {_shortened(state.detail)}" if state.detail else ""
    return [paragraph("steady-state  ", Span("not held", "bad"), f" {when}{detail}", hang=2)]


def _tested_with(result: Result) -> list[Paragraph]:
    parts = [_burst(burst) for burst in result.bursts if burst.rounds]
    parts += [fault.summary for fault in result.faults if fault.summary]
    return [paragraph("tested with: ", ", ".join(parts), hang=2)] if parts else []


def _burst(burst: BurstFinding) -> str:
    if burst.overlap is None:
        together = f"{burst.concurrency} sent together, overlap unknown"
    else:
        together = f"{burst.overlap} of {burst.concurrency} in flight together"
    hops = ", ".join(f"{count} at hop {hop}" for hop, count in sorted(burst.hop_overlap.items()))
    released = (
        "" if burst.spread_ms_p50 is None else f", released within {burst.spread_ms_p50:.2g} ms"
    )
    return together + (f" ({hops})" if hops else "") + released


def _folders(folders: Sequence[Path]) -> list[Paragraph]:
    return [paragraph(f"{folder}/", whole=True) for folder in folders]


def _not_undone(results: Sequence[Result]) -> list[Paragraph]:
    """Last of all, so that nothing scrolls it away."""
    remains = [(result, text) for result in results for text in result.not_undone]
    if not remains:
        return []
    lines = [paragraph(""), paragraph(Span(f"Not undone (exit code {EXIT_NOT_UNDONE}):", "bad"))]
    for _, text in remains:
        lines += [paragraph(f"  {line}", hang=4, whole=True) for line in text.splitlines() or [""]]
    return lines
