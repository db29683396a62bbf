"""Commands that are meant to end: run, limited, and nothing of them left."""

import asyncio
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.events import AnyEvent
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.processes.programs import Ended, Programs
from tests.support.waiting import until

S30 = Duration.of_s(30)


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    events: list[AnyEvent] = []
    made = Programs(
        folder=tmp_path,
        env={"PATH": os.environ["PATH"], "X": "y"},
        logs=tmp_path / "logs",
        mark=f"test-{uuid.uuid4().hex}",
        record=events.append,
    )
    yield made
    assert marked(made.mark) == []


def test_run_when_it_ends_then_its_code_and_what_it_said(programs: Programs) -> None:
    argv = ["sh", "-c", "echo $X; pwd; exit 3"]
    ended = asyncio.run(programs.run("reset", argv, within=S30))
    assert ended == Ended(exit_code=3, said=f"y\n{programs.folder}")
    assert (programs.logs / "reset.log").read_text() == f"y\n{programs.folder}\n"


def test_run_when_twice_then_the_log_has_both_and_each_says_its_own(programs: Programs) -> None:
    for word in ("first", "second"):
        ended = asyncio.run(programs.run("reset", ["echo", word], within=S30))
        assert ended == Ended(exit_code=0, said=word)
    assert (programs.logs / "reset.log").read_text() == "first\nsecond\n"


def test_run_when_it_takes_too_long_then_it_is_ended_with_all_it_started(
    programs: Programs,
) -> None:
    argv = ["sh", "-c", "sleep 600 & wait"]
    ended = asyncio.run(programs.run("reset", argv, within=Duration.of_ms(500)))
    assert ended == Ended(exit_code=None, said="")


def test_run_when_cancelled_then_it_is_ended(programs: Programs) -> None:
    async def play() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(programs.run("reset", ["sleep", "600"], within=S30))
            await until(lambda: marked(programs.mark), within=S30, what="it runs")
            task.cancel()

    asyncio.run(play())
