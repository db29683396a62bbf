"""Plain lines: one when a phase begins, one with each verdict."""

import io
from dataclasses import replace

from harness.outputs.display import Display, Lines, Silence
from harness.outputs.printer import Printer
from harness.outputs.progress import Progress
from harness.outputs.verdict_block import heading
from tests.support.results import a_result

RUN = Progress(run=a_result().run, label="atomic", rounds=20)


def lines_on(stream: io.StringIO) -> Display:
    return Lines(Printer(stream, width=80, color=False))


def test_changed_when_rounds_go_by_then_there_is_one_line_for_all_of_them() -> None:
    stream = io.StringIO()
    display = lines_on(stream)
    before = RUN
    for done in range(20):
        now = Progress(
            run=RUN.run, label="atomic", rounds=20, done=done, stage="rounds", phase=f"round {done}"
        )
        display.changed(before, now)
        before = now
    assert stream.getvalue() == "  atomic: 20 rounds\n"


def test_changed_when_only_one_round_then_it_is_not_called_rounds() -> None:
    stream = io.StringIO()
    now = Progress(label="atomic", rounds=1, stage="rounds", phase="round 1")
    lines_on(stream).changed(RUN, now)
    assert stream.getvalue() == "  atomic: 1 round\n"


def test_judged_when_a_run_stopped_early_then_its_row_counts_the_rounds_that_were_done() -> None:
    stream = io.StringIO()
    display = lines_on(stream)
    display.begin(heading("bank", "", 7), RUN)
    now = Progress(run=RUN.run, label="atomic", rounds=20, done=3, stage="done", phase="done")
    display.changed(RUN, now)
    assert display.judged(a_result(verdict="aborted", as_expected=False))
    display.close()
    assert stream.getvalue() == "bank      seed 7\n  atomic     3/20   aborted\n"


def test_silence_when_told_anything_then_shows_nothing_and_no_row() -> None:
    display: Display = Silence()
    display.begin(None, RUN)
    display.changed(RUN, RUN)
    display.say(heading("bank", "", 7))
    assert not display.judged(a_result())
    display.close()


def test_lines_when_phases_would_mingle_then_only_begin_and_verdict_are_told() -> None:
    stream = io.StringIO()
    lines = Lines(Printer(stream, width=120, color=False), phases=False)
    begun = Progress(run=a_result().run, label="bank atomic", rounds=20)
    lines.begin(None, begun)
    lines.changed(begun, replace(begun, phase="waiting for app", done=7))
    lines.judged(a_result())
    assert stream.getvalue().splitlines() == [
        "  bank atomic: begun",
        "  bank atomic   7/20   held       as expected",
    ]
