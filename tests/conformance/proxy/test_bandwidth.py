"""TX-096 to TX-107: the bandwidth toxic. KB are 1000 bytes, the rate is each connection's own."""

import threading

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.timing import at_once, clock, within

pytestmark = pytest.mark.serial  # bounds real time from above

# The rate times 100 is the largest whole number of 64 bits, or a hair more.
LARGEST = 92233720368547758


@case("TX-096", effect=True)
def test_round_trip_when_limited_then_takes_its_share(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "bandwidth", attributes={"rate": 100})
    with api.connect("a") as client:
        assert at_once(client.round_trip().in_ms)
    for count, least in ((1000, 8), (10_000, 80)):
        with api.connect("a") as client:
            assert within(client.round_trip(bytes(count)).in_ms, least)


@case("TX-097", effect=True)
def test_bytes_when_limited_then_come_in_pieces_every_100_ms(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", attributes={"rate": 100})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(bytes(100_000))
        arrivals = [(at - began, count) for at, count in client.arrivals(100_000)]
    assert arrivals[0][0] >= 95
    assert arrivals[-1][1] == 100_000
    assert within(arrivals[-1][0], 950)
    # At no time is more through than the rate allows, one piece more for the clock's grain.
    assert all(count <= 100 * at + 10_000 for at, count in arrivals)


@case("TX-098", effect=True)
def test_kilobyte_when_counted_then_has_1000_bytes(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", attributes={"rate": 1000})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(bytes(1_024_000))
        assert len(client.receive(1_024_000)) == 1_024_000
        # The contract asks for 1000; kilobytes of 1024 bytes would take that long too.
        assert within(clock() - began, 1010)


@case("TX-099", effect=True)
def test_connections_when_three_then_each_has_the_whole_rate(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", attributes={"rate": 100})
    clients, servers = [], []
    for _ in range(3):
        clients.append(api.connect("a"))
        servers.append(upstream.accept())
    began = clock()
    for server in servers:
        server.send(bytes(50_000))
    for client in clients:
        assert len(client.receive(50_000)) == 50_000
    # All together would take 1500.
    assert 450 <= clock() - began < 1400
    for client in clients:
        client.close()


@case("TX-100", effect=True)
def test_close_when_behind_bytes_then_comes_after_the_last(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", attributes={"rate": 100})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(bytes(50_000))
        server.close()
        assert client.last_words() == (bytes(50_000), "eof")
        assert within(clock() - began, 450)


@case("TX-101", effect=True)
def test_toxic_when_removed_then_the_rest_arrives_at_once(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", name="t", attributes={"rate": 10})
    data = bytes(range(250)) * 200
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(data)
        got = client.receive(3000)
        assert clock() - began >= 290
        began = clock()
        assert api.delete("/proxies/a/toxics/t").status == 204
        assert got + client.receive(len(data) - len(got)) == data
        assert at_once(clock() - began)


@case("TX-102", effect=True)
def test_rate_when_0_then_lets_nothing_pass_until_it_is_removed(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "bandwidth", name="t", attributes={"rate": 0})
    with api.connect("a") as client:
        client.send(b"abc")
        assert client.silent(Duration.of_ms(500))
        assert api.delete("/proxies/a/toxics/t").status == 204
        assert client.receive(3) == b"abc"


@case("TX-103", effect=True)
def test_close_when_bytes_before_it_are_held_for_ever_then(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", attributes={"rate": 0})
    with api.connect("a") as client, upstream.accept() as server:
        server.send(b"abc")
        assert client.silent(Duration.of_ms(200))
        began = clock()
        server.close()
        if api.real:
            assert client.silent(Duration.of_ms(1000)), "the original never tells"
        else:
            got, how = client.last_words()
            assert got in {b"", b"abc"}
            assert how == "eof"
            assert at_once(clock() - began)


@case("TX-104")
def test_rate_when_negative_then_is_refused(ours):
    ours.create("a", "127.0.0.1:1")
    body = {"type": "bandwidth", "attributes": {"rate": -1}}
    reply = ours.post("/proxies/a/toxics", body)
    assert reply.status == 400
    assert reply.error.startswith("rate: ")
    ours.toxic("a", "bandwidth", name="t", attributes={"rate": 1})
    assert ours.patch("/proxies/a/toxics/t", body).error.startswith("rate: ")
    assert ours.get("/proxies/a/toxics/t").json()["attributes"]["rate"] == 1


@case("TX-105")
def test_rate_when_just_not_too_large_then_is_no_limit(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "bandwidth", attributes={"rate": LARGEST})
    with api.connect("a") as client:
        client.round_trip()


@case("TX-105")
@pytest.mark.parametrize("rate", [LARGEST + 1, 2**63 - 1])
def test_rate_when_it_would_overflow_then_is_no_limit(ours, echo, rate):
    ours.create("a", echo.address)
    ours.toxic("a", "bandwidth", attributes={"rate": rate})
    with ours.connect("a") as client:
        client.round_trip(bytes(100_000))


@case("TX-106", effect=True)
def test_sender_when_faster_than_the_rate_then_is_blocked(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", name="t", stream="upstream", attributes={"rate": 1000})
    block, sent, arrived = bytes(65536), 0, []
    with api.connect("a") as client, upstream.accept() as server:
        reader = threading.Thread(target=lambda: arrived.append(len(server.rest())))
        reader.start()
        before = api.process().memory_info().rss
        began = clock()
        client.sock.settimeout(0.2)
        while clock() - began < 1500 and sent < 200 << 20:
            try:
                sent += client.sock.send(block)
            except TimeoutError:
                continue
        grown = api.process().memory_info().rss - before
        assert api.delete("/proxies/a/toxics/t").status == 204
        client.finish()
        reader.join()
        # What passed, what our bound is, and what the kernel's buffers take.
        assert sent < 45 << 20, sent
        assert grown < 64 << 20, grown
        assert arrived == [sent]


@case("TX-107", effect=True)
def test_latency_when_behind_bandwidth_then_they_overlap(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", attributes={"rate": 10})
    api.toxic("a", "latency", name="lag", attributes={"latency": 200})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(bytes(5000))
        for least in (200, 200, 300, 400, 500):
            assert len(client.receive(1000)) == 1000
            assert clock() - began >= least
        assert within(clock() - began, 500)


@case("TX-107", effect=True)
def test_latency_when_as_long_as_the_transfer_then_adds_nothing(api, upstream):
    """The same at a scale at which a sum of both, 2000, cannot be a slow machine."""
    api.create("a", upstream.address)
    api.toxic("a", "bandwidth", attributes={"rate": 10})
    api.toxic("a", "latency", name="lag", attributes={"latency": 1000})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(bytes(10_000))
        assert len(client.receive(10_000)) == 10_000
        assert within(clock() - began, 1000, slack=900)
