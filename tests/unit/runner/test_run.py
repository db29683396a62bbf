"""Failures on the way become the events that say whose they are."""

import asyncio
import contextlib

import msgspec
import pytest

from harness.journal.writer import Journal, JournalLost
from harness.model.errors import HarnessBug, TargetError, UserError
from harness.model.events import (
    AnyEvent,
    HarnessFailed,
    Interrupted,
    LimitReached,
    RunStarted,
    SetupRefused,
    TargetFailed,
)
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.runner.run import Run, RunOptions
from harness.runner.stop import StopSignals
from tests.support.journals import a_plan


async def executed(run: Run) -> None:
    with StopSignals() as stop:
        await run.execute(stop)


def driven(tmp_path, monkeypatch, failure: BaseException, plan: Plan | None = None):
    """The events of a run whose drive raises ``failure`` before it started anything."""
    events: list[AnyEvent] = []

    async def drive(_self: Run) -> None:
        if isinstance(failure, TimeoutError):
            await asyncio.Event().wait()
        raise failure

    monkeypatch.setattr(Run, "_drive", drive)
    journal = Journal(tmp_path / "journal.jsonl", subscribers=[events.append])
    options = RunOptions(run_id="r", mark="r-1", folder=tmp_path, environment={})
    try:
        asyncio.run(executed(Run(plan or a_plan(), journal, options)))
    finally:
        journal.close()
    return events[1:-1]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        pytest.param(UserError("port taken"), SetupRefused, id="theirs"),
        pytest.param(TargetError("service app", "died"), TargetFailed, id="the-targets"),
        pytest.param(HarnessBug("broken promise"), HarnessFailed, id="ours"),
        pytest.param(KeyError("x"), HarnessFailed, id="unforeseen"),
        pytest.param(asyncio.CancelledError(), Interrupted, id="cancelled"),
        pytest.param(
            ExceptionGroup("tasks", [TargetError("probe balance", "no row")]),
            TargetFailed,
            id="in-a-group",
        ),
    ],
)
def test_execute_when_something_fails_then_one_event_says_whose_it_is(
    tmp_path, monkeypatch, failure, kind
):
    (event,) = driven(tmp_path, monkeypatch, failure)
    assert isinstance(event, kind)


def test_execute_when_a_promise_of_ours_is_broken_then_the_last_line_is_its_words_alone(
    tmp_path, monkeypatch
):
    (event,) = driven(tmp_path, monkeypatch, HarnessBug("The guardian ended by itself."))
    first, *_, last = event.detail.splitlines()
    assert first.startswith("Traceback")
    assert last == "The guardian ended by itself."


def test_execute_when_two_tasks_fail_then_both_are_told(tmp_path, monkeypatch):
    group = ExceptionGroup("tasks", [TargetError("a", "1"), TargetError("b", "2")])
    events = driven(tmp_path, monkeypatch, group)
    assert [e.what for e in events] == ["a", "b"]


def test_execute_when_the_time_limit_is_reached_then_it_says_during_what(tmp_path, monkeypatch):
    plan = msgspec.structs.replace(a_plan(), time_limit=Duration.of_ms(20))
    (event,) = driven(tmp_path, monkeypatch, TimeoutError(), plan)
    assert isinstance(event, LimitReached)
    assert event.during == "start"


def test_execute_when_what_it_awaits_eats_the_time_limit_then_ends_at_the_next_step(
    tmp_path, monkeypatch
):
    async def steps():
        with contextlib.suppress(asyncio.CancelledError):
            yield "round 1"
            await asyncio.Event().wait()
        for number in range(2, 10):
            yield f"round {number}"
        raise AssertionError("went on for all its rounds")

    async def drive(run: Run) -> None:
        await run._follow(steps())

    monkeypatch.setattr(Run, "_drive", drive)
    events: list[AnyEvent] = []
    plan = msgspec.structs.replace(a_plan(), time_limit=Duration.of_ms(10))
    journal = Journal(tmp_path / "journal.jsonl", subscribers=[events.append])
    options = RunOptions(run_id="r", mark="r-1", folder=tmp_path, environment={})
    try:
        asyncio.run(executed(Run(plan, journal, options)))
    finally:
        journal.close()
    assert isinstance(events[1], LimitReached)
    assert events[1].during == "round 2"


def test_execute_when_the_journal_is_lost_then_it_gets_out(tmp_path, monkeypatch):
    lost = JournalLost(tmp_path / "journal.jsonl", OSError(28, "No space left on device"))
    with pytest.raises(JournalLost, match="No space left"):
        driven(tmp_path, monkeypatch, lost)


def test_execute_when_it_begins_then_the_first_event_holds_the_plan(tmp_path, monkeypatch):
    first: list[AnyEvent] = []

    async def drive(_self: Run) -> None:
        return

    monkeypatch.setattr(Run, "_drive", drive)
    with Journal(tmp_path / "journal.jsonl", subscribers=[first.append]) as journal:
        options = RunOptions(run_id="r", mark="r-1", folder=tmp_path, environment={"python": "3"})
        asyncio.run(executed(Run(a_plan(), journal, options)))
    assert isinstance(first[0], RunStarted)
    assert first[0].plan == a_plan()
