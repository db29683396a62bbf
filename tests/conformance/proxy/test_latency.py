"""TX-081 to TX-095: the latency toxic. Lower bounds must hold; upper ones are 500 ms more at least."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.sockets import Peer
from tests.support.timing import SLACK, at_once, clock, pause, within

pytestmark = pytest.mark.serial  # bounds real time from above


@case("TX-081", effect=True)
def test_round_trip_when_delayed_then_takes_it_and_connect_does_not(api, echo):
    listen = api.create("a", echo.address)["listen"]
    api.toxic("a", attributes={"latency": 800})
    began = clock()
    with Peer.connect(listen) as client:
        assert at_once(clock() - began)
        assert within(client.round_trip().in_ms, 800)


@case("TX-082", effect=True)
def test_round_trip_when_delayed_three_times_then_they_add_up(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 200})
    api.toxic("a", stream="upstream", attributes={"latency": 100})
    api.toxic("a", name="second", attributes={"latency": 100})
    with api.connect("a") as client:
        assert within(client.round_trip().in_ms, 400)


@case("TX-083", effect=True)
def test_bytes_when_sent_apart_then_each_is_delayed_alone(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 300})
    with api.connect("a") as client, ThreadPoolExecutor(1) as pool:
        began, sent = clock(), []

        def send():
            for number in range(10):
                sent.append(clock())
                client.send(bytes([number]))
                pause(0.03)  # the rhythm of the sender

        sender = pool.submit(send)
        for number in range(10):
            assert client.receive(1) == bytes([number])
            assert clock() - sent[number] >= 300
        sender.result()
        # One after the other they would take 3000.
        assert clock() - began < 1100 + SLACK


@case("TX-084", effect=True)
def test_close_when_behind_bytes_then_is_delayed_with_them(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", attributes={"latency": 300})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(b"answer")
        server.close()
        assert client.rest() == b"answer"
        assert within(clock() - began, 300)


@case("TX-084")
def test_close_when_alone_then_is_not_delayed(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", attributes={"latency": 5000})
    with api.connect("a") as client:
        server = upstream.accept()
        began = clock()
        server.close()
        assert client.rest() == b""
        assert at_once(clock() - began)


@case("TX-085", effect=True)
def test_close_when_the_client_sends_it_then_is_delayed_behind_its_bytes(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", stream="upstream", attributes={"latency": 300})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.send(b"question")
        client.close()
        assert server.rest() == b"question"
        assert within(clock() - began, 300)


@case("TX-086", effect=True)
@pytest.mark.slow
def test_jitter_when_drawn_often_then_is_in_its_range_and_around_the_middle(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 50, "jitter": 40})
    with api.connect("a") as client:
        took = [client.round_trip().in_ms for _ in range(60)]
    assert min(took) >= 10
    # A stall of the machine is in some trips, not in half of them and not in a tenth.
    took.sort()
    assert 30 <= took[30] <= 70 + 30
    assert took[53] <= 90 + 100


@case("TX-087")
def test_writes_when_small_and_jittered_then_order_is_kept(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 30, "jitter": 30})
    with api.connect("a") as client:
        for number in range(100):
            client.send(bytes([number]))
        assert client.receive(100) == bytes(range(100))


@case("TX-088", effect=True)
def test_toxic_when_removed_then_what_it_holds_arrives_at_once(api, echo):
    api.create("a", echo.address)
    api.toxic("a", name="t", attributes={"latency": 5000})
    with api.connect("a") as client:
        client.send(b"abc")
        assert client.silent(Duration.of_ms(200))
        client.send(b"def")
        assert client.silent(Duration.of_ms(50))
        began = clock()
        assert api.delete("/proxies/a/toxics/t").status == 204
        assert client.receive(6) == b"abcdef"
        assert at_once(clock() - began)


@case("TX-089", effect=True)
def test_toxic_when_changed_then_first_leaves_and_second_counts_from_its_arrival(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", name="t", attributes={"latency": 5000})
    with api.connect("a") as client, upstream.accept() as server:
        server.send(b"abc")
        assert client.silent(Duration.of_ms(100))
        sent = clock()
        server.send(b"def")
        assert client.silent(Duration.of_ms(100))
        began = clock()
        assert api.patch("/proxies/a/toxics/t", {"attributes": {"latency": 1000}}).status == 200
        assert client.receive(3) == b"abc"
        assert at_once(clock() - began)
        assert client.receive(3) == b"def"
        assert within(clock() - sent, 1000)


def five_trips(api, echo, attributes):
    api.create("a", echo.address)
    api.toxic("a", attributes=attributes)
    with api.connect("a") as client:
        return [client.round_trip().in_ms for _ in range(5)]


@case("TX-090")
@pytest.mark.parametrize(
    ("attributes", "most"), [({"latency": 10, "jitter": 100}, 110), ({"latency": -1000}, 100)]
)
def test_attributes_when_odd_then_delays_stop_at_0(api, echo, attributes, most):
    assert max(five_trips(api, echo, attributes)) <= most + SLACK


@case("TX-090", effect=True)
def test_jitter_when_negative_then_is_none(api, echo):
    took = five_trips(api, echo, {"latency": 100, "jitter": -100})
    assert min(took) >= 100
    assert max(took) <= 100 + SLACK


@case("TX-091")
@pytest.mark.parametrize("latency", [2**63 - 1, 9223372036855])
def test_latency_when_it_would_overflow_then(api, echo, latency):
    api.create("a", echo.address)
    body = {"type": "latency", "attributes": {"latency": latency}}
    reply = api.post("/proxies/a/toxics", body)
    if api.real:
        with api.connect("a") as client:
            assert at_once(client.round_trip().in_ms), "the original does not delay at all"
    else:
        assert reply.status == 400
        assert reply.error.startswith("latency: ")


@case("TX-092")
def test_jitter_when_it_would_overflow_then_is_refused(ours):
    ours.create("a", "127.0.0.1:1")
    body = {"type": "latency", "attributes": {"jitter": 2**62}}
    assert ours.post("/proxies/a/toxics", body).error.startswith("jitter: ")
    ours.toxic("a", name="t")
    assert ours.patch("/proxies/a/toxics/t", body).status == 400
    assert ours.get("/proxies/a/toxics/t").json()["attributes"]["jitter"] == 0


@case("TX-093", effect=True)
@pytest.mark.slow
def test_sender_when_it_never_stops_then_blocks_and_removal_delivers_all(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", name="t", stream="upstream", attributes={"latency": 60000})
    block, sent = b"x" * 65536, 0
    with api.connect("a") as client, upstream.accept() as server:
        client.sock.settimeout(1)
        try:
            while sent < 100 << 20:
                sent += client.sock.send(block)
        except TimeoutError:
            pass
        assert 16 << 20 < sent <= 48 << 20, sent  # 40 MiB, and what the kernel's buffers take
        arrived = []
        reader = threading.Thread(target=lambda: arrived.append(len(server.rest())))
        reader.start()
        began = clock()
        assert api.delete("/proxies/a/toxics/t").status == 204
        assert clock() - began < 1000 + SLACK
        client.finish()
        reader.join()
        assert arrived == [sent]


@case("TX-094")
def test_bulk_when_delayed_then_keeps_its_speed(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", attributes={"latency": 50})
    data = bytes(range(256)) * (20 * 4096)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        sender = threading.Thread(target=lambda: (server.send(data), server.finish()))
        sender.start()
        assert client.rest() == data
        assert clock() - began < 2000 + SLACK
        sender.join()


@case("TX-095", effect=True)
def test_connections_when_three_hundred_then_all_are_delayed_together(api, echo):
    api.create("a", echo.address)
    clients = [api.connect("a") for _ in range(300)]
    for client in clients:
        client.round_trip()
    api.toxic("a", attributes={"latency": 1000})
    began = clock()
    for client in clients:
        client.send(b"x")
    for client in clients:
        assert client.receive(1) == b"x"
        assert clock() - began >= 1000
        client.close()
    # One after the other they would take 300 s.
    assert clock() - began <= 1000 + 4 * SLACK
