"""TX-127 to TX-133: the reset_peer toxic. The first byte or close starts its timer, then both get RST."""

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.timing import at_once, clock, within

pytestmark = pytest.mark.serial  # bounds real time from above


def resetting(api, server, timeout, **more):
    """A proxy in front of ``server`` with a reset_peer toxic ``t``."""
    api.create("a", server.address)
    api.toxic("a", "reset_peer", name="t", attributes={"timeout": timeout}, **more)


@case("TX-127", effect=True)
def test_timer_when_nothing_is_sent_then_does_not_start(api, upstream):
    resetting(api, upstream, 300)
    with api.connect("a") as client, upstream.accept() as server:
        assert client.silent(Duration.of_ms(800))
        began = clock()
        server.send(b"x")
        assert client.last_words() == (b"", "reset")
        assert within(clock() - began, 300)
        assert server.last_words() == (b"", "reset")


@case("TX-128", effect=True)
def test_timer_when_upstream_then_the_clients_byte_starts_it(api, upstream):
    resetting(api, upstream, 300, stream="upstream")
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.send(b"x")
        assert client.last_words() == (b"", "reset")
        assert within(clock() - began, 300)
        assert server.last_words() == (b"", "reset")


@case("TX-128", effect=True)
def test_timer_when_the_server_closes_then_starts(api, upstream):
    resetting(api, upstream, 200)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.close()
        assert client.last_words() == (b"", "reset")
        assert within(clock() - began, 200)


@case("TX-129", effect=True)
@pytest.mark.parametrize("timeout", [0, -1])
def test_reset_when_there_is_no_time_to_wait_then_comes_at_once(api, upstream, timeout):
    resetting(api, upstream, timeout)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(b"x")
        assert client.last_words() == (b"", "reset")
        assert at_once(clock() - began)


@case("TX-130", effect=True)
def test_toxic_when_added_to_an_open_connection_then_ends_it_by(api, upstream):
    api.create("a", upstream.address)
    with api.connect("a") as client, upstream.accept() as server:
        server.send(b"before")
        assert client.receive(6) == b"before"
        api.toxic("a", "reset_peer")
        server.send(b"x")
        assert client.last_words() == (b"", "eof" if api.real else "reset")


@case("TX-131")
def test_close_when_the_toxic_never_acts_then_is(api, upstream):
    resetting(api, upstream, 300, toxicity=0)
    with api.connect("a") as client, upstream.accept() as server:
        server.send(b"answer")
        assert client.receive(6) == b"answer"
        server.close()
        assert client.last_words() == (b"", "reset" if api.real else "eof")


@case("TX-132")
def test_close_when_the_toxic_went_before_it_acted_then_is(api, upstream):
    resetting(api, upstream, 300)
    with api.connect("a") as client, upstream.accept() as server:
        assert api.delete("/proxies/a/toxics/t").status == 204
        server.send(b"answer")
        assert client.receive(6) == b"answer"
        server.close()
        assert client.last_words() == (b"", "reset" if api.real else "eof")


@case("TX-133", effect=True)
@pytest.mark.parametrize("timeout", [2000, 60_000])
def test_toxic_when_removed_with_a_reset_pending_then_resets_at_once(ours, upstream, timeout):
    resetting(ours, upstream, timeout)
    with ours.connect("a") as client, upstream.accept() as server:
        server.send(b"x")
        assert client.silent(Duration.of_ms(100))
        began = clock()
        assert ours.delete("/proxies/a/toxics/t").status == 204
        assert ours.get("/proxies").status == 200
        assert client.last_words() == (b"", "reset")
        assert at_once(clock() - began)
