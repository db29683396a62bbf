"""TX-108 to TX-115: the slow_close toxic. Bytes pass as they are, only the close behind them waits.

Delays are longer than the contract's where "at once" must be told from them on a slow machine.
"""

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.timing import at_once, clock, within

pytestmark = pytest.mark.serial  # bounds real time from above

MOMENT = Duration.of_ms(100)


def slow(api, upstream, delay, **more):
    """A proxy whose closes wait for ``delay`` ms."""
    api.create("a", upstream.address)
    api.toxic("a", "slow_close", name="t", attributes={"delay": delay}, **more)


@case("TX-108", effect=True)
def test_close_when_behind_an_answer_then_waits_and_the_answer_does_not(api, upstream):
    slow(api, upstream, 800)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(b"answer")
        server.close()
        assert client.receive(6) == b"answer"
        assert at_once(clock() - began)
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 800)


@case("TX-109", effect=True)
def test_delay_when_changed_then_a_waiting_close_starts_again(api, upstream):
    slow(api, upstream, 500)
    with api.connect("a") as client, upstream.accept() as server:
        server.close()
        assert client.silent(MOMENT)
        began = clock()
        assert api.patch("/proxies/a/toxics/t", {"attributes": {"delay": 800}}).status == 200
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 800)


@case("TX-110", effect=True)
def test_toxic_when_removed_then_a_waiting_close_happens_at_once(api, upstream):
    slow(api, upstream, 5000)
    with api.connect("a") as client, upstream.accept() as server:
        server.close()
        assert client.silent(MOMENT)
        began = clock()
        assert api.delete("/proxies/a/toxics/t").status == 204
        assert client.last_words() == (b"", "eof")
        assert at_once(clock() - began)


@case("TX-111", effect=True)
def test_half_close_when_the_client_sends_it_then(api, upstream):
    slow(api, upstream, 500)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.finish()
        assert server.rest() == b""
        assert at_once(clock() - began)
        if not api.real:
            # The other direction goes on, past the delay, until the server closes it.
            assert client.silent(Duration.of_ms(700))
            server.send(b"late")
            assert client.receive(4) == b"late"
            began = clock()
            server.close()
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 500)


@case("TX-112", effect=True)
def test_close_when_the_client_sends_it_then_waits_upstream(api, upstream):
    slow(api, upstream, 500, stream="upstream")
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.close()
        assert server.last_words() == (b"", "eof")
        assert within(clock() - began, 500)


@case("TX-113")
def test_disable_when_closes_are_slow_then_is_not(api, upstream):
    slow(api, upstream, 5000)
    with api.connect("a") as client, upstream.accept():
        began = clock()
        assert api.patch("/proxies/a", {"enabled": False}).status == 200
        assert client.last_words() == (b"", "eof")
        assert at_once(clock() - began)


@case("TX-113", effect=True)
def test_disable_when_a_close_is_waiting_then_ends_it(api, upstream):
    slow(api, upstream, 5000)
    with api.connect("a") as client, upstream.accept() as server:
        server.close()
        assert client.silent(MOMENT)
        began = clock()
        assert api.patch("/proxies/a", {"enabled": False}).status == 200
        assert client.last_words() == (b"", "eof")
        assert at_once(clock() - began)


@case("TX-114", effect=True)
def test_toxics_when_they_come_and_go_before_a_waiting_close_then_it_waits_on(ours, upstream):
    ours.create("a", upstream.address)
    ours.toxic("a", "latency", name="lag")
    ours.toxic("a", "slicer", name="slices", attributes={"average_size": 100})
    ours.toxic("a", "slow_close", name="t", attributes={"delay": 5000})
    with ours.connect("a") as client, upstream.accept() as server:
        server.close()
        assert client.silent(MOMENT)
        for name in ("lag", "slices"):
            assert ours.delete(f"/proxies/a/toxics/{name}").status == 204
        ours.toxic("a", "noop", name="new")
        assert client.silent(MOMENT)
        assert ours.delete("/proxies/a/toxics/t").status == 204
        began = clock()
        assert client.last_words() == (b"", "eof")
        assert at_once(clock() - began)


@case("TX-115", effect=True)
def test_toxic_when_removed_after_one_before_it_then_a_waiting_close(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "latency", name="lag")
    api.toxic("a", "slow_close", name="t", attributes={"delay": 5000})
    with api.connect("a") as client, upstream.accept() as server:
        server.close()
        assert client.silent(MOMENT)
        for name in ("lag", "t"):
            assert api.delete(f"/proxies/a/toxics/{name}").status == 204
        if api.real:
            assert client.silent(Duration.of_ms(1000)), "the original does not release it"
        else:
            began = clock()
            assert client.last_words() == (b"", "eof")
            assert at_once(clock() - began)
