"""What a person sees of runs: phases while they go on, verdicts when they are over. Fed with events.

On a terminal bars are redrawn in place (live.py); everywhere else there are plain lines
(display.py). The words are in verdict_block.py and narration.py; nothing is decided here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from harness.model.units import Duration
from harness.model.verdicts import Result
from harness.outputs.display import Display, Lines, Silence
from harness.outputs.narration import sentence
from harness.outputs.paragraphs import Paragraph, Span, cells, paragraph
from harness.outputs.printer import Printer
from harness.outputs.progress import Progress, label_of, step
from harness.outputs.round_line import RoundLine
from harness.outputs.suite_table import Suite, suite_block
from harness.outputs.verdict_block import block, heading, in_one_line, row

# So many runs are told in full; of more there is a table, and in full only what was not as expected.
MOST_IN_FULL = 3

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
    """Output of one command: ``handle`` the events of one run after another, then ``finish``.

    Of runs that go on at a time each has a listener of its own, from ``beside``.
    """

    def __init__(
        self,
        *,
        stream: TextIO,
        interactive: bool,
        color: bool,
        verbose: int = 0,
        width: int | None = None,
        quiet: bool = False,
        beside: bool = False,
    ) -> None:
        """``quiet`` shows only the end, for a report. ``width`` is the terminal's unless given.
        ``beside``: several runs go on at a time.

        Bars need colour to be told from their ground: without it there are plain lines.
        """
        display: Display
        interactive = interactive and color and not quiet
        if interactive:
            # Here and not above: rich takes a tenth of a second that a pipe need not wait for.
            from harness.outputs.live import Bars, screen_on

            screen = screen_on(stream, width=width)
            width = screen.width
            display = Bars(screen, beside=beside)
        printer = Printer(stream, width=width or PLAIN_WIDTH, color=color)
        if not interactive:
            display = Silence() if quiet else Lines(printer, phases=not beside or verbose > 0)
        self._printer = printer
        self._width = width or PLAIN_WIDTH
        self._display = display
        self._quiet = quiet
        self._beside = beside
        self._verbose = verbose
        self._runs: dict[str, Progress] = {}
        self._one_by_one = _Follower(self)
        self._shown: set[str] = set()
        self._headed: tuple[str, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def handle(self, event: AnyEvent) -> None:
        """Takes in the next event of the run under way; a ``RunStarted`` begins the next run."""
        self._one_by_one.handle(event)

    def beside(self) -> Callable[[AnyEvent], None]:
        """What takes in the events of one more run, while others go on."""
        return _Follower(self).handle

    def judged(self, result: Result) -> None:
        """Shows a run's verdict as soon as it is known; ``finish`` does so for those left out."""
        if self._display.judged(result):
            self._shown.add(result.run)

    def finish(
        self,
        results: Sequence[tuple[Result, Path]],
        *,
        planned: int = 0,
        took: Duration | None = None,
    ) -> None:
        """Prints the findings of all runs, their folders, and last what could not be undone.

        ``planned`` is how many runs there were to be, ``took`` how long they took together.
        """
        for result, _ in results:
            if result.run not in self._shown:
                self.judged(result)
        self.close()
        rows = [result for result, _ in results if result.run not in self._shown]
        self._print_rows(rows)
        if results:
            self._printer.print(
                paragraph(""), *self._end(results, max(planned, len(results)), took)
            )

    def _end(
        self, results: Sequence[tuple[Result, Path]], planned: int, took: Duration | None
    ) -> list[Paragraph]:
        troubles = {name: progress.troubles for name, progress in self._runs.items()}
        if planned <= MOST_IN_FULL:
            return block(results, troubles)
        suite = Suite(runs=results, planned=planned, took=took, troubles=troubles)
        return suite_block(suite, width=self._width)

    def close(self) -> None:
        """Gives the terminal back as it is. Safe to call at any time, and twice."""
        self._display.close()

    def follow(self, before: Progress, now: Progress, event: AnyEvent, line: str) -> Progress:
        """Shows how far a run has come; returns it as it is shown. ``line`` is that of its round."""
        if isinstance(event, RunStarted):
            now = self._begin(now)
        elif now is not before:
            self._display.changed(before, now)
        self._runs[now.run] = now
        self._tell(before, now, event, line)
        return now

    @property
    def verbose(self) -> int:
        return self._verbose

    def _begin(self, progress: Progress) -> Progress:
        above = None
        if self._beside:
            name = (progress.experiment, progress.label)
            progress = replace(progress, label=" ".join(dict.fromkeys(name)))
        elif not self._quiet:
            above = self._heading(progress.experiment, progress.title, progress.seed)
        if not self._quiet:
            self._display.begin(above, progress)
        return progress

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

    def _tell(self, before: Progress, now: Progress, event: AnyEvent, line: str) -> None:
        """What goes wrong at once, with ``-v`` a line a round, with ``-vv`` every event of note."""
        new = () if isinstance(event, RunStarted) else now.troubles[len(before.troubles) :]
        for trouble in new:
            said = Span(in_one_line(trouble), "odd")
            self._display.say(paragraph(f"  {now.label}: ", said, hang=4))
        # Of runs elsewhere no request is told, and so nothing of a round that would be worth a line.
        if self._verbose and not self._beside and isinstance(event, RoundFinished):
            self._display.say(paragraph(f"  {now.label}: {line}", hang=4))
        words = sentence(event) if self._verbose > 1 else ""
        if words:
            self._display.say(paragraph(Span(f"  {now.label}: {words}", "faint"), hang=4))


class _Follower:
    """One run at a time, told to the console; a ``RunStarted`` begins the next."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._round = RoundLine()
        self._now = Progress()

    def handle(self, event: AnyEvent) -> None:
        if isinstance(event, RunStarted):
            self._round = RoundLine()
        if self._console.verbose:
            self._round.feed(event)
        if isinstance(event, _IN_FLIGHT):
            return
        line = self._round.text() if isinstance(event, RoundFinished) else ""
        self._now = self._console.follow(self._now, step(self._now, event), event, line)
