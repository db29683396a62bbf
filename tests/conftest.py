"""Settings of all tests: hypothesis profiles, tiers, engines on request, nothing left running."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, configuration, settings

from harness.model.units import Duration
from tests.support.engines import ENGINES
from tests.support.leftovers import describe, leftovers, mark_session
from tests.support.waiting import NeverHappened, until_sync

ROOT = Path(__file__).parent.parent

# Around whole commands and databases: seconds each, and many times that on a busy machine.
PATIENCE = Duration.of_s(240)

# Folders whose tests are no part of the fast tier, whatever their markers.
INTEGRATION = ("tests/integration/", "tests/conformance/proxy/")

settings.register_profile(
    "dev",
    max_examples=50,
    deadline=None,  # a busy machine is no counterexample
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile(
    "ci", settings.get_profile("dev"), max_examples=200, derandomize=True, database=None
)
settings.register_profile("nightly", settings.get_profile("dev"), max_examples=10_000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)
if not os.access(ROOT, os.W_OK):
    configuration.set_hypothesis_home_dir(tempfile.gettempdir())


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SESSION] = mark_session()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    limit = float(config.getoption("timeout") or config.getini("timeout") or 0)
    for item in items:
        if item.nodeid.startswith(INTEGRATION):
            item.add_marker("integration")
        long = any(map(item.get_closest_marker, ("integration", "engine", "slow", "serial")))
        if long and 0 < limit < PATIENCE.in_s:
            item.add_marker(pytest.mark.timeout(PATIENCE.in_s))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """``@pytest.mark.engine("postgres")`` skips or fails before any fixture starts something."""
    for marker in item.iter_markers("engine"):
        for name in marker.args:
            ENGINES[name]()


SESSION = pytest.StashKey[str]()
LEFT = pytest.StashKey[list[str]]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the session, and ends what is left, if a test left a process of a run behind."""
    if hasattr(session.config, "workerinput"):
        return  # other workers still run theirs
    mark = session.config.stash[SESSION]
    try:
        until_sync(
            lambda: not leftovers(mark),
            within=Duration.of_s(5),  # a guardian may still be at it
            what="no process of a run is left",
        )
    except NeverHappened:
        left = leftovers(mark)
        session.config.stash[LEFT] = [describe(process) for process in left]
        for process in left:
            process.kill()
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"left running by a test, ended now: {line}", red=True)
