"""The bars as a terminal gets them: drawn in place, text from outside as text."""

import io
import threading

import pytest
from rich.console import Console as Screen

from harness.outputs.live import Bars, screen_on, table
from harness.outputs.paragraphs import paragraph
from harness.outputs.progress import Progress
from harness.outputs.verdict_block import heading
from tests.support.results import a_result, a_violation

NAIVE = Progress(run=a_violation().run, label="naive", rounds=20, done=20, phase="done")
ATOMIC = Progress(run=a_result().run, label="atomic", rounds=20, done=3, phase="round 4")


@pytest.fixture(autouse=True)
def _capable_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """rich asks the environment, and CI's own terminal may be a dumb one or none."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def drawn(*runs: Progress, verdicts: dict[str, object] | None = None) -> list[str]:
    stream = io.StringIO()
    Screen(file=stream, width=80, color_system=None).print(table(runs, verdicts or {}))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_table_when_one_run_is_judged_and_one_under_way_then_the_columns_stand_in_line() -> None:
    assert drawn(NAIVE, ATOMIC, verdicts={NAIVE.run: a_violation()}) == [
        "  naive    ━━━━━━━━━━━━━━━━━━━━ 20/20   violated   as expected",
        "  atomic   ━━━                   3/20   round 4",
    ]


def test_table_when_a_label_speaks_markup_then_it_is_text() -> None:
    evil = Progress(run="r", label="[bold]x[/]", rounds=1, phase="waiting for \x1b[2J:boom:")
    (line,) = drawn(evil)
    assert "[bold]x[/]" in line
    assert "waiting for \\x1b[2J:boom:" in line


def test_draw_when_a_run_goes_on_then_the_row_is_drawn_again_in_place() -> None:
    stream = io.StringIO()
    bars = Bars(screen_on(stream, width=80))
    bars.begin(heading("bank", "", 7), ATOMIC)
    before = stream.getvalue()
    bars.changed(
        ATOMIC, Progress(run=ATOMIC.run, label="atomic", rounds=20, done=4, phase="round 5")
    )
    assert "\x1b[2K" in stream.getvalue().removeprefix(before), "the old row was not erased"
    assert bars.judged(a_result())
    bars.close()
    bars.close()
    assert "\x1b[32mheld    \x1b[0m   as expected" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[?25h"), "the cursor was left hidden"


def test_begin_when_bars_are_open_then_the_cursor_shows_and_no_thread_draws_behind_our_back() -> (
    None
):
    """A thread would wake during a burst; a cursor hidden now would stay so after kill -9."""
    stream = io.StringIO()
    before = set(threading.enumerate())
    bars = Bars(screen_on(stream, width=80))
    bars.begin(None, ATOMIC)
    assert set(threading.enumerate()) <= before
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")
    bars.close()


def test_changed_when_nothing_visible_changed_then_nothing_is_drawn() -> None:
    stream = io.StringIO()
    bars = Bars(screen_on(stream, width=80))
    bars.begin(None, ATOMIC)
    before = stream.getvalue()
    bars.changed(ATOMIC, ATOMIC)
    assert stream.getvalue() == before
    bars.close()


def test_judged_when_the_bars_of_its_experiment_are_gone_then_it_says_so() -> None:
    bars = Bars(screen_on(io.StringIO(), width=80))
    bars.begin(heading("bank", "", 7), ATOMIC)
    bars.begin(heading("shop", "", 7), NAIVE)
    assert not bars.judged(a_result())
    bars.close()
    assert not bars.judged(a_violation())


def test_bars_when_the_terminal_is_gone_then_nothing_is_raised() -> None:
    bars = Bars(screen_on(Gone(), width=80))
    bars.begin(heading("bank", "", 7), ATOMIC)
    bars.say(paragraph("something went wrong"))
    bars.judged(a_result())
    bars.close()


def test_judged_when_several_runs_go_on_then_its_row_moves_above_the_bars() -> None:
    stream = io.StringIO()
    bars = Bars(screen_on(stream, width=80), beside=True)
    bars.begin(None, NAIVE)
    bars.begin(None, ATOMIC)
    assert bars.judged(a_violation())
    before = stream.getvalue()
    bars.changed(ATOMIC, Progress(run=ATOMIC.run, label="atomic", rounds=20, done=4, phase="x"))
    assert "naive" not in stream.getvalue().removeprefix(before)
    assert "naive" in before.rpartition("as expected")[0].rpartition("\n")[2]
    bars.close()
