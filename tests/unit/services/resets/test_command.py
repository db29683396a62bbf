"""The reset by command: real programs, in the target's folder, awaited to their end."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.events import ProcessEnded
from harness.model.plan import ResetPlan
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.processes.programs import Programs
from harness.services.resets import command as command_module
from harness.services.resets.command import CommandReset
from tests.support.sources import sources_at
from tests.support.stacks import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    assert marked(made.mark) == []


def run(scene: Scene, command: str, **values: Any) -> None:
    programs = Programs(
        folder=scene.target,
        env={"PATH": os.environ["PATH"], "VARIANT": "lock"},
        logs=scene.run / "logs",
        mark=scene.mark,
        record=scene.events.append,
    )
    plan = ResetPlan(kind="command", on="", params={"command": command})
    reset = CommandReset.make(plan, values, sources_at(), programs)
    asyncio.run(reset.run(Connections({})))


def test_run_when_it_succeeds_then_it_was_there_with_its_values_and_surroundings(
    scene: Scene,
) -> None:
    files = scene.run / "a b"
    files.mkdir()
    run(scene, "sh -c 'echo $VARIANT $PWD >\"$1/made\"' sh {folder}", folder=str(files))
    assert (files / "made").read_text() == f"lock {scene.target}\n"
    (ended,) = [event for event in scene.events if isinstance(event, ProcessEnded)]
    assert (ended.name, ended.exit_code, ended.expected) == ("reset command", 0, True)


def test_run_when_it_fails_then_target_error_with_what_this_run_of_it_said(scene: Scene) -> None:
    run(scene, "echo from before")
    with pytest.raises(TargetError) as raised:
        run(scene, "sh -c 'echo no such table >&2; exit 3'")
    assert str(raised.value) == "reset: sh ended with exit code 3; it said:\nno such table"
    with pytest.raises(TargetError, match="false ended with exit code 1; it said nothing"):
        run(scene, "false")


def test_run_when_it_does_not_end_then_it_is_ended_and_target_error(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "_LIMIT", Duration.of_ms(300))
    with pytest.raises(
        TargetError, match="reset: sleep did not end within 300 ms; it said nothing"
    ):
        run(scene, "sleep 600")


def test_run_when_it_leaves_something_running_then_that_is_ended(scene: Scene) -> None:
    run(scene, "sh -c 'sleep 600 & exit 0'")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("rm '{folder}", "reset: the command cannot be split"),
        ("rm {nothing}", "reset: 'nothing' has no value"),
        ("no-such-tool", "reset command: the command 'no-such-tool' was not found"),
        ("", "reset command: the command is empty"),
    ],
)
def test_run_when_it_is_no_command_then_user_error(scene: Scene, command: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        run(scene, command)
