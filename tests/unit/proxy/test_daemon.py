"""The daemon: what it refuses to start with. Its life is tests/integration/test_proxy_process.py."""

import io

import pytest

from harness.model.errors import UserError
from harness.proxy import daemon
from harness.proxy.addresses import Listen
from harness.proxy.daemon import run
from harness.proxy.flags import Settings
from harness.proxy.listener import bind


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    """The limit of descriptors is this process's own."""
    monkeypatch.setattr(daemon, "allowed_connections", lambda _asked: 10)


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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "proxies.json:1:1 found '{'. Expected a JSON list"),
        ('[{"name": "a", "upstream": "x:1"},\n {"name": "b"}]',
         "proxies.json:2:2 missing required field: upstream at proxy 2."),
        ('[{"name": "a", "upstream": "x:1"},\n  {"name": "b", "upstream": "x", "listen": "192.0.2.1:0"}]',
         "proxies.json:2:3 listen tcp 192.0.2.1:0: bind: cannot assign"),
        ('[{"name": "a", "upstream": "x:1", "lease": "l-1"}]',
         "proxies.json:1:2 lease not found."),
    ],
)  # fmt: skip
def test_daemon_when_its_file_is_wrong_then_says_where_and_is_never_ready(tmp_path, text, says):
    path = tmp_path / "proxies.json"
    path.write_text(text)
    ready = io.StringIO()
    with pytest.raises(UserError) as refused:
        run(Settings(config=path), ready=ready)
    assert str(refused.value).startswith(f"{tmp_path}/{says}")
    assert ready.getvalue() == ""
