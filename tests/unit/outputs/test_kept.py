"""What was left up, where it answers, how to stop it."""

from pathlib import Path

from harness.model.events import (
    AnyEvent,
    ContainerRemoved,
    ContainerStarted,
    HopOpened,
    ProcessEnded,
    ProcessStarted,
    ServiceReady,
)
from harness.model.units import Duration
from harness.outputs.kept import kept_text


def started(name: str, pid: int) -> ProcessStarted:
    return ProcessStarted(name=name, pid=pid, pgid=pid, created=1.0)


EVENTS: list[AnyEvent] = [
    started("guardian", 10),
    started("proxy", 11),
    started("initdb", 12),
    ProcessEnded(name="initdb", pid=12, exit_code=0, expected=True),
    started("postgres", 13),
    ServiceReady(name="postgres", address="127.0.0.1:5432", after=Duration.of_ms(600)),
    HopOpened(
        hop="db",
        admin="http://127.0.0.1:1",
        proxy="db",
        listen="127.0.0.1:6000",
        upstream="127.0.0.1:5432",
        observed="here",
    ),
]


def test_kept_text_when_processes_are_up_then_it_says_where_and_how_to_stop_them():
    text = kept_text(EVENTS, [Path("/tmp/data")])
    assert text.splitlines() == [
        "kept    proxy, postgres",
        "  postgres answers at 127.0.0.1:5432",
        "  hop db listens at 127.0.0.1:6000",
        "  stop them with:   kill -s INT -- -13 -11",
        "  then remove:      rm -r /tmp/data",
    ]


def test_kept_text_when_all_has_ended_then_it_is_empty():
    ended = [ProcessEnded(name="x", pid=pid, exit_code=0, expected=True) for pid in (10, 11, 13)]
    assert kept_text([*EVENTS, *ended], []) == ""


def test_kept_text_when_a_container_is_up_then_it_says_how_to_remove_it():
    containers = [ContainerStarted(name="app", container=f"harness-app-{n}", id="1") for n in "ab"]
    gone = ContainerRemoved(name="app", container="harness-app-b", found=True)
    lines = kept_text([*EVENTS, *containers, gone], []).splitlines()
    assert lines[0] == "kept    proxy, postgres, app"
    assert lines[-1] == "  then remove:      docker rm --force --volumes harness-app-a"
