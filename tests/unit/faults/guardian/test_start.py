"""Starting a guardian and letting it go; what it does then is in test_cleanup.py."""

import asyncio
import signal
import sys
import uuid
from pathlib import Path

import pytest

from harness.faults.guardian import start as module
from harness.faults.guardian.start import watch
from harness.journal.writer import Journal
from harness.model.errors import HarnessBug
from harness.model.events import AnyEvent, ProcessEnded, ProcessStarted, RunFinished
from harness.processes.marks import marked

MARK = f"test-{uuid.uuid4().hex}"


def test_watch_when_the_run_finished_then_it_is_released_and_the_journal_keeps_its_last_event(
    tmp_path: Path,
) -> None:
    events: list[AnyEvent] = []

    async def play() -> int:
        with Journal(tmp_path / "journal.jsonl") as journal:
            guardian = await watch(journal.path, mark=MARK, record=events.append)
            assert guardian.running()
            journal.record(RunFinished())
            return await guardian.release()

    assert asyncio.run(play()) == 0
    assert [type(event) for event in events][-1] is ProcessStarted
    assert marked(MARK) == []


def test_watch_when_signals_come_to_the_terminal_s_group_then_it_stays(tmp_path: Path) -> None:
    async def play() -> int:
        with Journal(tmp_path / "journal.jsonl") as journal:
            guardian = await watch(journal.path, mark=MARK)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                guardian._process._popen.send_signal(number)
            journal.record(RunFinished())
            return await guardian.release()

    assert asyncio.run(play()) == 0


def test_watch_when_it_ends_too_soon_then_the_journal_is_told(tmp_path: Path) -> None:
    events: list[AnyEvent] = []

    async def play() -> None:
        with Journal(tmp_path / "journal.jsonl") as journal:
            guardian = await watch(journal.path, mark=MARK, record=events.append)
            guardian._process._popen.send_signal(signal.SIGKILL)
            await guardian._process.wait()
            assert not guardian.running()
            assert await guardian.release() == -signal.SIGKILL

    asyncio.run(play())
    assert isinstance(events[-1], ProcessEnded)
    assert not events[-1].expected


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("import no_such_module", "No module named", id="dies"),
        pytest.param("print('what?', flush=True); input()", "'what\\?' instead", id="chat"),
    ],
)
def test_watch_when_it_does_not_come_up_then_nothing_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    command = [sys.executable, "-c", code]
    monkeypatch.setattr(module, "own_program", lambda *_arguments: command)
    with pytest.raises(HarnessBug, match=says):
        asyncio.run(watch(tmp_path / "journal.jsonl", mark=MARK))
    assert marked(MARK) == []
