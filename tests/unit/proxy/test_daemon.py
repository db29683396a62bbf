"""The daemon: what it refuses to start with. Its life is tests/integration/test_proxy_process.py."""

import io

import pytest

from harness.model.errors import UserError
from harness.proxy.addresses import Listen
from harness.proxy.daemon import run
from harness.proxy.flags import Settings
from harness.proxy.listener import bind


def test_daemon_when_its_port_is_taken_then_says_so_and_is_never_ready():
    sock, address = bind(Listen("127.0.0.1", 0))
    ready = io.StringIO()
    with sock, pytest.raises(UserError, match="address already in use"):
        run(Settings(port=address.port), ready=ready)
    assert ready.getvalue() == ""


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 99999), ("127.0.0.1", -1), ("no host", 0)]
)
def test_daemon_when_its_address_is_none_then_says_so(host, port):
    with pytest.raises(UserError, match="cannot listen"):
        run(Settings(host=host, port=port), ready=io.StringIO())
