"""One run a target, by a lock that no crash can leave behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.model.errors import UserError
from harness.services.target_lock import lock_target

HOLDER = """
import sys, time
from pathlib import Path
from harness.services.target_lock import lock_target
with lock_target(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    file = tmp_path / "target.yaml"
    file.write_text("target: bank\n")
    file.chmod(0o444)
    return file


def test_lock_target_when_held_then_a_second_run_is_refused_by_name(target: Path) -> None:
    with (
        lock_target(target),
        pytest.raises(UserError, match=r"target\.yaml: another run") as raised,
    ):
        lock_target(target).__enter__()
    assert "Wait until it has finished" in str(raised.value)


def test_lock_target_when_released_then_the_next_run_gets_it(target: Path) -> None:
    with pytest.raises(RuntimeError), lock_target(target):
        raise RuntimeError
    with lock_target(target):
        pass
    assert target.read_text() == "target: bank\n"


def test_lock_target_when_another_target_then_both_run(target: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.touch()
    with lock_target(target), lock_target(other):
        pass


def test_lock_target_when_there_is_no_file_then_user_error(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="cannot be opened: No such file"),
        lock_target(tmp_path / "none.yaml"),
    ):
        pass


def test_lock_target_when_its_holder_is_killed_then_it_is_free(target: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(target)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError), lock_target(target):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with lock_target(target):
        pass


def test_lock_target_when_a_child_outlives_the_run_then_it_does_not_hold_the_lock(
    target: Path,
) -> None:
    with lock_target(target):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with lock_target(target):
            pass
    finally:
        child.communicate(b"\n")
