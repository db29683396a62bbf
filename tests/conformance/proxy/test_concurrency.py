"""TX-170 to TX-178: many callers at once, toxics under traffic, readers that stall."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.proxy.conftest import case


def clock():
    return time.monotonic_ns() / 1e6


def at_once(count, call):
    """The sorted statuses of ``count`` equal calls."""
    with ThreadPoolExecutor(count) as pool:
        return sorted(reply.status for reply in pool.map(lambda _: call(), range(count)))


@case("TX-170")
def test_equal_calls_when_at_once_then_one_wins(api):
    body = {"name": "a", "upstream": "x:1", "listen": "127.0.0.1:0"}
    toxic = {"type": "latency", "name": "t"}
    assert at_once(20, lambda: api.post("/proxies", body)) == [201] + [409] * 19
    assert at_once(20, lambda: api.post("/proxies/a/toxics", toxic)) == [200] + [409] * 19
    assert at_once(20, lambda: api.delete("/proxies/a")) == [204] + [404] * 19


@case("TX-171")
def test_proxies_when_a_hundred_are_made_at_once_then_all_are_there(api):
    with ThreadPoolExecutor(25) as pool:
        list(pool.map(lambda number: api.create(f"p{number}", "x:1"), range(100)))
    assert len(api.get("/proxies").json()) == 100


@case("TX-172")
@pytest.mark.slow
def test_toxics_when_they_come_and_go_under_traffic_then_no_byte_is_wrong(ours, echo):
    ours.create("a", echo.address)
    stop = threading.Event()

    def talk(number):
        data = bytes([number]) * 999
        with ours.connect("a") as client:
            count = 0
            while not stop.is_set():
                client.send(data)
                assert client.receive(len(data)) == data
                count += 1
            return count

    with ThreadPoolExecutor(8) as pool:
        talks = [pool.submit(talk, number) for number in range(8)]
        end = clock() + 3000
        while clock() < end:
            for name, stream in (("one", "upstream"), ("two", "downstream")):
                ours.toxic("a", name=name, stream=stream, attributes={"latency": 3, "jitter": 3})
            ours.patch("/proxies/a/toxics/one", {"attributes": {"latency": 1}})
            for name in ("one", "two"):
                assert ours.delete(f"/proxies/a/toxics/{name}").status == 204
        stop.set()
        assert all(talk.result() > 10 for talk in talks)


@case("TX-174")
def test_toxic_when_added_to_and_removed_from_an_open_connection_then_acts_at_once(api, echo):
    api.create("a", echo.address)
    with api.connect("a") as client:
        for _ in range(3):
            assert client.round_trip().in_ms < 100
            api.toxic("a", name="t", attributes={"latency": 200})
            assert 200 <= client.round_trip().in_ms <= 700
            api.delete("/proxies/a/toxics/t")


def flood(server):
    """Sends until the other end takes no more."""
    server.sock.settimeout(0.5)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 100 << 20:
            sent += server.sock.send(b"x" * 65536)
    server.sock.settimeout(10)
    return sent


@case("TX-175")
def test_toxic_when_added_before_a_stalled_reader_then_no_call_waits(ours, upstream):
    ours.create("a", upstream.address)
    with ours.connect("a"), upstream.accept() as server:
        flood(server)
        began = clock()
        ours.toxic("a", name="t", attributes={"latency": 10})
        assert ours.get("/proxies").status == 200
        with ours.connect("a"), upstream.accept():
            pass
        assert clock() - began < 1000


@case("TX-176")
def test_reader_when_it_dies_stalled_then_nothing_hangs(ours, upstream):
    ours.create("a", upstream.address)
    client, server = ours.connect("a"), upstream.accept()
    flood(server)
    ours.toxic("a", name="t", attributes={"latency": 10})
    client.close()
    began = clock()
    assert ours.get("/proxies/a").status == 200
    assert ours.delete("/proxies/a/toxics/t").status == 204
    assert clock() - began < 1000
    server.close()


@case("TX-177")
@pytest.mark.parametrize("latency", [50, 60_000])
def test_toxic_when_removed_before_a_stalled_reader_then_nothing_is_lost(ours, upstream, latency):
    ours.create("a", upstream.address)
    ours.toxic("a", name="t", attributes={"latency": latency})
    with ours.connect("a") as client, upstream.accept() as server:
        sent = flood(server)
        began = clock()
        assert ours.delete("/proxies/a/toxics/t").status == 204
        assert clock() - began < 1000
        server.finish()
        assert len(client.rest()) == sent
