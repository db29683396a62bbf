"""Both servers under one contract: ours, and the original 2.12. One of each, cleaned between cases."""

import json
import subprocess
import sys
from urllib.parse import quote, urlsplit

import pytest

from tests.support.engines import toxiproxy_server
from tests.support.proxies import foreign_toxiproxy
from tests.support.proxy_api import Api
from tests.support.sockets import Upstream


def case(number):
    """The case of the contract that a test holds; it stands in the test's id."""

    def mark(function):
        function = pytest.mark.parametrize("number", [number], ids=[number], indirect=True)(
            function
        )
        return pytest.mark.usefixtures("number")(function)

    return mark


@pytest.fixture
def number(request):
    return request.param


@pytest.fixture(scope="session")
def embedded():
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.proxy", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    parts = urlsplit(json.loads(process.stdout.readline())["api"])
    yield Api(parts.hostname, parts.port, real=False)
    process.terminate()
    assert process.wait(timeout=10) == 0
    process.stdout.close()


@pytest.fixture(scope="session")
def original():
    with foreign_toxiproxy(toxiproxy_server()) as url:
        parts = urlsplit(url)
        yield Api(parts.hostname, parts.port, real=True)


@pytest.fixture(
    params=[
        pytest.param("embedded", id="embedded"),
        pytest.param("original", id="toxiproxy-2.12", marks=pytest.mark.engine("toxiproxy")),
    ]
)
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
        if server.real and "/" in name:
            continue  # the original cannot delete it (TX-025)
        assert server.delete(f"/proxies/{quote(name, safe='')}").status == 204
