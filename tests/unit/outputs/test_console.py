"""The whole of what a person sees, from events to the last line."""

import io
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from harness.model.events import (
    AnyEvent,
    Interrupted,
    ProcessEnded,
    ProcessIntended,
    ProcessStarted,
    RunFinished,
    ServiceReady,
    TargetFailed,
)
from harness.model.units import Duration
from harness.model.verdicts import Result
from harness.outputs.console import Console, abilities
from tests.support.journals import a_plan, a_round, a_run, numbered
from tests.support.results import a_result, a_violation
from tests.support.strategies import events as any_events


def with_service(events: list[AnyEvent]) -> list[AnyEvent]:
    """The run with what a service adds to its journal."""
    started, *course, finished = events
    return [
        started,
        ProcessIntended(name="app", argv=("uvicorn", "bank.app:app")),
        ProcessStarted(name="app", pid=7, pgid=7, created=1.0),
        ServiceReady(name="app", address="127.0.0.1:3", after=Duration.of_ms(300)),
        *course,
        ProcessEnded(name="app", pid=7, exit_code=0, expected=True),
        finished,
    ]


def of_variant(variant: str, rounds: int = 2) -> list[AnyEvent]:
    started, *rest = a_run(rounds, plan=a_plan(rounds=rounds, variant=variant))
    run = f"2026-11-25T10-12-31-bank-overdraft-{variant}"
    return with_service([msgspec.structs.replace(started, run=run), *rest])


NAIVE = a_violation(rounds=2, title=a_plan().title)
ATOMIC = a_result(rounds=2, title=a_plan().title)


def shown(
    runs: Sequence[tuple[list[AnyEvent], Result]],
    *,
    verbose: int = 0,
    quiet: bool = False,
    early: bool = True,
) -> str:
    stream = io.StringIO()
    console = Console(stream=stream, interactive=False, color=False, verbose=verbose, quiet=quiet)
    for events, result in runs:
        for event in events:
            console.handle(event)
        if early:
            console.judged(result)
    console.finish([(result, Path("runs") / result.run) for _, result in runs])
    return stream.getvalue()


def test_console_when_a_suite_is_piped_then_it_is_plain_lines(snapshot: SnapshotAssertion) -> None:
    text = shown([(of_variant("naive"), NAIVE), (of_variant("atomic"), ATOMIC)])
    assert "\x1b" not in text
    assert "\r" not in text
    assert text == snapshot


def test_console_when_verbose_then_each_round_has_a_line(snapshot: SnapshotAssertion) -> None:
    assert shown([(of_variant("atomic"), ATOMIC)], verbose=1) == snapshot


def test_console_when_very_verbose_then_processes_and_hops_are_told(
    snapshot: SnapshotAssertion,
) -> None:
    assert shown([(of_variant("atomic", 1), ATOMIC)], verbose=2) == snapshot


def test_console_when_quiet_as_in_a_report_then_only_the_end_is_shown(
    snapshot: SnapshotAssertion,
) -> None:
    text = shown([(of_variant("naive"), NAIVE)], quiet=True)
    assert text == snapshot
    assert text.splitlines()[1] == "  naive  2/2   violated   as expected"


def test_console_when_verdicts_come_only_at_the_end_then_each_run_has_its_row_all_the_same() -> (
    None
):
    text = shown([(of_variant("naive"), NAIVE), (of_variant("atomic"), ATOMIC)], early=False)
    assert text.count("2/2   violated   as expected") == 1
    assert text.count("2/2   held       as expected") == 1


def test_console_when_a_service_dies_then_it_is_told_at_once_and_in_the_end(
    snapshot: SnapshotAssertion,
) -> None:
    started, *_ = a_run(0)
    died = TargetFailed(
        what="service app",
        detail="exit code 3 before it was ready; its last lines:\nImportError: \x1b[31masyncpg",
        hint="Its whole log is runs/x/app.log.",
    )
    result = a_result(
        verdict="error",
        exit_code=5,
        as_expected=False,
        reason="service app: exit code 3 before it was ready; its last lines:",
        power="",
        invariants=(),
        bursts=(),
        faults=(),
        missing=("the run did not finish",),
    )
    text = shown([([started, died, RunFinished()], result)])
    assert text.count("service app") == 2
    assert text == snapshot


def test_console_when_interrupted_then_it_says_so_before_the_rollback_ends() -> None:
    stream = io.StringIO()
    console = Console(stream=stream, interactive=False, color=False)
    started, *_ = a_run(1)
    console.handle(started)
    console.handle(Interrupted(signal="SIGINT", during="round 1"))
    assert (
        stream.getvalue().splitlines()[-1]
        == "  atomic: SIGINT arrived during round 1, rolling back"
    )


def test_console_when_requests_are_in_flight_then_nothing_is_written() -> None:
    """Whatever is drawn between release and last answer would count into the overlap."""
    stream = io.StringIO()
    console = Console(stream=stream, interactive=True, color=True, verbose=2, width=80)
    course = a_round(1)
    first = next(i for i, event in enumerate(course) if type(event).__name__ == "BurstWritten")
    last = max(i for i, event in enumerate(course) if type(event).__name__ == "OperationReturned")
    for event in [*a_run(0)[:1], *course[:first]]:
        console.handle(event)
    before = stream.getvalue()
    for event in course[first : last + 1]:
        console.handle(event)
    assert stream.getvalue() == before
    console.close()


def test_console_when_on_a_terminal_then_the_bar_bears_the_verdict_and_the_block_follows() -> None:
    stream = io.StringIO()
    with Console(stream=stream, interactive=True, color=True, width=80) as console:
        for event in of_variant("atomic"):
            console.handle(event)
        console.judged(ATOMIC)
        console.finish([(ATOMIC, Path("runs/x"))])
    text = stream.getvalue()
    assert "━━━━" in text
    assert "as expected" in text
    assert text.rstrip().endswith("runs/x/")


def test_console_when_two_experiments_follow_each_other_then_each_has_its_heading() -> None:
    stream = io.StringIO()
    console = Console(stream=stream, interactive=False, color=False)
    started, *_ = a_run(0)
    other = msgspec.structs.replace(started.plan, experiment="shop-stock")
    for event in (started, started, msgspec.structs.replace(started, plan=other)):
        console.handle(event)
    headings = [line for line in stream.getvalue().splitlines() if "seed" in line]
    assert [line.split(" · ")[0] for line in headings] == ["bank-overdraft", "shop-stock"]


@given(st.lists(any_events, max_size=6), st.booleans())
def test_console_when_given_any_events_then_it_neither_fails_nor_lets_a_control_through(
    events: list[AnyEvent], interactive: bool
) -> None:
    stream = io.StringIO()
    console = Console(
        stream=stream, interactive=interactive, color=interactive, verbose=2, width=80
    )
    for event in events:
        console.handle(event)
    console.finish([])
    if not interactive:
        assert not {"\x1b", "\r", "\x07", "\x9b"} & set(stream.getvalue())


def test_console_when_colour_is_unwanted_on_a_terminal_then_it_is_plain_lines() -> None:
    stream = io.StringIO()
    console = Console(stream=stream, interactive=True, color=False)
    for event in of_variant("atomic"):
        console.handle(event)
    console.finish([(ATOMIC, Path("runs/x"))])
    assert "\x1b" not in stream.getvalue()
    assert "  atomic: steady state\n" in stream.getvalue()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("env", "no_color", "able"),
    [
        pytest.param({"TERM": "xterm"}, False, True, id="terminal"),
        pytest.param({"TERM": "xterm", "CI": "true"}, False, False, id="ci"),
        pytest.param({"TERM": "xterm", "CI": "false"}, False, True, id="ci-is-false"),
        pytest.param({"TERM": "xterm", "NO_COLOR": "1"}, False, False, id="no-color-variable"),
        pytest.param({"TERM": "xterm", "NO_COLOR": ""}, False, True, id="no-color-empty"),
        pytest.param({"TERM": "xterm"}, True, False, id="no-color-option"),
        pytest.param({"TERM": "dumb"}, False, False, id="dumb"),
        pytest.param({}, False, False, id="no-term"),
    ],
)
def test_abilities_when_the_environment_forbids_then_neither_bars_nor_colour(
    env: dict[str, str], no_color: bool, able: bool
) -> None:
    assert abilities(Terminal(), env, no_color=no_color) == (able, able)


def test_abilities_when_piped_or_not_utf8_then_neither_bars_nor_colour() -> None:
    ascii_terminal = Terminal()
    ascii_terminal.encoding = "ANSI_X3.4-1968"
    assert abilities(io.StringIO(), {"TERM": "xterm"}, no_color=False) == (False, False)
    assert abilities(ascii_terminal, {"TERM": "xterm"}, no_color=False) == (False, False)


def test_console_when_fed_from_a_list_numbered_as_a_file_then_shows_the_same() -> None:
    events = of_variant("atomic")
    assert shown([(events, ATOMIC)]) == shown([(numbered(events), ATOMIC)])


def a_suite() -> list[tuple[list[AnyEvent], Result]]:
    """Four runs of two experiments, each with events of its own."""
    found = []
    for experiment in ("bank-overdraft", "bank-again"):
        for result in (NAIVE, ATOMIC):
            started, *rest = of_variant(result.variant or "")
            run = f"{experiment}-{result.variant}"
            plan = msgspec.structs.replace(started.plan, experiment=experiment)
            begun = msgspec.structs.replace(started, run=run, plan=plan)
            told = msgspec.structs.replace(result, run=run, experiment=experiment, run_ms=9_000.0)
            found.append(([begun, *rest], told))
    return found


def test_console_when_there_are_more_than_three_runs_then_a_table_stands_for_what_is_as_expected(
    snapshot: SnapshotAssertion,
) -> None:
    text = shown(a_suite())
    assert "tested with" not in text
    assert "4 of 4 as expected" in text
    assert text == snapshot


def side_by_side(*, interactive: bool = False, verbose: int = 0) -> str:
    """A suite whose runs all begin before any of them ends."""
    stream = io.StringIO()
    console = Console(
        stream=stream,
        interactive=interactive,
        color=interactive,
        verbose=verbose,
        width=100,
        beside=True,
    )
    listeners = [(console.beside(), events, result) for events, result in a_suite()]
    for events in zip(*(events for _, events, _ in listeners), strict=True):
        for (listener, _, _), event in zip(listeners, events, strict=True):
            listener(event)
    for _, _, result in listeners:
        console.judged(result)
    results = [(result, Path("runs") / result.run) for _, _, result in listeners]
    console.finish(results, planned=4, took=Duration.of_s(20))
    return stream.getvalue()


def test_console_when_runs_go_on_at_a_time_then_each_line_says_of_which_it_is(
    snapshot: SnapshotAssertion,
) -> None:
    text = side_by_side()
    assert "seed" not in text.partition("experiment ")[0], "a heading above mingled lines"
    assert text.count("begun") == 4
    assert text == snapshot


def test_console_when_runs_go_on_at_a_time_and_verbose_then_their_phases_are_told() -> None:
    text = side_by_side(verbose=1)
    assert "  bank-again atomic: steady state\n" in text
    assert "in flight together" not in text.partition("experiment ")[0]


def test_console_when_runs_go_on_at_a_time_on_a_terminal_then_those_that_are_over_leave_the_bars(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    text = side_by_side(interactive=True)
    *_, last = text.partition("━")
    assert "bank-again atomic" in last
    assert text.count("as expected") == 5, "a row for each, and the sum"
