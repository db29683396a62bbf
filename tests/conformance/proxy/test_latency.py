"""TX-081 to TX-095: the latency toxic. Lower bounds must hold; upper ones are 500 ms more at least."""

import threading
import time

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case

pytestmark = pytest.mark.serial  # bounds real time from above

SLACK = 500


def clock():
    return time.monotonic_ns() / 1e6


def within(took, least):
    """``took`` milliseconds: not less than ``least``, not much more."""
    assert least <= took <= least + SLACK, took
    return True


@case("TX-081")
def test_round_trip_when_delayed_then_takes_it_and_connect_does_not(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 200})
    began = clock()
    with api.connect("a") as client:
        assert clock() - began < 100
        assert within(client.round_trip().in_ms, 200)


@case("TX-082")
def test_round_trip_when_delayed_three_times_then_they_add_up(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 200})
    api.toxic("a", stream="upstream", attributes={"latency": 100})
    api.toxic("a", name="second", attributes={"latency": 100})
    with api.connect("a") as client:
        assert within(client.round_trip().in_ms, 400)


@case("TX-083")
def test_bytes_when_sent_apart_then_each_is_delayed_alone(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 300})
    with api.connect("a") as client:
        began, sent = clock(), []

        def send():
            for number in range(10):
                sent.append(clock())
                client.send(bytes([number]))
                threading.Event().wait(0.03)

        sender = threading.Thread(target=send)
        sender.start()
        for number in range(10):
            assert client.receive(1) == bytes([number])
            assert clock() - sent[number] >= 300
        sender.join()
        assert clock() - began < 1100


@case("TX-084")
def test_close_when_behind_bytes_then_is_delayed_with_them_and_alone_not(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", attributes={"latency": 300})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(b"answer")
        server.close()
        assert client.rest() == b"answer"
        assert within(clock() - began, 300)
    with api.connect("a") as client:
        server = upstream.accept()
        began = clock()
        server.close()
        assert client.rest() == b""
        assert clock() - began < 100


@case("TX-085")
def test_close_when_the_client_sends_it_then_is_delayed_behind_its_bytes(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", stream="upstream", attributes={"latency": 300})
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.send(b"question")
        client.close()
        assert server.rest() == b"question"
        assert within(clock() - began, 300)


@case("TX-086")
@pytest.mark.slow
def test_jitter_when_drawn_often_then_is_in_its_range_and_around_the_middle(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 50, "jitter": 40})
    with api.connect("a") as client:
        took = [client.round_trip().in_ms for _ in range(60)]
    assert min(took) >= 10
    assert sorted(took)[-3] <= 90 + 30
    assert 40 <= sum(took) / len(took) <= 70


@case("TX-087")
def test_writes_when_small_and_jittered_then_order_is_kept(api, echo):
    api.create("a", echo.address)
    api.toxic("a", attributes={"latency": 30, "jitter": 30})
    with api.connect("a") as client:
        for number in range(100):
            client.send(bytes([number]))
        assert client.receive(100) == bytes(range(100))


@case("TX-088")
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
        assert clock() - began < 100


@case("TX-089")
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
        assert clock() - began < 100
        assert client.receive(3) == b"def"
        assert within(clock() - sent, 1000)


@case("TX-090")
@pytest.mark.parametrize(
    ("attributes", "least", "most"),
    [
        ({"latency": 10, "jitter": 100}, 0, 110 + SLACK),
        ({"latency": -1000}, 0, 100),
        ({"latency": 10, "jitter": -100}, 10, 10 + SLACK),
    ],
)
def test_attributes_when_odd_then_count_as_the_nearest_sense(api, echo, attributes, least, most):
    api.create("a", echo.address)
    api.toxic("a", attributes=attributes)
    with api.connect("a") as client:
        for _ in range(5):
            assert least <= client.round_trip().in_ms <= most


@case("TX-091")
@pytest.mark.parametrize("latency", [2**63 - 1, 9223372036855])
def test_latency_when_it_would_overflow_then(api, echo, latency):
    api.create("a", echo.address)
    body = {"type": "latency", "attributes": {"latency": latency}}
    reply = api.post("/proxies/a/toxics", body)
    if api.real:
        with api.connect("a") as client:
            assert client.round_trip().in_ms < 100, "the original does not delay at all"
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


@case("TX-093")
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
        assert clock() - began < 1000
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
        assert clock() - began < 2000
        sender.join()


@case("TX-095")
def test_connections_when_three_hundred_then_all_are_delayed_together(api, echo):
    api.create("a", echo.address)
    clients = [api.connect("a") for _ in range(300)]
    for client in clients:
        client.round_trip()
    api.toxic("a", attributes={"latency": 100})
    began = clock()
    for client in clients:
        client.send(b"x")
    for client in clients:
        assert client.receive(1) == b"x"
        assert 100 <= clock() - began <= 600
        client.close()
