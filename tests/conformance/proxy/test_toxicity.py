"""TX-150 to TX-156: toxicity, shown by toxics that hold back or cut: a slow machine draws no lots."""

import contextlib

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.timing import pause
from tests.support.waiting import until_sync

MOMENT = Duration.of_ms(60)


def held(client):
    """True if the echo of a byte does not come: a timeout toxic has dropped it."""
    client.send(b"x")
    return client.silent(MOMENT)


@contextlib.contextmanager
def hit_and_spared(api):
    """Two connections of proxy ``a``: one on which a toxicity of a half acts, and one without.

    Which is which shows at once where an answer came. That nothing came on the other is known for
    certain at the end, when it has been closed and all that was ever passed is read.
    """
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(api.connect("a")) for _ in range(30)]
        for client in clients:
            client.send(b"x")
        until_sync(
            lambda: sum(client.readable() for client in clients) >= 5,
            within=Duration.of_s(10),
            what="5 of 30 are answered",
        )
        spared = next(client for client in clients if client.readable())
        assert spared.receive(1) == b"x"
        for _ in range(100):  # whoever sent his byte before these is answered before them
            spared.round_trip()
        hit = next(
            (client for client in clients if client is not spared and not client.readable()), None
        )
        assert hit is not None, "thirty connections are all alike"
        for client in clients:
            if client not in (hit, spared):
                client.close()
        yield hit, spared
        hit.finish()
        assert hit.rest() == b""


def stay_alike(hit, spared):
    """Asks both; that the one is still held shows in ``hit_and_spared``."""
    hit.send(b"x")
    spared.round_trip()
    return not hit.readable()


def passed(api, upstream, count):
    """How many of so many new connections pass on what the server sends: read up to its end."""
    with contextlib.ExitStack() as opened:
        return passed_on([connected(api, upstream, opened) for _ in range(count)])


def connected(api, upstream, opened):
    """A new connection, from both ends."""
    return opened.enter_context(api.connect("a")), opened.enter_context(upstream.accept())


def passed_on(pairs):
    found = []
    for client, server in pairs:
        server.send(b"x")
        server.close()
        found.append(client.rest())
        client.close()
    assert set(found) <= {b"x", b""}
    return found.count(b"x")


@case("TX-150", effect=True)
@pytest.mark.slow
def test_toxicity_when_a_half_then_about_half_of_200_connections_are_hit(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "timeout", toxicity=0.5)
    assert 70 <= passed(api, upstream, 200) <= 130


@case("TX-151", effect=True)
@pytest.mark.slow
def test_toxicity_when_other_toxics_come_and_go_then_one_connection_stays_alike(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "timeout", toxicity=0.5)
    api.toxic("a", "noop", name="later")
    with hit_and_spared(api) as (hit, spared):
        for number in range(12):
            api.toxic("a", "noop", name=f"up{number}", stream="upstream")
            assert stay_alike(hit, spared)
            assert api.patch("/proxies/a/toxics/later", {}).status == 200
            assert api.delete(f"/proxies/a/toxics/up{number}").status == 204
            assert stay_alike(hit, spared)


@case("TX-152", effect=True)
@pytest.mark.slow
def test_toxicity_when_two_toxics_have_it_then_all_four_combinations_occur(api, upstream):
    """One drops what the client sends, the other what the server sends."""
    api.create("a", upstream.address)
    api.toxic("a", "timeout", toxicity=0.5, stream="upstream")
    api.toxic("a", "timeout", toxicity=0.5, stream="downstream")
    with contextlib.ExitStack() as opened:
        pairs = [connected(api, upstream, opened) for _ in range(60)]
        for client, server in pairs:
            client.send(b"x")
            server.send(b"x")
        pause(0.5)  # what is not there by then is held
        found = {(client.readable(), server.readable()) for client, server in pairs}
    assert found == {(True, True), (True, False), (False, True), (False, False)}


def drawn(api, change):
    """Whether a connection is held, after each of 24 times that ``change`` is done."""
    with api.connect("a") as client:
        found = []
        for number in range(24):
            change(number)
            found.append(held(client))
        return found


@case("TX-153", effect=True)
@pytest.mark.slow
def test_toxicity_when_its_toxic_is_patched_with_nothing_then(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "timeout", name="half", toxicity=0.5)

    def change(_number):
        assert api.patch("/proxies/a/toxics/half", {}).status == 200

    if api.real:
        assert len(set(drawn(api, change))) == 2, "the original draws again each time"
        return
    with hit_and_spared(api) as (hit, spared):
        for number in range(12):
            change(number)
            assert stay_alike(hit, spared)


@case("TX-154", effect=True)
@pytest.mark.slow
def test_toxicity_when_a_toxic_behind_comes_and_goes_then(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "timeout", name="half", toxicity=0.5)

    def change(number):
        api.toxic("a", "noop", name=f"t{number}")
        assert api.delete(f"/proxies/a/toxics/t{number}").status == 204

    if api.real:
        assert len(set(drawn(api, change))) == 2, "the original draws again each time"
        return
    with hit_and_spared(api) as (hit, spared):
        for number in range(12):
            change(number)
            assert stay_alike(hit, spared)


@case("TX-155", effect=True)
@pytest.mark.serial  # bounds real time from above
def test_toxicity_when_changed_then_never_or_always_takes_effect_on_open_connections(api, echo):
    api.create("a", echo.address)
    api.toxic("a", name="t", toxicity=0.5, attributes={"latency": 600})
    with api.connect("a") as client:
        for toxicity, delayed in ((-1, False), (2, True), (0, False), (1, True)):
            assert api.patch("/proxies/a/toxics/t", {"toxicity": toxicity}).status == 200
            assert (client.round_trip().in_ms >= 600) is delayed


@case("TX-155", effect=True)
@pytest.mark.slow
def test_toxicity_when_changed_then_is_drawn_again_for_each_open_connection(api, upstream):
    api.create("a", upstream.address)
    api.toxic("a", "timeout", name="t", toxicity=0)
    with contextlib.ExitStack() as opened:
        pairs = [connected(api, upstream, opened) for _ in range(60)]
        for client, server in pairs:
            server.send(b"y")
            assert client.receive(1) == b"y"
        assert api.patch("/proxies/a/toxics/t", {"toxicity": 0.5}).status == 200
        assert 10 <= passed_on(pairs) <= 50


@case("TX-156", effect=True)
@pytest.mark.slow
def test_seed_when_the_same_then_so_is_the_pattern_with_ours_alone(daemon, echo):
    def pattern(seed):
        """Which of 32 connections, made one by one, a toxicity of a half cuts at their first byte."""
        api = daemon("-seed", str(seed)).api
        api.create("a", echo.address)
        api.toxic("a", "limit_data", toxicity=0.5, attributes={"bytes": 0})
        found = []
        for _ in range(32):
            with api.connect("a") as client:
                client.send(b"x")
                found.append(client.receive(1) == b"")
        return api.real, found

    (real, first), (_, second), (_, other) = pattern(42), pattern(42), pattern(43)
    assert len(set(first)) == 2
    assert (first == second) is not real
    assert first != other
