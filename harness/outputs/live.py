"""The live bars of one experiment's runs, drawn with rich on a terminal. Draws only when told to.

There is no refreshing thread: one that woke while a burst is released, or while its answers come
in, would widen the very spread and overlap that are being measured.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TextIO

from rich.console import Console as Screen
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.model.verdicts import Result
from harness.outputs.display import row_of
from harness.outputs.paragraphs import Paragraph, Span, Style, cells, wrap
from harness.outputs.progress import Progress
from harness.outputs.verdict_block import verdict_spans

BAR_CELLS = 20

RICH_STYLE: dict[Style, str] = {
    "plain": "",
    "strong": "bold",
    "faint": "dim",
    "good": "green",
    "bad": "bold red",
    "odd": "yellow",
}


def screen_on(stream: TextIO, *, width: int | None = None) -> Screen:
    """A rich console that takes text for text: no markup, no highlighting, no emoji codes."""
    return Screen(
        file=stream,
        force_terminal=True,
        width=width,
        markup=False,
        highlight=False,
        emoji=False,
    )


class Bars:
    """A display at the bottom of the terminal; what is said meanwhile appears above it.

    A terminal that is gone only ends the output, never the run.
    """

    def __init__(self, screen: Screen, *, beside: bool = False) -> None:
        """``beside``: several runs go on at a time; one that is over leaves the bars for a line above."""
        self._screen = screen
        self._beside = beside
        self._width = 8
        self._live: Live | None = None
        self._runs: dict[str, Progress] = {}
        self._verdicts: dict[str, Result] = {}
        self._gone = False

    def begin(self, experiment: Paragraph | None, progress: Progress) -> None:
        if experiment is not None or self._live is None:
            self.close()
            self._runs.clear()
            if experiment is not None:
                self.say(experiment)
            self._guarded(self._open)
        self._runs[progress.run] = progress
        self._width = max(self._width, cells(progress.label))
        self._draw()

    def changed(self, before: Progress, now: Progress) -> None:
        self._runs[now.run] = now
        if (before.phase, before.done) != (now.phase, now.done):
            self._draw()

    def say(self, line: Paragraph) -> None:
        for spans in wrap(line, self._screen.width):
            self._guarded(partial(self._screen.print, _text(spans), soft_wrap=True))

    def judged(self, result: Result) -> bool:
        if self._beside:
            self.say(row_of(result, self._runs.pop(result.run, None), width=self._width))
            self._draw()
            return True
        self._verdicts[result.run] = result
        self._draw()
        return self._live is not None and result.run in self._runs

    def close(self) -> None:
        """Leaves the last drawing on the screen."""
        if self._live is not None:
            self._guarded(self._live.stop)
            self._live = None

    def _open(self) -> None:
        self._live = Live(
            console=self._screen,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        # A runner that is killed could not bring the cursor back, and bars look no better without it.
        self._screen.show_cursor(True)

    def _draw(self) -> None:
        live = self._live
        if live is not None:
            drawn = table(list(self._runs.values()), self._verdicts)
            self._guarded(partial(live.update, drawn, refresh=True))

    def _guarded(self, draw: Callable[[], None]) -> None:
        if self._gone:
            return
        try:
            draw()
        except (OSError, ValueError):
            self._gone = True


def table(runs: Sequence[Progress], verdicts: dict[str, Result]) -> Table:
    """A row a run: label, bar, rounds done, and its phase or verdict."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_column(width=BAR_CELLS)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(overflow="fold")
    for run in runs:
        verdict = verdicts.get(run.run)
        said = (Span(run.phase, "faint"),) if verdict is None else verdict_spans(verdict)
        bar = ProgressBar(total=max(run.rounds, 1), completed=run.done, width=BAR_CELLS)
        label = Text(f"  {Span(run.label).text}  ")
        grid.add_row(
            label,
            bar,
            Text(run.count),
            Text("  ").append_text(_text(said)),
        )
    return grid


def _text(spans: Sequence[Span]) -> Text:
    text = Text()
    for span in spans:
        text.append(span.text, RICH_STYLE[span.style])
    return text
