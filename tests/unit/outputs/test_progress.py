"""The progress is a fold: the same events, the same phases, live or from a file."""

from dataclasses import replace

import pytest

from harness.model.events import (
    AnyEvent,
    ContainerIntended,
    ContainerRemoved,
    ContainerStarted,
    FaultNotUndone,
    HarnessFailed,
    HopOpened,
    Interrupted,
    LimitReached,
    PhaseEntered,
    PhaseLeft,
    ProcessEnded,
    ProcessIntended,
    ProcessStarted,
    RoundsCutShort,
    RunFinished,
    ServiceReady,
    SetupRefused,
    TargetFailed,
)
from harness.model.units import Duration
from harness.outputs.progress import Progress, Trouble, step
from tests.support.journals import a_plan, a_run

STARTED = ProcessStarted(name="app", pid=7, pgid=7, created=1.0)
STOPPED = ProcessEnded(name="app", pid=7, exit_code=0, expected=True)
OPENED = HopOpened(
    hop="db",
    admin="http://127.0.0.1:8474",
    proxy="db",
    listen="127.0.0.1:1",
    upstream="127.0.0.1:2",
    observed="here",
)
READY = ServiceReady(name="app", address="127.0.0.1:3", after=Duration.of_ms(300))


def phases(events: list[AnyEvent]) -> list[str]:
    """The phases in turn, each as often as it was newly entered."""
    progress, seen = Progress(), [""]
    for event in events:
        progress = step(progress, event)
        if progress.phase != seen[-1]:
            seen.append(progress.phase)
    return seen[1:]


def test_step_when_a_run_goes_well_then_its_phases_come_in_order() -> None:
    started, *course = a_run(2)
    events = [
        started,
        ProcessIntended(name="proxy", argv=("proxy",)),
        ProcessIntended(name="postgres-initdb", argv=("initdb",)),
        ProcessEnded(name="postgres-initdb", pid=6, exit_code=0, expected=False),
        OPENED,
        ProcessIntended(name="app", argv=("serve",)),
        STARTED,
        READY,
        *course[:-1],
        STOPPED,
        RunFinished(),
    ]
    assert phases(events) == [
        "starting",
        "starting postgres",
        "wiring hop db",
        "waiting for app",
        "steady state",
        "round 1",
        "round 2",
        "steady state again",
        "stopping",
        "done",
    ]


def test_step_when_rounds_finish_then_they_are_counted() -> None:
    progress = Progress()
    for event in a_run(3):
        progress = step(progress, event)
    assert (progress.done, progress.rounds, progress.stage) == (3, 3, "done")


def test_step_when_fewer_rounds_are_enough_then_none_is_left_to_wait_for() -> None:
    progress = Progress()
    for event in [*a_run(3, plan=a_plan(rounds=20))[:-1], RoundsCutShort(rounds=3, broken=2)]:
        progress = step(progress, event)
    assert (progress.count, progress.rounds) == ("3/3", 3)


def test_step_when_a_command_ends_within_a_round_then_nothing_is_stopping() -> None:
    in_rounds = Progress(stage="rounds", services=("app",))
    ended = ProcessEnded(name="operation night", pid=8, exit_code=0, expected=True)
    assert step(in_rounds, ended) is in_rounds
    assert step(in_rounds, STOPPED).stage == "stopping"


def test_step_when_services_are_containers_then_they_are_waited_for_likewise() -> None:
    started, *_ = a_run(1)
    made = ContainerIntended(name="app", container="bank-app-1", image="bank-app")
    events = [
        started,
        made,
        ContainerStarted(name="app", container="bank-app-1", id="c0ffee"),
        ContainerStarted(name="proxy", container="bank-proxy-1", id="c0ffee"),
        ContainerRemoved(name="app", container="bank-app-1", found=True),
    ]
    assert phases(events) == ["starting", "starting app", "waiting for app"]
    running = step(Progress(stage="rounds"), events[-1])
    assert running.stage == "stopping"
    assert step(Progress(stage="rounds"), made).phase == "starting"


def test_step_when_a_run_begins_then_nothing_of_the_one_before_is_left() -> None:
    progress = step(Progress(done=9, troubles=(Trouble(what="old"),)), a_run(1)[0])
    assert progress == Progress(
        run="2026-11-25T10-12-31-bank-overdraft-atomic",
        experiment="bank-overdraft",
        title="Withdrawals at once never pay out more than there was",
        label="atomic",
        seed=28474,
        rounds=1,
        services=("postgres", "app"),
    )


@pytest.mark.parametrize(
    ("event", "what"),
    [
        pytest.param(TargetFailed(what="app", detail="died"), "app", id="target"),
        pytest.param(HarnessFailed(what="round 2", detail="Traceback"), "round 2", id="harness"),
        pytest.param(
            SetupRefused(message="port taken"), "not as needed, nothing was injected", id="refused"
        ),
        pytest.param(
            LimitReached(limit=Duration.of_s(60), during="round 2"),
            "the time limit of 60 s was reached during round 2",
            id="limit",
        ),
        pytest.param(
            Interrupted(signal="SIGINT", during="round 2"),
            "SIGINT arrived during round 2, rolling back",
            id="interrupted",
        ),
        pytest.param(
            FaultNotUndone(
                fault="latency@db", round=2, because="refused", remains="a toxic", command="curl"
            ),
            "latency@db could not be undone",
            id="not-undone",
        ),
    ],
)
def test_step_when_something_goes_wrong_then_it_is_kept_in_words(
    event: AnyEvent, what: str
) -> None:
    assert [trouble.what for trouble in step(Progress(), event).troubles] == [what]


def test_step_when_an_event_shows_nothing_to_watch_then_the_progress_is_the_same() -> None:
    progress = Progress(stage="rounds", phase="round 1")
    unwatched = {"OperationSent", "OperationReturned", "ProbeRead", "HopRequestEnded", "FaultSeen"}
    events = [event for event in a_run(1) if type(event).__name__ in unwatched]
    assert {type(event).__name__ for event in events} == unwatched
    assert all(step(progress, event) is progress for event in events)


def test_step_when_a_phase_of_a_script_begins_then_it_is_what_is_watched() -> None:
    entered = PhaseEntered(phase="outage-status", number=5, name="outage")
    progress = step(Progress(stage="steady state"), entered)
    assert (progress.stage, progress.phase) == ("rounds", "outage-status")
    left = step(replace(progress, rounds=2), PhaseLeft(phase="outage-status"))
    assert left.done == 1
    # On the way to a phase's start nothing is counted.
    assert step(left, PhaseLeft(phase="before-heal")) is left
