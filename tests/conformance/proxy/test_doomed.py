"""The rows marked ☠ and ⌛ on the original: it is killed, or it hangs, as the contract says.

Each runs on a server of its own, and only with ``HARNESS_KILL_TOXIPROXY=1``. What ours does in the
same case stands beside the other cases of its toxic.
"""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psutil
import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.sockets import Peer, swallowing
from tests.support.timing import clock, pause
from tests.support.waiting import until_sync

pytestmark = [
    pytest.mark.engine("toxiproxy"),
    pytest.mark.slow,
    pytest.mark.serial,  # a gigabyte of stack, and minutes of patience
    pytest.mark.timeout(180),
]

HANDLER_LIMIT = 25_000  # after so many ms the original answers 503, and the handler goes on
INT63 = "invalid argument to Int63n"
SLICE = "slice bounds out of range"
INDEX = "index out of range"
STACK = "stack overflow"


def dies(doomed, reason):
    """True if the server ends by itself, with ``reason`` in its last words."""
    until_sync(
        lambda: doomed.process.poll() is not None,
        within=Duration.of_s(60),
        what="the original dies",
    )
    assert doomed.process.returncode not in {0, None}
    assert reason in doomed.log(), doomed.log()[-2000:]
    return True


def one_chunk(doomed, echo, data, *toxic, **more):
    """Sends ``data`` through a proxy with one toxic; the answer, as far as it comes."""
    doomed.api.create("a", echo.address)
    doomed.api.toxic("a", *toxic, **more)
    with doomed.api.connect("a") as client:
        client.send(data)
        with contextlib.suppress(OSError):
            return client.receive(len(data))
    return b""


# ☠


@case("TX-092")
def test_original_when_jitter_overflows_then_dies(doomed, echo):
    one_chunk(doomed, echo, b"x", attributes={"jitter": 2**62})
    assert dies(doomed, INT63)


@case("TX-104")
def test_original_when_rate_is_negative_then_dies(doomed, echo):
    one_chunk(doomed, echo, bytes(5000), "bandwidth", attributes={"rate": -1})
    assert dies(doomed, SLICE)


@case("TX-105")
def test_original_when_rate_overflows_then_dies(doomed, echo):
    one_chunk(doomed, echo, b"x", "bandwidth", attributes={"rate": 92233720368547759})
    assert dies(doomed, SLICE)


@case("TX-114")
def test_original_when_toxics_go_before_a_waiting_close_then_dies_of_the_next(doomed, upstream):
    api = doomed.api
    api.create("a", upstream.address)
    api.toxic("a", "latency", name="lag")
    api.toxic("a", "slicer", name="slices", attributes={"average_size": 100})
    api.toxic("a", "slow_close", attributes={"delay": 5000})
    with api.connect("a") as client, upstream.accept() as server:
        server.close()
        assert client.silent(Duration.of_ms(200))
        for name in ("lag", "slices"):
            assert api.delete(f"/proxies/a/toxics/{name}").status == 204
        with contextlib.suppress(OSError):
            api.post("/proxies/a/toxics", {"type": "noop"})
    assert dies(doomed, INDEX)


@case("TX-139")
@pytest.mark.parametrize("attributes", [{}, {"average_size": -1}])
def test_original_when_slices_have_no_size_then_dies_of_its_stack(doomed, echo, attributes):
    one_chunk(doomed, echo, b"x", "slicer", attributes=attributes)
    assert dies(doomed, STACK)


@case("TX-140")
@pytest.mark.parametrize("variation", [12, 20, 2000])
def test_original_when_slices_vary_more_than_their_size_then_dies(doomed, echo, variation):
    api = doomed.api
    api.create("a", echo.address)
    api.toxic("a", "slicer", attributes={"average_size": 10, "size_variation": variation})
    for _ in range(40):
        with contextlib.suppress(OSError), api.connect("a") as client:
            client.send(bytes(5000))
            client.receive(5000)
        if doomed.process.poll() is not None:
            break
    assert dies(doomed, SLICE)


@case("TX-140")
@pytest.mark.parametrize("variation", [11, 2**63 - 1])
def test_original_when_slices_vary_by_one_more_or_without_end_then_lives(doomed, echo, variation):
    data = bytes(range(250)) * 20
    more = {"attributes": {"average_size": 10, "size_variation": variation}}
    assert one_chunk(doomed, echo, data, "slicer", **more) == data
    assert doomed.process.poll() is None


@case("TX-173")
def test_original_when_slow_close_is_in_the_mix_then_dies(doomed, echo):
    api = doomed.api
    api.create("a", echo.address)
    kinds = {
        "latency": {"latency": 2, "jitter": 2},
        "slow_close": {"delay": 50},
        "bandwidth": {"rate": 20_000},
        "slicer": {"average_size": 300, "size_variation": 100, "delay": 10},
    }
    stop = threading.Event()

    def come_and_go():
        with contextlib.suppress(OSError):
            while not stop.is_set():
                with api.connect("a") as client:
                    client.round_trip(b"x" * 999)

    def change():
        for name, attributes in kinds.items():
            body = {"type": name, "name": name, "attributes": attributes}
            api.post("/proxies/a/toxics", body)
        for name in kinds:
            api.delete(f"/proxies/a/toxics/{name}")
        api.post("/reset")

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(come_and_go)
        end = clock() + 30_000
        with contextlib.suppress(OSError):
            while INDEX not in doomed.log() and clock() < end:
                change()
        stop.set()
    assert dies(doomed, INDEX)


# ⌛


def hangs(call, within):
    """True if ``call`` is not answered in time."""
    impatient = replace(call.__self__, patience=within)
    with pytest.raises(TimeoutError):
        getattr(impatient, call.__name__)("/proxies")
    return True


def flood(server):
    """Sends until the other end takes no more; how much that was."""
    sent = 0
    server.sock.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while sent < 100 << 20:
            sent += server.sock.send(b"x" * 65536)
    server.sock.settimeout(10)
    return sent


@case("TX-133")
def test_original_when_a_pending_reset_is_removed_then_answers_after_its_timer(doomed, upstream):
    api = doomed.api
    api.create("a", upstream.address)
    api.toxic("a", "reset_peer", name="t", attributes={"timeout": 2000})
    with api.connect("a") as client, upstream.accept() as server, ThreadPoolExecutor(2) as pool:
        server.send(b"x")
        assert client.silent(Duration.of_ms(200))
        began = clock()
        removal = pool.submit(api.delete, "/proxies/a/toxics/t")
        pause(0.2)  # the removal has its locks by then
        assert api.get("/proxies").status == 200
        assert clock() - began >= 1500, "the list waits for the removal"
        assert removal.result().status == 204


@case("TX-133")
def test_original_when_the_timer_is_long_then_the_removal_is_given_up(doomed, upstream):
    api = doomed.api
    api.create("a", upstream.address)
    api.toxic("a", "reset_peer", name="t", attributes={"timeout": 60_000})
    with api.connect("a") as client, upstream.accept() as server:
        server.send(b"x")
        assert client.silent(Duration.of_ms(200))
        assert is_given_up(lambda: api.delete("/proxies/a/toxics/t"))


def is_given_up(call):
    """True if ``call`` is answered 503 by the page that stands in for a handler that takes too long."""
    began = clock()
    reply = call()
    assert clock() - began >= HANDLER_LIMIT - 100
    assert (reply.status, reply.headers["content-type"][:9]) == (503, "text/html")
    return True


def accepted(api, listen):
    """How many clients of a proxy the server has taken from the kernel's queue."""
    port = int(listen.rpartition(":")[2])
    return sum(
        connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port
        for connection in api.process().net_connections("tcp")
    )


@case("TX-164")
def test_original_when_a_dial_hangs_then_accepts_nobody_else(doomed):
    with swallowing() as dead:
        listen = doomed.api.create("a", dead)["listen"]
        with Peer.connect(listen) as one, Peer.connect(listen) as two:
            for client in (one, two):
                assert client.silent(Duration.of_ms(1500))
            assert accepted(doomed.api, listen) == 1


@case("TX-165")
def test_original_when_disabled_while_a_dial_hangs_then_gives_up(doomed):
    with swallowing() as dead:
        listen = doomed.api.create("a", dead)["listen"]
        with Peer.connect(listen) as client:
            assert client.silent(Duration.of_ms(200))
            assert is_given_up(lambda: doomed.api.patch("/proxies/a", {"enabled": False}))


@case("TX-166")
def test_original_when_a_proxy_is_deleted_while_its_dial_hangs_then_the_api_is_stuck(doomed, echo):
    api = doomed.api
    with swallowing() as dead:
        listen = api.create("a", dead)["listen"]
        api.create("b", echo.address)
        new = {"name": "c", "upstream": echo.address, "listen": "127.0.0.1:0"}
        with Peer.connect(listen) as client, api.connect("b") as other:
            assert client.silent(Duration.of_ms(200))
            with ThreadPoolExecutor(3) as pool:
                calls = [pool.submit(is_given_up, lambda: api.delete("/proxies/a"))]
                pause(0.3)  # the removal has its locks by then
                calls.append(pool.submit(is_given_up, lambda: api.get("/proxies")))
                calls.append(pool.submit(is_given_up, lambda: api.post("/proxies", new)))
                other.round_trip()
                assert api.get("/version").status == 200
                assert all(call.result() for call in calls)


@case("TX-175")
def test_original_when_a_reader_stalls_then_a_new_toxic_waits_and_locks(doomed, upstream, echo):
    api = doomed.api
    api.create("a", upstream.address)
    api.create("b", echo.address)
    with api.connect("b") as other, api.connect("a") as client, upstream.accept() as server:
        sent = flood(server)
        with ThreadPoolExecutor(2) as pool:
            began = clock()
            toxic = pool.submit(api.toxic, "a", attributes={"latency": 10})
            pause(0.3)  # it has its locks by then
            assert hangs(api.get, Duration.of_s(2))
            other.round_trip()
            assert api.get("/version").status == 200
            server.finish()
            assert len(client.rest()) == sent
            assert toxic.result()["type"] == "latency"
            assert clock() - began >= 2000, "answered when the client reads on"


@case("TX-175")
def test_original_when_a_reader_stalls_for_long_then_a_new_toxic_is_given_up(doomed, upstream):
    api = doomed.api
    api.create("a", upstream.address)
    body = {"type": "latency", "attributes": {"latency": 10}}
    with api.connect("a"), upstream.accept() as server:
        flood(server)
        assert is_given_up(lambda: api.post("/proxies/a/toxics", body))


@case("TX-176")
def test_original_when_a_stalled_reader_dies_then_is_locked_for_good(doomed, upstream):
    api = doomed.api
    api.create("a", upstream.address)
    body = {"type": "latency", "attributes": {"latency": 10}}
    client, server = api.connect("a"), upstream.accept()
    flood(server)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(is_given_up, lambda: api.post("/proxies/a/toxics", body))]
        pause(0.5)  # it waits by then
        client.reset()
        calls.append(pool.submit(is_given_up, lambda: api.get("/proxies/a")))
        calls.append(pool.submit(is_given_up, lambda: api.get("/proxies")))
        assert all(call.result() for call in calls)
        assert hangs(api.get, Duration.of_s(3)), "for good"
    server.close()


@case("TX-177")
@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", {"latency": 50}),
        ("bandwidth", {"rate": 100_000}),
        ("slicer", {"average_size": 1000, "delay": 100}),
    ],
)
def test_original_when_a_reader_stalls_then_a_removal_waits_for_it(
    doomed, upstream, kind, attributes
):
    api = doomed.api
    api.create("a", upstream.address)
    api.toxic("a", kind, name="t", attributes=attributes)
    with api.connect("a") as client, upstream.accept() as server:
        sent = flood(server)
        with ThreadPoolExecutor(1) as pool:
            began = clock()
            removal = pool.submit(api.delete, "/proxies/a/toxics/t")
            pause(3)
            assert not removal.done()
            server.finish()
            assert len(client.rest()) == sent
            assert removal.result().status == 204
            assert clock() - began >= 3000


@case("TX-178")
def test_original_when_much_is_held_and_the_reader_stalls_then_loses_bytes(doomed, upstream):
    api = doomed.api
    api.create("a", upstream.address)
    api.toxic("a", name="t", attributes={"latency": 60_000})
    data = b"".join(number.to_bytes(4, "big") for number in range(3 << 20))
    with api.connect("a") as client, upstream.accept() as server:
        server.send(data)
        assert client.silent(Duration.of_ms(500))
        with ThreadPoolExecutor(1) as pool:
            began = clock()
            removal = pool.submit(api.delete, "/proxies/a/toxics/t")
            pause(13)
            server.finish()
            got = client.rest()
            assert removal.result().status == 204
            assert clock() - began >= 13_000
    assert len(got) < len(data), "bytes are missing"
    assert got[-4:] == data[-4:], "and the connection went on"
