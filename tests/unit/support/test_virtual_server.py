"""The virtual server answers as the real one does, and its time is that of its loop."""

from harness.model.units import Duration
from tests.support.virtual_server import virtual_server


def test_server_when_called_then_answers_and_listens_at_fake_ports():
    with virtual_server() as server:
        made = server.make("/proxies", {"name": "a", "upstream": "x:1", "listen": "127.0.0.1:0"})
        assert server.ports.taken == {made["listen"]}
        assert server.get("/proxies") == {"a": made}
        assert server.call("DELETE", "/proxies/a") == (204, "")
        assert server.ports.taken == set()


def test_time_when_waited_for_then_passes_and_timers_fire():
    fired = []
    with virtual_server() as server:
        before = server.now()
        server.loop.call_later(3, fired.append, 1)
        server.wait(Duration.of_s(3))
        assert (fired, server.now() - before) == ([1], Duration.of_s(3))
