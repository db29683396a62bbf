"""Which processes belong to a run: by mark, by group, and by descent."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness.model.units import Duration
from harness.processes.marks import MARK, PART, Group, Wanted, find, is_living, marked
from tests.support.waiting import until_sync

S30 = Duration.of_s(30)
SLEEPS = "import time; time.sleep(60)"


@contextmanager
def program(code: str = SLEEPS, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
    popen = subprocess.Popen(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], **env},
        start_new_session=True,
    )
    try:
        yield popen
    finally:
        popen.kill()
        popen.wait()


def pids(processes: list[psutil.Process]) -> set[int]:
    return {process.pid for process in processes}


def test_marked_when_a_process_carries_the_mark_then_it_and_no_other_is_found() -> None:
    mark = uuid.uuid4().hex
    with program(**{MARK: mark}) as ours, program(**{MARK: mark + "2"}), program():
        until_sync(lambda: marked(mark), within=S30, what="the mark is seen")
        assert pids(marked(mark)) == {ours.pid}


def test_marked_when_it_ended_but_nobody_asked_then_it_is_not_found() -> None:
    mark = uuid.uuid4().hex
    with program("", **{MARK: mark}) as ours:
        until_sync(
            lambda: psutil.Process(ours.pid).status() == psutil.STATUS_ZOMBIE,
            within=S30,
            what="a zombie",
        )
        assert marked(mark) == []
        assert not is_living(psutil.Process(ours.pid))


def test_find_when_a_part_is_wanted_then_the_other_parts_are_not_found() -> None:
    mark = uuid.uuid4().hex
    with program(**{MARK: mark, PART: "a"}) as first, program(**{MARK: mark, PART: "b"}):
        until_sync(lambda: len(marked(mark)) == 2, within=S30, what="both are up")
        assert pids(find(Wanted(mark=mark, part="a"))) == {first.pid}


def test_find_when_spared_then_neither_it_nor_what_descends_from_it() -> None:
    mark = uuid.uuid4().hex
    with program(**{MARK: mark}) as ours:
        until_sync(lambda: marked(mark), within=S30, what="the mark is seen")
        assert find(Wanted(mark=mark, spare={ours.pid})) == []


def test_find_when_a_group_number_was_reused_then_it_is_left_alone() -> None:
    with program() as other:
        created = psutil.Process(other.pid).create_time()
        assert pids(find(Wanted(groups=(Group(pgid=other.pid, created=created),)))) == {other.pid}
        assert find(Wanted(groups=(Group(pgid=other.pid, created=created - 60),))) == []


def test_find_when_the_leader_is_gone_then_the_rest_of_its_group_is_found() -> None:
    code = "import os, time\nif os.fork() == 0: time.sleep(60)\nos._exit(0)"
    with program(code) as leader:
        created = psutil.Process(leader.pid).create_time()
        leader.wait()
        left = find(Wanted(groups=(Group(pgid=leader.pid, created=created),)))
        assert len(left) == 1
        os.kill(left[0].pid, signal.SIGKILL)


def test_find_when_an_orphan_works_in_a_folder_of_the_run_then_it_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "run-2").mkdir()
    with (
        program(f"import os; os.chdir({str(folder / 'deep')!r}); {SLEEPS}") as inside,
        program(f"import os; os.chdir({str(tmp_path / 'run-2')!r}); {SLEEPS}") as beside,
    ):
        here = Wanted(folders=(folder, tmp_path / "run-2"))
        until_sync(lambda: len(find(here)) == 2, within=S30, what="both have moved")
        assert pids(find(Wanted(folders=(folder,)))) == {inside.pid}
        assert beside.poll() is None
