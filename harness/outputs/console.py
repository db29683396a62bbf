"""What a person sees of runs: phases while they go on, verdicts when they are over. Fed with events.

On a terminal bars are redrawn in place (live.py); everywhere else there are plain lines
(display.py). The words are in verdict_block.py and narration.py; nothing is decided here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self, TextIO

from harness.model.events import (
    AnyEvent,
    BurstReleased,
    BurstWritten,
    HopRequestArrived,
    HopRequestEnded,
    OperationReturned,
    OperationSent,
    ProbeRead,
    RoundFinished,
    RunStarted,
)
from harness.model.verdicts import Result
from harness.outputs.display import Display, Lines, Silence
from harness.outputs.narration import sentence
from harness.outputs.paragraphs import Paragraph, Span, cells, paragraph
from harness.outputs.printer import Printer
from harness.outputs.progress import Progress, label_of, step
from harness.outputs.round_line import RoundLine
from harness.outputs.verdict_block import block, heading, in_one_line, row

# Wide enough that the usual sentences keep to one line of a log, narrow enough to be read.
PLAIN_WIDTH = 120

# These come by the hundred while requests are in flight: nothing is drawn at one of them.
_IN_FLIGHT = (
    OperationSent,
    OperationReturned,
    HopRequestArrived,
    HopRequestEnded,
    ProbeRead,
    BurstWritten,
    BurstReleased,
)


def abilities(stream: TextIO, env: Mapping[str, str], *, no_color: bool) -> tuple[bool, bool]:
    """(interactive, color) for a stream: neither when piped, in CI, or when colour is unwanted."""
    unwanted = no_color or bool(env.get("NO_COLOR")) or env.get("TERM", "") in ("", "dumb")
    in_ci = env.get("CI", "").lower() not in ("", "0", "false")
    utf8 = (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"
    able = stream.isatty() and utf8 and not unwanted and not in_ci
    return able, able


class Console:
    """Output of one command: ``handle`` the events of one run after another, then ``finish``."""

    def __init__(
        self,
        *,
        stream: TextIO,
        interactive: bool,
        color: bool,
        verbose: int = 0,
        width: int | None = None,
        quiet: bool = False,
    ) -> None:
        """``quiet`` shows only the end, for a report. ``width`` is the terminal's unless given.

        Bars need colour to be told from their ground: without it there are plain lines.
        """
        display: Display
        interactive = interactive and color and not quiet
        if interactive:
            # Here and not above: rich takes a tenth of a second that a pipe need not wait for.
            from harness.outputs.live import Bars, screen_on

            screen = screen_on(stream, width=width)
            width = screen.width
            display = Bars(screen)
        printer = Printer(stream, width=width or PLAIN_WIDTH, color=color)
        if not interactive:
            display = Silence() if quiet else Lines(printer)
        self._printer = printer
        self._display = display
        self._quiet = quiet
        self._verbose = verbose
        self._round = RoundLine()
        self._runs: dict[str, Progress] = {}
        self._now = Progress()
        self._shown: set[str] = set()
        self._headed: tuple[str, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def handle(self, event: AnyEvent) -> None:
        """Takes in the next event of the run under way; a ``RunStarted`` begins the next run."""
        if self._verbose:
            self._round.feed(event)
        if isinstance(event, _IN_FLIGHT):
            return
        before, self._now = self._now, step(self._now, event)
        if isinstance(event, RunStarted):
            self._begin(self._now)
        elif self._now is not before:
            self._display.changed(before, self._now)
        self._runs[self._now.run] = self._now
        self._tell(before, event)

    def judged(self, result: Result) -> None:
        """Shows a run's verdict as soon as it is known; ``finish`` does so for those left out."""
        if self._display.judged(result):
            self._shown.add(result.run)

    def finish(self, results: Sequence[tuple[Result, Path]]) -> None:
        """Prints the findings of all runs, their folders, and last what could not be undone."""
        for result, _ in results:
            if result.run not in self._shown:
                self.judged(result)
        self.close()
        rows = [result for result, _ in results if result.run not in self._shown]
        self._print_rows(rows)
        if results:
            troubles = {name: progress.troubles for name, progress in self._runs.items()}
            self._printer.print(paragraph(""), *block(results, troubles))

    def close(self) -> None:
        """Gives the terminal back as it is. Safe to call at any time, and twice."""
        self._display.close()

    def _begin(self, progress: Progress) -> None:
        self._round = RoundLine()
        if not self._quiet:
            above = self._heading(progress.experiment, progress.title, progress.seed)
            self._display.begin(above, progress)

    def _heading(self, experiment: str, title: str, seed: int) -> Paragraph | None:
        """The line above an experiment's runs; None when it stands there already."""
        if (experiment, seed) == self._headed:
            return None
        self._headed = (experiment, seed)
        return heading(experiment, title, seed)

    def _print_rows(self, results: Sequence[Result]) -> None:
        width = max((cells(label_of(r.variant, r.experiment)) for r in results), default=0)
        for result in results:
            above = self._heading(result.experiment, result.title, result.seed)
            progress = self._runs.get(result.run)
            line = row(result, width=width, rounds=None if progress is None else progress.count)
            self._printer.print(*([] if above is None else [above]), line)

    def _tell(self, before: Progress, event: AnyEvent) -> None:
        """What goes wrong at once, with ``-v`` a line a round, with ``-vv`` every event of note."""
        label = self._now.label
        new = () if isinstance(event, RunStarted) else self._now.troubles[len(before.troubles) :]
        for trouble in new:
            said = Span(in_one_line(trouble), "odd")
            self._display.say(paragraph(f"  {label}: ", said, hang=4))
        if self._verbose and isinstance(event, RoundFinished):
            self._display.say(paragraph(f"  {label}: {self._round.text()}", hang=4))
        words = sentence(event) if self._verbose > 1 else ""
        if words:
            self._display.say(paragraph(Span(f"  {label}: {words}", "faint"), hang=4))
