"""Only processes of this session and of a run count as left behind."""

import os
import subprocess
import sys

import pytest

from tests.support.leftovers import RUN_MARK, SESSION_MARK, describe, leftovers, mark_session


@pytest.fixture
def waiting_process():
    """Starts Python processes that wait for their input to end, with marks in their environment."""
    started = []

    def start(**marks):
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            env={**os.environ, **marks},
        )
        started.append(process)
        return process.pid

    yield start
    for process in started:
        process.communicate()


@pytest.mark.slow
def test_process_when_it_carries_both_marks_then_is_left_over(waiting_process):
    mine = waiting_process(**{RUN_MARK: "run-1", SESSION_MARK: "this"})
    waiting_process(**{RUN_MARK: "run-2", SESSION_MARK: "another"})
    waiting_process(**{SESSION_MARK: "this"})
    (left,) = leftovers("this")
    assert left.pid == mine
    assert describe(left).startswith(f"{mine}: ")


def test_session_when_marked_twice_then_keeps_its_mark():
    environment = {}
    assert mark_session(environment) == mark_session(environment) == environment[SESSION_MARK]
