"""TX-157 to TX-168: how connections close, move and fail."""

import socket
import threading
import time

import psutil
import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.proxies import free_port
from tests.support.sockets import Peer, Upstream, refused


def clock():
    return time.monotonic_ns() / 1e6


@case("TX-157")
@pytest.mark.parametrize("latency", [0, 200])
def test_half_close_when_the_client_asks_and_waits_then_the_answer_arrives(ours, upstream, latency):
    ours.create("a", upstream.address)
    ours.toxic("a", stream="upstream", attributes={"latency": latency})
    with ours.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.send(b"question")
        client.finish()
        assert server.rest() == b"question"
        server.send(b"answer")
        server.close()
        assert client.rest() == b"answer"
        assert clock() - began >= latency


@case("TX-158")
def test_half_close_when_the_server_reads_on_then_later_bytes_arrive(ours, upstream):
    ours.create("a", upstream.address)
    with ours.connect("a") as client, upstream.accept() as server:
        server.send(b"hello")
        server.finish()
        assert client.rest() == b"hello"
        client.send(b"more")
        client.close()
        assert server.rest() == b"more"


@case("TX-159")
def test_upstream_when_it_refuses_then_connect_works_and_the_client_is_closed(api):
    api.create("a", f"127.0.0.1:{free_port()}")
    began = clock()
    with api.connect("a") as client:
        assert client.ending() == "eof"
    with api.connect("a") as client:
        try:
            client.send(b"x")
        except OSError:
            pass  # closed already
        else:
            assert client.ending() in {"eof", "reset"}
    assert clock() - began < 1000


@case("TX-160")
def test_reset_when_the_client_sends_it_then_the_server_sees(api, upstream):
    api.create("a", upstream.address)
    client = api.connect("a")
    with upstream.accept() as server:
        client.send(b"x")
        assert server.receive(1) == b"x"
        client.reset()
        assert server.ending() == ("eof" if api.real else "reset")


@case("TX-160")
def test_reset_when_the_server_sends_it_then_the_client_sees(api, upstream):
    api.create("a", upstream.address)
    with api.connect("a") as client:
        server = upstream.accept()
        client.send(b"x")
        server.receive(1)
        server.reset()
        assert client.ending() == ("eof" if api.real else "reset")


@case("TX-160")
def test_reset_when_bytes_are_held_before_it_then_comes_behind_them(ours, upstream):
    ours.create("a", upstream.address)
    ours.toxic("a", attributes={"latency": 200})
    with ours.connect("a") as client:
        server = upstream.accept()
        client.send(b"x")
        server.receive(1)
        began = clock()
        server.send(b"answer")
        assert client.silent(Duration.of_ms(50))
        server.reset()
        assert client.receive(6) == b"answer"
        assert client.ending() == "reset"
        assert clock() - began >= 200


@case("TX-161")
def test_disable_when_connections_are_open_then_both_ends_see_it(api, upstream):
    listen = api.create("a", upstream.address)["listen"]
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        assert api.patch("/proxies/a", {"enabled": False}).status == 200
        assert (client.ending(), server.ending()) == ("eof", "eof")
        assert clock() - began < 100
        assert refused(listen)


@case("TX-162")
def test_upstream_when_changed_then_old_ones_end_and_new_ones_reach_the_new_one(
    api, upstream, echo
):
    api.create("a", upstream.address)
    api.toxic("a", name="t", attributes={"latency": 100})
    with api.connect("a") as client:
        upstream.accept()
        assert api.patch("/proxies/a", {"upstream": echo.address}).status == 200
        assert client.ending() == "eof"
    with api.connect("a") as client:
        assert client.round_trip().in_ms >= 100


@case("TX-163")
def test_delete_when_connections_are_open_then_they_end(api, upstream):
    listen = api.create("a", upstream.address)["listen"]
    with api.connect("a") as client, upstream.accept() as server:
        assert api.delete("/proxies/a").status == 204
        assert (client.ending(), server.ending()) == ("eof", "eof")
        assert refused(listen)


class Swallows:
    """A listening socket whose backlog is full: further SYNs are never answered."""

    def __enter__(self):
        self._sock = socket.socket()
        self._sock.bind(("127.0.0.1", 0))
        self._sock.listen(0)
        self.address = f"127.0.0.1:{self._sock.getsockname()[1]}"
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._sock.getsockname())
            self._fillers.append(filler)
        return self

    def __exit__(self, *_):
        for sock in (*self._fillers, self._sock):
            sock.close()


@case("TX-165")
def test_disable_when_dials_hang_then_is_answered_and_clients_are_closed(ours):
    with Swallows() as dead:
        ours.create("a", dead.address)
        with ours.connect("a") as one, ours.connect("a") as two:
            assert one.silent(Duration.of_ms(100))
            began = clock()
            assert ours.patch("/proxies/a", {"enabled": False}).status == 200
            assert (one.ending(), two.ending()) == ("eof", "eof")
            assert clock() - began < 100


@case("TX-166")
def test_api_when_dials_hang_then_every_call_is_answered(ours, echo):
    with Swallows() as dead:
        ours.create("a", dead.address)
        with ours.connect("a") as client:
            assert client.silent(Duration.of_ms(50))
            began = clock()
            assert ours.get("/proxies").status == 200
            assert ours.delete("/proxies/a").status == 204
            ours.create("b", echo.address)
            assert clock() - began < 100
            assert client.ending() == "eof"


@case("TX-164")
@pytest.mark.slow
def test_dial_when_it_hangs_then_is_given_up_at_its_limit(ours):
    with Swallows() as dead:
        ours.create("a", dead.address)
        began = clock()
        with ours.connect("a") as one, ours.connect("a") as two:
            for client in (one, two):
                client.sock.settimeout(15)
            client.send(b"kept")
            assert (one.ending(), two.ending()) == ("eof", "eof")
        assert 9_900 <= clock() - began <= 11_000


@case("TX-167")
def test_upstream_when_it_is_the_own_address_then_is_refused(ours):
    listen = ours.create("a", "127.0.0.1:1")["listen"]
    assert ours.patch("/proxies/a", {"upstream": listen}).status == 400
    assert ours.get("/proxies/a").json()["upstream"] == "127.0.0.1:1"


@case("TX-168")
def test_reader_when_it_never_reads_then_the_sender_blocks(api, upstream):
    api.create("a", upstream.address)
    with api.connect("a") as client, upstream.accept() as server:
        server.sock.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 100 << 20:
                sent += server.sock.send(b"x" * 65536)
        assert sent < 40 << 20
        server.sock.settimeout(10)
        got = []
        reader = threading.Thread(target=lambda: got.append(len(client.rest())))
        reader.start()
        server.finish()
        reader.join()
        assert got == [sent]


@case("TX-179")
def test_downloads_when_aborted_then_nothing_of_them_is_left(ours):
    source = Upstream(echo=False)
    try:
        ours.create("a", source.address)
        process = next(
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.laddr.port == ours.port and connection.status == "LISTEN"
        )
        before = psutil.Process(process).num_fds()
        for _ in range(30):
            client = ours.connect("a")
            server = source.accept()
            server.sock.settimeout(0.05)
            try:
                while True:
                    server.sock.send(b"x" * 65536)
            except TimeoutError:
                client.reset()
            server.sock.settimeout(5)
            server.ending()
            server.close()
        deadline = clock() + 2000
        while psutil.Process(process).num_fds() > before + 1 and clock() < deadline:
            threading.Event().wait(0.01)
        assert psutil.Process(process).num_fds() <= before + 1
    finally:
        source.close()


def test_peer_when_both_ends_are_gone_then_turns_remain(ours, echo):
    """Not a numbered case: the turns of connections that are over can still be read."""
    ours.create("a", echo.address)
    with ours.connect("a") as client:
        client.round_trip()
    page = ours.get("/proxies/a/turns").json()
    assert [turn["end"] for turn in page["turns"]] == ["answered"]
    assert isinstance(client, Peer)
