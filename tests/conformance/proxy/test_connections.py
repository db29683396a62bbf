"""TX-157 to TX-169 and TX-178 to TX-180: how connections close, move and fail, and what they leave."""

import contextlib
import re
import threading

import psutil
import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support import servers
from tests.support.proxies import free_port
from tests.support.sockets import Peer, Upstream, refused, swallowing
from tests.support.timing import SLACK, at_once, clock
from tests.support.waiting import stays, until_sync

SOON = Duration.of_s(2)


def half_closed(api, upstream):
    """The client asks, says that it is done, and waits; what it gets."""
    with api.connect("a") as client, upstream.accept() as server:
        client.send(b"question")
        client.finish()
        assert server.rest() == b"question"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the original's way
            server.send(b"answer")
        server.close()
        return client.rest()


@case("TX-157")
def test_half_close_when_the_client_asks_and_waits_then_the_answer(api, upstream):
    api.create("a", upstream.address)
    assert half_closed(api, upstream) == (b"" if api.real else b"answer")


@case("TX-157", effect=True)
def test_half_close_when_behind_held_bytes_then_waits_for_them(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", stream="upstream", attributes={"latency": 200})
    began = clock()
    assert half_closed(api, upstream) == (b"" if api.real else b"answer")
    assert clock() - began >= 200


@case("TX-158")
def test_half_close_when_the_server_reads_on_then_later_bytes(api, upstream):
    api.create("a", upstream.address)
    with api.connect("a") as client, upstream.accept() as server:
        server.send(b"hello")
        server.finish()
        assert client.rest() == b"hello"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the original's way
            client.send(b"more")
        client.close()
        assert server.last_words()[0] == (b"" if api.real else b"more")


@case("TX-159")
@pytest.mark.serial  # bounds real time from above
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
    assert clock() - began < 2 * (500 + SLACK)


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


@case("TX-160", effect=True)
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
@pytest.mark.serial  # bounds real time from above
def test_disable_when_connections_are_open_then_both_ends_see_it(api, upstream):
    listen = api.create("a", upstream.address)["listen"]
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        assert api.patch("/proxies/a", {"enabled": False}).status == 200
        assert (client.ending(), server.ending()) == ("eof", "eof")
        assert at_once(clock() - began)
        assert refused(listen)


@case("TX-162", effect=True)
def test_upstream_when_changed_then_old_ones_end_and_new_ones_reach_the_new_one(
    api, upstream, echo
):
    api.create("a", upstream.address)
    api.toxic("a", name="t", attributes={"latency": 300})
    with api.connect("a") as client:
        upstream.accept()
        assert api.patch("/proxies/a", {"upstream": echo.address}).status == 200
        assert client.ending() == "eof"
    with api.connect("a") as client:
        assert client.round_trip().in_ms >= 300


@case("TX-163")
def test_delete_when_connections_are_open_then_they_end(api, upstream):
    listen = api.create("a", upstream.address)["listen"]
    with api.connect("a") as client, upstream.accept() as server:
        assert api.delete("/proxies/a").status == 204
        assert (client.ending(), server.ending()) == ("eof", "eof")
        assert refused(listen)


@case("TX-165")
@pytest.mark.serial  # bounds real time from above
def test_disable_when_dials_hang_then_is_answered_and_clients_are_closed(ours):
    with swallowing() as dead:
        ours.create("a", dead)
        with ours.connect("a") as one, ours.connect("a") as two:
            assert one.silent(Duration.of_ms(100))
            began = clock()
            assert ours.patch("/proxies/a", {"enabled": False}).status == 200
            assert (one.ending(), two.ending()) == ("eof", "eof")
            assert at_once(clock() - began)


@case("TX-166")
@pytest.mark.serial  # bounds real time from above
def test_api_when_dials_hang_then_every_call_is_answered(ours, echo):
    with swallowing() as dead:
        ours.create("a", dead)
        with ours.connect("a") as client:
            assert client.silent(Duration.of_ms(50))
            began = clock()
            assert ours.get("/proxies").status == 200
            assert ours.delete("/proxies/a").status == 204
            ours.create("b", echo.address)
            assert at_once(clock() - began)
            assert client.ending() == "eof"


@case("TX-164")
@pytest.mark.slow
@pytest.mark.serial  # bounds real time from above
def test_dial_when_it_hangs_then_is_given_up_at_its_limit(ours):
    with swallowing() as dead:
        ours.create("a", dead)
        began = clock()
        with ours.connect("a") as one, ours.connect("a") as two:
            for client in (one, two):
                client.sock.settimeout(20)
                client.send(b"kept")
            assert {one.ending(), two.ending()} <= {"eof", "reset"}  # the bytes lay unread
        assert 9_900 <= clock() - began <= 12_000


@case("TX-167")
def test_upstream_when_it_is_the_own_address_then_is_refused(ours):
    listen = ours.create("a", "127.0.0.1:1")["listen"]
    assert ours.patch("/proxies/a", {"upstream": listen}).status == 400
    assert ours.get("/proxies/a").json()["upstream"] == "127.0.0.1:1"
    circle = {"name": "b", "listen": f"127.0.0.1:{free_port()}"}
    assert ours.post("/proxies", {**circle, "upstream": circle["listen"]}).status == 400


@case("TX-167")
@pytest.mark.engine("toxiproxy")
def test_upstream_when_it_is_the_own_address_then_the_original_connects_to_itself():
    with servers.original(files=300) as server:
        listen = server.api.create("a", "127.0.0.1:1")["listen"]
        assert server.api.patch("/proxies/a", {"upstream": listen}).status == 200
        with Peer.connect(listen) as client:
            assert client.ending() in {"eof", "reset"}
        until_sync(
            lambda: server.log().count("Accepted client") > 100,
            within=Duration.of_s(10),
            what="one client became more than a hundred",
        )
        assert server.api.get("/version").status == 200


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


def calls(api):
    """How many connections to its API the server has."""
    found = api.process().net_connections("tcp")
    return sum(c.laddr.port == api.port and c.status != psutil.CONN_LISTEN for c in found)


@case("TX-169")
@pytest.mark.slow
@pytest.mark.serial  # counts descriptors
def test_descriptors_when_they_run_out_and_come_back_then_proxy(daemon, echo):
    limit = 64
    server = daemon(files=limit)
    api = server.api
    listen = api.create("a", echo.address)["listen"]
    # Callers of the API take one descriptor each, so that exactly none is left for the proxy: with
    # one, it would accept and could not dial. So the caller before them has to be gone.
    until_sync(lambda: not calls(api), within=Duration.of_s(10), what="the API is at rest")
    callers = [Peer.connect(f"{api.host}:{api.port}") for _ in range(limit + 4)]
    until_sync(
        lambda: server.open_files() >= limit,
        within=Duration.of_s(10),
        what="no descriptor is left",
        log=server.log,
    )
    with Peer.connect(listen) as starved:
        starved.send(b"x")
        busy = sum(api.process().cpu_times()[:2])
        assert starved.silent(Duration.of_ms(1000))
        busy = sum(api.process().cpu_times()[:2]) - busy
        for caller in callers:
            caller.close()
        if not api.real:
            assert busy < 0.5, "a busy loop"
            began = clock()
            assert starved.receive(1) == b"x"
            assert clock() - began <= SOON.in_ms + SLACK
            return
        assert api.get("/proxies/a").json()["enabled"] is True
        assert starved.silent(SOON), "the original never accepts again"
    for enabled in (False, True):
        assert api.patch("/proxies/a", {"enabled": enabled}).status == 200
    with Peer.connect(listen) as client:
        client.round_trip()


def numbered(size):
    """Bytes in which a missing, doubled or misplaced stretch shows."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4))


@case("TX-178", effect=True)
@pytest.mark.slow
@pytest.mark.serial  # bounds real time from above
def test_toxic_when_removed_with_much_held_then_all_arrives_in_order_at_a_late_reader(
    ours, upstream
):
    """The reader stalls for a hundred calls where the contract has 13 s: nothing here counts seconds."""
    ours.create("a", upstream.address)
    ours.toxic("a", name="t", attributes={"latency": 60_000})
    data = numbered(12 << 20)
    with ours.connect("a") as client, upstream.accept() as server:
        server.send(data)
        assert client.silent(Duration.of_ms(300))
        began = clock()
        assert ours.delete("/proxies/a/toxics/t").status == 204
        assert clock() - began < 1000 + SLACK
        # The reader is late: the server has answered a hundred others before it reads.
        stays(lambda: ours.get("/proxies/a").status == 200, what="the proxy is there")
        server.finish()
        assert client.rest() == data


def abort_downloads(api, source, count):
    """So many clients of an endless source that leave when everything is full."""
    for _ in range(count):
        client = api.connect("a")
        server = source.accept()
        server.sock.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            while True:
                server.sock.send(b"x" * 65536)
        client.reset()
        server.sock.settimeout(10)
        server.ending()
        server.close()


def goroutines(api):
    """How many the original runs; it has to be started with its runtime's metrics."""
    return int(re.search(rb"^go_goroutines (\d+)$", api.get("/metrics").body, re.MULTILINE)[1])


@case("TX-179")
@pytest.mark.slow
@pytest.mark.serial  # counts descriptors
def test_downloads_when_aborted_then_nothing_of_them_is_left(ours, upstream):
    ours.create("a", upstream.address)
    before = ours.process().num_fds()
    abort_downloads(ours, upstream, 30)
    until_sync(
        lambda: ours.process().num_fds() <= before + 1,
        within=SOON,
        what="open files are back at the start",
    )


@case("TX-179")
@pytest.mark.slow
@pytest.mark.engine("toxiproxy")
def test_downloads_when_aborted_then_the_original_keeps_a_part_of_them():
    with (
        servers.original("-runtime-metrics") as server,
        contextlib.closing(Upstream(echo=False)) as source,
    ):
        server.api.create("a", source.address)
        before = goroutines(server.api)
        abort_downloads(server.api, source, 20)
        stays(
            lambda: goroutines(server.api) >= before + 10,  # about 1.2 of each
            what="a part of the downloads is kept",
        )


@case("TX-180")
@pytest.mark.slow
@pytest.mark.serial  # counts descriptors
def test_connections_when_closed_before_bytes_that_never_pass_then_are(daemon, echo):
    server = daemon("-runtime-metrics")
    api = server.api
    api.create("a", echo.address)
    api.toxic("a", "bandwidth", name="t", stream="upstream", attributes={"rate": 0})

    def left():
        return goroutines(api) if api.real else server.open_files()

    before = left()
    for _ in range(20):
        with api.connect("a") as client:
            client.send(b"x")
    if api.real:
        stays(lambda: left() >= before + 20, what="they stay until the toxic goes")
        assert api.delete("/proxies/a/toxics/t").status == 204
    until_sync(lambda: left() <= before + 1, within=SOON, what="nothing of them is left")


def test_connection_when_both_ends_are_gone_then_its_turns_remain(ours, echo):
    """Not a numbered case: the turns of connections that are over can still be read."""
    ours.create("a", echo.address)
    with ours.connect("a") as client:
        client.round_trip()
    page = ours.get("/proxies/a/turns").json()
    assert [turn["end"] for turn in page["turns"]] == ["answered"]
