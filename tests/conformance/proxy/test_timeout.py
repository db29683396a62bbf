"""TX-116 to TX-126: the timeout toxic. Bytes are dropped; the connection ends after a time without any.

Times are longer than the contract's where a machine that stalls must not be taken for the timer.
"""

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.timing import at_once, clock, within

pytestmark = pytest.mark.serial  # bounds real time from above


def timing_out(api, server, timeout, **more):
    """A proxy in front of ``server`` with a timeout toxic ``t``."""
    api.create("a", server.address)
    api.toxic("a", "timeout", name="t", attributes={"timeout": timeout}, **more)


@case("TX-116", effect=True)
def test_connection_when_it_times_out_then_both_ends_see_it_and_no_byte_passed(api, upstream):
    timing_out(api, upstream, 400)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.send(b"x")
        assert server.receive(1) == b"x"
        server.send(b"x")
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 400)
        assert server.last_words() == (b"", "eof")


@case("TX-117", effect=True)
def test_timer_when_bytes_keep_coming_then_starts_again(api, echo):
    timing_out(api, echo, 800)
    with api.connect("a") as client:
        began = clock()
        for _ in range(8):
            client.send(b"x")
            last = clock()
            assert client.silent(Duration.of_ms(200))
        assert client.last_words() == (b"", "eof")
        assert clock() - began >= 1400
        assert within(clock() - last, 800)


@case("TX-118", effect=True)
def test_toxic_when_added_to_an_open_connection_then_times_from_now(api, echo):
    api.create("a", echo.address)
    with api.connect("a") as client:
        client.round_trip()
        began = clock()
        api.toxic("a", "timeout", attributes={"timeout": 300})
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 300)


@case("TX-118", effect=True)
def test_timeout_when_changed_then_counts_from_the_change(api, echo):
    timing_out(api, echo, 1000)
    with api.connect("a") as client:
        assert client.silent(Duration.of_ms(200))
        began = clock()
        assert api.patch("/proxies/a/toxics/t", {"attributes": {"timeout": 1100}}).status == 200
        # Without a new start: 800 by the old time, 900 by the new one.
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 1100)


@case("TX-119", effect=True)
@pytest.mark.parametrize("timeout", [0, -1])
def test_timeout_when_0_or_less_then_drops_and_never_closes(api, echo, timeout):
    timing_out(api, echo, timeout)
    with api.connect("a") as client:
        client.send(b"x")
        assert client.silent(Duration.of_ms(500))


@case("TX-120", effect=True)
@pytest.mark.parametrize("how", ["delete", "reset"])
def test_toxic_when_it_goes_then_its_connections_are_closed(api, echo, how):
    timing_out(api, echo, 0)
    with api.connect("a") as client:
        client.send(b"lost")
        assert client.silent(Duration.of_ms(100))
        began = clock()
        gone = api.post("/reset") if how == "reset" else api.delete("/proxies/a/toxics/t")
        assert gone.status == 204
        assert client.last_words() == (b"", "eof")
        assert at_once(clock() - began)
    with api.connect("a") as client:
        client.round_trip()


@case("TX-121")
def test_toxic_when_it_never_acted_and_goes_then_connections(api, echo):
    timing_out(api, echo, 0, toxicity=0)
    with api.connect("a") as client:
        client.round_trip()
        assert api.delete("/proxies/a/toxics/t").status == 204
        if api.real:
            assert client.last_words() == (b"", "eof")
        else:
            client.round_trip()


@case("TX-122", effect=True)
def test_toxic_when_it_stops_to_act_after_it_dropped_bytes_then(api, echo):
    timing_out(api, echo, 0)
    with api.connect("a") as client:
        client.send(b"lost")
        assert client.silent(Duration.of_ms(200))
        assert api.patch("/proxies/a/toxics/t", {"toxicity": 0}).status == 200
        if api.real:
            client.send(b"later")
            assert client.receive(5) == b"later", "a hole in the stream"
        else:
            assert client.last_words() == (b"", "eof")


@case("TX-123", effect=True)
def test_timeout_when_upstream_then_nobody_hears_the_client_and_it_hears_the_server(api, upstream):
    timing_out(api, upstream, 0, stream="upstream")
    with api.connect("a") as client, upstream.accept() as server:
        client.send(b"lost")
        server.send(b"pushed")
        assert client.receive(6) == b"pushed"
        assert server.silent(Duration.of_ms(200))


@case("TX-124", effect=True)
def test_close_when_the_server_sends_it_then_passes_at_once_without_its_bytes(api, upstream):
    timing_out(api, upstream, 0)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(b"lost")
        server.close()
        assert client.last_words() == (b"", "eof")
        assert at_once(clock() - began)


@case("TX-124")
def test_close_when_the_client_sends_it_then_passes_at_once(api, upstream):
    timing_out(api, upstream, 0)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.close()
        assert server.last_words() == (b"", "eof")
        assert at_once(clock() - began)


@case("TX-125", effect=True)
def test_timeout_when_behind_a_longer_latency_then_is_first(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "latency", attributes={"latency": 3000})
    api.toxic("a", "timeout", attributes={"timeout": 100})
    began = clock()
    with api.connect("a") as client:
        client.send(b"x")
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 100)


@case("TX-126")
@pytest.mark.parametrize("timeout", [2**63 - 1, 9223372036855])
def test_timeout_when_it_would_overflow_then_is_refused(ours, timeout):
    ours.create("a", "127.0.0.1:1")
    body = {"type": "timeout", "attributes": {"timeout": timeout}}
    reply = ours.post("/proxies/a/toxics", body)
    assert reply.status == 400
    assert reply.error.startswith("timeout: ")


@case("TX-126")
@pytest.mark.engine("toxiproxy")
def test_timeout_when_it_overflows_the_original_then_it_never_closes(theirs, echo):
    timing_out(theirs, echo, 2**63 - 1)
    with theirs.connect("a") as client:
        client.send(b"x")
        assert client.silent(Duration.of_ms(500))
