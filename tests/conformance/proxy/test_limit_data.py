"""TX-141 to TX-149: the limit_data toxic. So many bytes, then the end, exactly behind the last of them."""

import contextlib
import threading

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.timing import clock, within

MOMENT = Duration.of_ms(300)


def limited(api, server, count, **more):
    """A proxy in front of ``server`` that lets ``count`` bytes pass by a toxic ``t``."""
    api.create("a", server.address)
    api.toxic("a", "limit_data", name="t", attributes={"bytes": count}, **more)


@case("TX-141", effect=True)
def test_bytes_when_just_the_limit_then_all_pass_and_the_end_is_behind_them(api, echo):
    limited(api, echo, 10)
    with api.connect("a") as client:
        client.round_trip(b"12345")
        client.round_trip(b"67890")
        assert client.last_words() == (b"", "eof")


@case("TX-141", effect=True)
def test_bytes_when_more_than_the_limit_then_exactly_so_many_pass(api, echo):
    limited(api, echo, 10)
    with api.connect("a") as client:
        client.send(b"1234567890123456789012345")
        assert client.last_words() == (b"1234567890", "eof")


@case("TX-142", effect=True)
@pytest.mark.parametrize("count", [0, -1])
def test_limit_when_0_or_less_then_the_first_byte_is_the_end(api, echo, count):
    limited(api, echo, count)
    with api.connect("a") as client:
        assert client.silent(MOMENT)
        client.send(b"x")
        assert client.last_words() == (b"", "eof")


@case("TX-143", effect=True)
def test_limit_when_raised_then_the_difference_passes(api, echo):
    limited(api, echo, 10)
    with api.connect("a") as client:
        client.round_trip(b"12345678")
        assert api.patch("/proxies/a/toxics/t", {"attributes": {"bytes": 20}}).status == 200
        client.send(b"abcdefghijklmnopqrstuvwxyzabcd")
        assert client.last_words() == (b"abcdefghijkl", "eof")


@case("TX-143", effect=True)
def test_limit_when_lowered_below_the_count_then_the_next_byte_is_the_end(api, echo):
    limited(api, echo, 10)
    with api.connect("a") as client:
        client.round_trip(b"12345678")
        assert api.patch("/proxies/a/toxics/t", {"attributes": {"bytes": 5}}).status == 200
        assert client.silent(MOMENT)
        client.send(b"x")
        assert client.last_words() == (b"", "eof")


@case("TX-144", effect=True)
def test_toxic_when_added_to_an_open_connection_then_counts_from_0(api, echo):
    api.create("a", echo.address)
    with api.connect("a") as client:
        client.round_trip(b"x" * 100)
        api.toxic("a", "limit_data", attributes={"bytes": 10})
        client.send(b"123456789012345678901234567890")
        assert client.last_words() == (b"1234567890", "eof")


@case("TX-145")
def test_toxic_when_removed_then_all_bytes_pass(api, echo):
    limited(api, echo, 10)
    with api.connect("a") as client:
        client.round_trip(b"12345678")
        assert api.delete("/proxies/a/toxics/t").status == 204
        client.round_trip(b"x" * 50)


@case("TX-146", effect=True)
def test_limit_when_upstream_then_the_server_gets_so_many_and_both_see_the_end(api, upstream):
    limited(api, upstream, 10, stream="upstream")
    with api.connect("a") as client, upstream.accept() as server:
        client.send(b"1234567890123456789012345")
        assert server.last_words() == (b"1234567890", "eof")
        assert client.last_words() == (b"", "eof")


@case("TX-147", effect=True)
def test_limit_when_the_server_sends_much_more_then_exactly_so_many_pass(api, upstream):
    limited(api, upstream, 100_000)
    data = bytes(range(250)) * 4000

    def send():
        with contextlib.suppress(OSError):  # it is cut off in the middle
            server.send(data)

    with api.connect("a") as client, upstream.accept() as server:
        sender = threading.Thread(target=send)
        sender.start()
        assert client.last_words() == (data[:100_000], "eof")
        sender.join()


@case("TX-148", effect=True)
@pytest.mark.serial  # bounds real time from above
def test_slow_close_when_behind_the_limit_then_delays_its_close(api, echo):
    limited(api, echo, 3)
    api.toxic("a", "slow_close", attributes={"delay": 300})
    with api.connect("a") as client:
        began = clock()
        client.send(b"12345")
        assert client.receive(3) == b"123"
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 300)


@case("TX-148", effect=True)
@pytest.mark.serial  # bounds real time from above
def test_slow_close_when_before_the_limit_then_does_not_delay_its_close(api, echo):
    """``slow_close`` waits longer than in the contract, so that it cannot be a slow machine."""
    api.create("a", echo.address)
    api.toxic("a", "latency", attributes={"latency": 300})
    api.toxic("a", "slow_close", attributes={"delay": 2000})
    api.toxic("a", "limit_data", attributes={"bytes": 3})
    with api.connect("a") as client:
        began = clock()
        client.send(b"12345")
        assert client.last_words() == (b"123", "eof")
        assert within(clock() - began, 300)


@case("TX-149", effect=True)
def test_reset_when_behind_the_limit_then_no_byte_passes(api, echo):
    limited(api, echo, 3)
    api.toxic("a", "reset_peer", attributes={"timeout": 0})
    with api.connect("a") as client:
        client.send(b"12345")
        assert client.last_words() == (b"", "reset")
