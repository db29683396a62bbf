"""Ending processes: politely first, and until none is left."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.model.units import Duration
from harness.processes import ending
from harness.processes.ending import end, end_marked
from harness.processes.marks import MARK, marked
from tests.support.waiting import until_sync

S30 = Duration.of_s(30)
IGNORES = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
POLITE = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(60)"


def program(code: str, mark: str) -> "subprocess.Popen[bytes]":
    popen = subprocess.Popen(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], MARK: mark},
        stdout=subprocess.PIPE,
    )
    assert popen.stdout is not None
    assert popen.stdout.readline() == b"up\n"
    popen.stdout.close()
    return popen


def test_end_when_nothing_is_found_then_returns_at_once() -> None:
    assert end(list, grace=Duration.of_s(60)) == []


def test_end_marked_when_one_obeys_and_one_ignores_then_both_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mark = uuid.uuid4().hex
    polite, ignores = program(POLITE, mark), program(IGNORES, mark)
    # The grace is over when the polite one is gone, however long the machine takes for that.
    clock = SimpleNamespace(
        monotonic_ns=lambda: 0 if polite.poll() is None else S30.ns,
        sleep=time.sleep,  # noqa: TID251 - what the code under test calls
    )
    monkeypatch.setattr(ending, "time", clock)
    assert end_marked(mark, grace=S30) == []
    assert polite.wait() == 7
    assert ignores.wait() == -9
    assert marked(mark) == []


def test_end_marked_when_spared_then_it_lives() -> None:
    mark = uuid.uuid4().hex
    spared = program(POLITE, mark)
    assert end_marked(mark, spare={spared.pid}, grace=S30) == []
    assert spared.poll() is None
    assert end_marked(mark, grace=S30) == []
    assert spared.wait() == 7


def test_end_when_a_process_starts_another_on_sigterm_then_that_one_is_ended_too(
    tmp_path: Path,
) -> None:
    mark = uuid.uuid4().hex
    told = tmp_path / "told"
    code = (
        "import os, signal, sys, time\n"
        "def heir(*_):\n"
        "    if os.fork() == 0:\n"
        "        signal.signal(signal.SIGTERM, signal.SIG_DFL); os.setsid()\n"
        f"        open({str(told)!r}, 'w').close(); time.sleep(60)\n"
        "    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, heir)\n"
        "print('up', flush=True)\ntime.sleep(60)"
    )
    popen = program(code, mark)
    end_marked(mark, grace=S30)
    popen.wait()
    until_sync(lambda: not marked(mark), within=S30, what="the heir is gone")
