"""Finds processes that a test session started through the harness and that outlive it.

The session puts a mark of its own into its environment; what carries that mark and a run's mark was
started by a test of this session, and by none that runs beside it.
"""

import os
import uuid
from collections.abc import MutableMapping

import psutil

RUN_MARK = "HARNESS_RUN"
SESSION_MARK = "HARNESS_TEST_SESSION"


def mark_session(environment: MutableMapping[str, str] = os.environ) -> str:
    """Marks this process and all it starts; keeps a mark that is there (a worker's)."""
    return environment.setdefault(SESSION_MARK, uuid.uuid4().hex)


def leftovers(session: str) -> list[psutil.Process]:
    """Processes of ``session`` that a run started and that still run."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            running = process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or not ours to look at
        if running and RUN_MARK in environment and environment.get(SESSION_MARK) == session:
            found.append(process)
    return found


def describe(process: psutil.Process) -> str:
    """One line for people: pid and command line."""
    try:
        return f"{process.pid}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid}: ended meanwhile"
