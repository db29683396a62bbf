"""Both servers under one contract: ours, and the original 2.12. One of each, cleaned between cases.

Two environment variables change what is run:

- ``HARNESS_KILL_TOXIPROXY=1`` also runs the rows marked ☠ and ⌛ on the original, each on a server of
  its own, and asserts that it is killed or hangs as the contract says. Takes about three and a half minutes.
- ``HARNESS_IGNORING_PROXY=1`` puts a proxy in the place of ours whose toxics do nothing, and leaves
  the original out. All cases with an effect must fail then; ``test_ignoring.py`` counts that.
"""

import os
from dataclasses import replace
from urllib.parse import quote

import pytest

from harness.model.units import Duration
from tests.support import servers
from tests.support.sockets import Upstream

EMBEDDED = pytest.param("embedded", id="embedded")
ORIGINAL = pytest.param("original", id="toxiproxy-2.12", marks=pytest.mark.engine("toxiproxy"))
BOTH = [EMBEDDED] if servers.IGNORING else [EMBEDDED, ORIGINAL]


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "effect: a case whose bytes or times show that a toxic acts (set by case(…, effect=True))",
    )
    if servers.IGNORING:
        # What a failing test leaves open is found while some later test runs, whichever it is; that
        # one would be an error, and what it holds would not be known.
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


def case(number, *, effect=False):
    """The case of the contract that a test holds; it stands in the test's id.

    ``effect``: the test fails against a proxy that forwards everything and ignores its toxics.
    """

    def mark(function):
        function = pytest.mark.parametrize("number", [number], ids=[number], indirect=True)(
            function
        )
        if effect:
            function = pytest.mark.effect(function)
        return pytest.mark.usefixtures("number")(function)

    return mark


@pytest.fixture
def number(request):
    return request.param


@pytest.fixture(scope="session")
def embedded():
    with servers.ours() as daemon:
        yield daemon.api
        daemon.process.terminate()
        assert daemon.exit_code(Duration.of_s(10)) == 0, daemon.log()


@pytest.fixture(scope="session")
def original():
    with servers.original() as daemon:
        yield daemon.api


@pytest.fixture(params=BOTH)
def api(request):
    """A server without proxies."""
    server = request.getfixturevalue(request.param)
    yield server
    _clear(server)


@pytest.fixture
def ours(embedded):
    """Our server alone, for what the original cannot do, or does not survive."""
    yield embedded
    _clear(embedded)


@pytest.fixture
def theirs(original):
    """The original alone, for what ours refuses."""
    yield original
    _clear(original)


@pytest.fixture(params=BOTH)
def daemon(request):
    """Starts a server of the test's own, with the flags it is given."""
    start = servers.ours if request.param == "embedded" else servers.original
    with servers.started(start) as starting:
        yield starting


@pytest.fixture
def doomed():
    """An original of the test's own, to be killed or hung; only when that was asked for."""
    if os.environ.get("HARNESS_KILL_TOXIPROXY") != "1":
        pytest.skip("kills or hangs the original: runs with HARNESS_KILL_TOXIPROXY=1")
    with servers.original() as daemon:
        yield replace(daemon, api=replace(daemon.api, patience=Duration.of_s(40)))


@pytest.fixture
def echo():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def upstream():
    """A server whose connections the test holds in its own hands."""
    server = Upstream(echo=False)
    yield server
    server.close()


def _clear(server):
    for name in server.get("/proxies").json():
        assert server.delete(f"/proxies/{quote(name, safe='')}").status == 204
