"""A test session fails when a test leaves a run's process behind, and when a required engine is missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]

LEAVES_ONE_BEHIND = """
import os, subprocess, sys

def test_that_passes():
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={**os.environ, "HARNESS_RUN": "a-run"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    process.returncode = 0  # so that nobody warns of it either
"""

NEEDS_AN_ENGINE = """
import pytest

@pytest.mark.engine("toxiproxy")
def test_that_needs_one():
    pass
"""


@pytest.fixture
def session(tmp_path):
    """Runs a session of one test file with our conftest, on a machine without engines."""

    def run(source, **environment):
        (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
        (tmp_path / "test_it.py").write_text(source)
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("HARNESS_", "PYTEST_"))
        }
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-c",
                ROOT / "pyproject.toml",
                "-p",
                "no:cacheprovider",
                tmp_path,
            ],
            cwd=ROOT,
            env={**inherited, "PATH": "/nowhere", "HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def runs(pid):
    """False also for one that ended and that nobody has collected yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_session_when_a_test_leaves_a_process_of_a_run_then_fails_names_and_ends_it(session):
    result = session(LEAVES_ONE_BEHIND)
    assert "1 passed" in result.stdout
    found = re.search(
        r"left running by a test, ended now: (\d+): .*time\.sleep\(60\)", result.stdout
    )
    assert found, result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert not runs(int(found[1]))


def test_session_when_an_engine_is_missing_then_skips_and_says_how_to_install_it(session):
    result = session(NEEDS_AN_ENGINE)
    assert result.returncode == 0
    assert "1 skipped" in result.stdout
    assert "Install it with: go install" in result.stdout


def test_session_when_a_required_engine_is_missing_then_fails(session):
    result = session(NEEDS_AN_ENGINE, HARNESS_REQUIRE="all")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "HARNESS_REQUIRE asks for it" in result.stdout
