"""What shows runs while they go on: a protocol, and the plain lines of it for pipes and CI.

The display on a terminal is live.py, imported only there. Neither knows events.
"""

from typing import Protocol

from harness.model.verdicts import Result
from harness.outputs.paragraphs import Paragraph, cells, paragraph
from harness.outputs.printer import Printer
from harness.outputs.progress import Progress
from harness.outputs.verdict_block import row


class Display(Protocol):
    """Told of the runs of one experiment after another."""

    def begin(self, experiment: Paragraph | None, progress: Progress) -> None:
        """A run begins, under the heading of another experiment if there is one."""

    def changed(self, before: Progress, now: Progress) -> None:
        """The run under way came further."""

    def say(self, line: Paragraph) -> None:
        """One more line, beside the progress."""

    def judged(self, result: Result) -> bool:
        """The verdict of a run; false when its row is no longer there to bear it."""

    def close(self) -> None:
        """Nothing more is to be shown. May come twice."""


class Lines:
    """One line when a phase begins, one with each verdict; no control characters."""

    def __init__(self, printer: Printer, *, phases: bool = True) -> None:
        """Without ``phases`` only begin and verdict are told: those of several runs would mingle."""
        self._printer = printer
        self._phases = phases
        self._width = 8
        self._now: dict[str, Progress] = {}

    def begin(self, experiment: Paragraph | None, progress: Progress) -> None:
        if experiment is not None:
            self._printer.print(experiment)
        self._now[progress.run] = progress
        self._width = max(self._width, cells(progress.label))
        if not self._phases:
            self._printer.print(paragraph(f"  {progress.label}: begun", hang=4))

    def changed(self, before: Progress, now: Progress) -> None:
        self._now[now.run] = now
        if not self._phases:
            return
        # Rounds are one phase: a line for each would hide the rest, and -v has them. How many there
        # are to be may change on the way.
        if now.stage == "rounds" and now.unit == "phase":
            # Each takes seconds and is different; those on the way to another one are no news.
            told = now.phase != before.phase and not now.phase.startswith("before-")
            phase = f"{now.phase}  {now.count}" if told else ""
        elif now.stage == "rounds":
            phase = "" if before.stage == "rounds" else _rounds(now)
        else:
            phase = "" if now.phase in (before.phase, "done") else now.phase
        if phase:
            self._printer.print(paragraph(f"  {now.label}: {phase}", hang=4))

    def say(self, line: Paragraph) -> None:
        self._printer.print(line)

    def judged(self, result: Result) -> bool:
        self._printer.print(row_of(result, self._now.get(result.run), width=self._width))
        return True

    def close(self) -> None:
        return


class Silence:
    """For a report: nothing is under way, only the end is shown."""

    def begin(self, *_: object, **__: object) -> None:
        return

    changed = say = begin

    def judged(self, *_: object, **__: object) -> bool:
        return False

    def close(self) -> None:
        return


def row_of(result: Result, progress: Progress | None, *, width: int) -> Paragraph:
    """The row of a run, under the name by which it was shown before."""
    if progress is None:
        return row(result, width=width)
    return row(result, width=width, rounds=progress.count, label=progress.label)


def _rounds(progress: Progress) -> str:
    return f"{progress.rounds} {progress.unit}" + ("" if progress.rounds == 1 else "s")
