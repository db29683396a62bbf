"""Results as paragraphs: the row of each run, its findings in words, and what remains to be undone.

A pure function of results and of what went wrong on the way; nothing here decides a verdict.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.model.units import Duration
from harness.model.verdicts import (
    EXIT_NOT_UNDONE,
    BurstFinding,
    InvariantFinding,
    Result,
    Verdict,
)
from harness.outputs.breaker_block import breaker_paragraphs
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


def row(
    result: Result, *, width: int, rounds: str | None = None, label: str | None = None
) -> Paragraph:
    """One line a run, for output without a bar; ``rounds`` as ``3/20``, where that is known."""
    count = f"{result.rounds} rounds" if rounds is None else rounds
    said = verdict_spans(result)
    name = _label(result) if label is None else label
    return paragraph(f"  {padded(name, width)}  {count}   ", *said, hang=width + 4)


def block(
    runs: Sequence[tuple[Result, Path]], troubles: Mapping[str, tuple[Trouble, ...]]
) -> list[Paragraph]:
    """What is printed when all runs are over: findings, files, and last what must be undone by hand."""
    width = max(label_width([_label(result) for result, _ in runs]), len("files")) + 2
    lines: list[Paragraph] = []
    for result, _ in runs:
        said = findings(result, troubles.get(result.run, ()))
        lines += _labelled(_label(result), said, width)
    lines += _labelled("files", _folders([folder for _, folder in runs]), width)
    lines += not_undone([result for result, _ in runs])
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


def findings(result: Result, troubles: tuple[Trouble, ...]) -> list[Paragraph]:
    """What is said of one run, without its label."""
    lines = [*_surprise(result), *_said_first(result, troubles)]
    if result.steady_state.before == "not held":
        # Nothing was injected or sent: of all that follows there is nothing to tell.
        return lines
    for finding in sorted(result.invariants, key=lambda each: _FIRST.index(each.verdict)):
        if not _told(finding, result):
            lines += _invariant(finding)
    lines += _steady_state(result)
    if result.verdict in _JUDGED:
        lines += _tested_with(result)
    lines += [paragraph(Span("note     ", "faint"), text, hang=9) for text in result.notes]
    if result.breaker is not None:
        lines += breaker_paragraphs(result.breaker)
    return lines


# What is broken before what is not; otherwise the order of the experiment.
_FIRST = ("violated", "error", "inconclusive", "held")
_JUDGED = (Verdict.HELD.value, Verdict.VIOLATED.value, Verdict.INCONCLUSIVE.value)


def _told(finding: InvariantFinding, result: Result) -> bool:
    """True where the line of the run has said it already, or where it says nothing of a run cut short."""
    match finding.verdict:
        case "held":
            # A run that broke off shows nothing by what held until then.
            in_power = bool(finding.summary) and finding.summary in result.power
            return in_power or result.verdict not in _JUDGED
        case "inconclusive":
            if result.verdict not in _JUDGED:
                return True
            said = [text for text in result.missing if text]
            return any(t in finding.summary or finding.summary in t for t in said)
        case "error":
            return finding.summary in result.reason
        case "violated":
            return False


def _surprise(result: Result) -> list[Paragraph]:
    wanted = unexpected(result)
    return [paragraph(Span(f"{result.verdict}, but {wanted}", "bad"))] if wanted else []


def _said_first(result: Result, troubles: tuple[Trouble, ...]) -> list[Paragraph]:
    """The sentence of the whole run: its power, or why there is no verdict, with what went wrong."""
    told = [trouble for trouble in troubles if _name(trouble.told_by) != result.verdict]
    if result.verdict == Verdict.HELD.value:
        return [paragraph(*_emphasised(result.power or result.reason, "held", "good"))]
    if result.verdict == Verdict.VIOLATED.value:
        return [line for trouble in told for line in _trouble(trouble)]
    if result.verdict == Verdict.INCONCLUSIVE.value:
        said = _missing(result)
    else:
        said = _reason(result)
    return said + [line for trouble in told for line in _trouble(trouble, already=result.reason)]


def _name(verdict: Verdict | None) -> str:
    return "" if verdict is None else verdict.value


def _missing(result: Result) -> list[Paragraph]:
    """Each sentence that says what was missing, one below the other."""
    verdict = Span("inconclusive", "odd")
    sentences = result.missing or (result.reason,)
    lines = [paragraph(verdict, f": {sentences[0]}", hang=2)]
    return lines + [paragraph(Span("missing  ", "odd"), text, hang=9) for text in sentences[1:]]


def _reason(result: Result) -> list[Paragraph]:
    """The verdict and why; a target's own lines quoted."""
    first, *rest = result.reason.splitlines() or [""]
    style = _STYLE_OF_VERDICT.get(result.verdict, "bad")
    lines = [paragraph(*_emphasised(first, result.verdict, style), hang=2)]
    if result.verdict == Verdict.REFUSED.value:
        return lines + [paragraph(line, hang=2) for line in rest]
    return lines + _quoted(rest)


def _emphasised(sentence: str, word: str, style: Style) -> tuple[Span, ...]:
    if not sentence.startswith(word):
        return (Span(word, style), Span(f": {sentence}" if sentence else ""))
    return (Span(word, style), Span(sentence.removeprefix(word)))


def in_one_line(trouble: Trouble) -> str:
    """Whose it was and the first of its own words."""
    first = trouble.detail.strip("\n").partition("\n")[0]
    return _shortened(": ".join(part for part in (trouble.what, first) if part))


def _trouble(trouble: Trouble, already: str = "") -> list[Paragraph]:
    """What went wrong, in its own words, without what ``already`` says."""
    first, *rest = trouble.detail.strip("\n").splitlines() or [""]
    known = trouble.what in already and first in already
    lines = [] if known else [paragraph(in_one_line(trouble))]
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


def _invariant(finding: InvariantFinding) -> list[Paragraph]:
    """An invariant's line, and its counterexample."""
    said = _emphasised(finding.summary, finding.verdict, _STYLE_OF_VERDICT[finding.verdict])
    title = finding.evidence.get("title", "")
    lines = [paragraph(f"{finding.name} {title}".rstrip() + "  ", *said, hang=2)]
    if finding.counterexample is not None and finding.counterexample.summary not in finding.summary:
        lines.append(paragraph(_shortened(finding.counterexample.summary), hang=2))
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
    released = ""
    if burst.spread_ms_p50 is not None:
        # Two digits: the third changes from run to run.
        spread = Duration.of_ms(float(f"{burst.spread_ms_p50:.2g}"))
        released = f", released within {spread}"
    return together + (f" ({hops})" if hops else "") + released


def _folders(folders: Sequence[Path]) -> list[Paragraph]:
    return [paragraph(f"{folder}/", whole=True) for folder in folders]


def not_undone(results: Sequence[Result]) -> list[Paragraph]:
    """Last of all, so that nothing scrolls it away."""
    remains = [(result, text) for result in results for text in result.not_undone]
    if not remains:
        return []
    lines = [paragraph(""), paragraph(Span(f"Not undone (exit code {EXIT_NOT_UNDONE}):", "bad"))]
    for _, text in remains:
        lines += [paragraph(f"  {line}", hang=4, whole=True) for line in text.splitlines() or [""]]
    return lines
