"""Hearing of a child's end, with and without a descriptor for processes."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from harness.processes import exit_watch
from harness.processes.exit_watch import on_exit

WAITS = "import sys; sys.stdin.read()"


@pytest.fixture(params=["descriptor", "poll"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "poll":
        monkeypatch.setattr(exit_watch, "_descriptor", lambda _pid: None)
    return str(request.param)


def child() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE)


@pytest.mark.usefixtures("way")
def test_on_exit_when_the_child_ends_then_the_callback_is_called_until_it_is_content() -> None:
    async def play() -> int:
        with child() as popen:
            ended = asyncio.Event()
            calls: list[int | None] = []

            def look() -> bool:
                calls.append(popen.poll())
                if calls[-1] is not None and len(calls) > 1:
                    ended.set()
                    return True
                return False

            on_exit(popen.pid, look)
            assert popen.stdin is not None
            popen.stdin.close()
            async with asyncio.timeout(30):
                await ended.wait()
            return len(calls)

    assert asyncio.run(play()) >= 2


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.usefixtures("way")
def test_on_exit_when_taken_back_then_it_is_never_called_and_no_descriptor_is_left() -> None:
    async def play() -> list[str]:
        called: list[str] = []
        told = asyncio.Event()
        with child() as popen:
            before = descriptors()
            cancel = on_exit(popen.pid, lambda: bool(called.append("called")))
            cancel()
            cancel()
            assert descriptors() == before
            # One that was made later is told, so the first would have been, too.
            done = on_exit(popen.pid, lambda: told.set() is None)
            assert popen.stdin is not None
            popen.stdin.close()
            async with asyncio.timeout(30):
                await told.wait()
            done()
        return called

    assert asyncio.run(play()) == []
