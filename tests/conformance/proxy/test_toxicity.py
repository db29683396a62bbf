"""TX-150 to TX-156: toxicity, shown by toxics that hold back or cut: a slow machine draws no lots."""

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


def hit_and_spared(api):
    """Two connections of proxy ``a``: one on which a toxicity of a half acts, and one without."""
    clients = [api.connect("a") for _ in range(30)]
    for client in clients:
        client.send(b"x")
    pause(1)  # what is not there by then is held
    found = {client.readable(): client for client in clients}
    assert set(found) == {True, False}, "thirty connections are all alike"
    for client in clients:
        if client not in found.values():
            client.close()
    assert found[True].receive(1) == b"x"
    return found[False], found[True]


def stay_alike(hit, spared):
    """True if the one is still held and the other is not."""
    spared.round_trip()
    assert held(hit)
    return True


@case("TX-150", effect=True)
@pytest.mark.slow
def test_toxicity_when_a_half_then_about_half_of_200_connections_are_hit(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "timeout", toxicity=0.5)
    clients = [api.connect("a") for _ in range(200)]
    for client in clients:
        client.send(b"x")

    def answered():
        return sum(client.readable() for client in clients)

    until_sync(lambda: answered() >= 70, within=Duration.of_s(5), what="70 of 200 are answered")
    pause(0.5)  # what is not there by then is held
    hit = len(clients) - answered()
    for client in clients:
        client.close()
    assert 70 <= hit <= 130


@case("TX-151", effect=True)
@pytest.mark.slow
def test_toxicity_when_other_toxics_come_and_go_then_one_connection_stays_alike(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "timeout", toxicity=0.5)
    api.toxic("a", "noop", name="later")
    hit, spared = hit_and_spared(api)
    with hit, spared:
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
    pairs = []
    for _ in range(60):
        client = api.connect("a")
        server = upstream.accept()
        client.send(b"x")
        server.send(b"x")
        pairs.append((client, server))

    def seen():
        return {(client.readable(), server.readable()) for client, server in pairs}

    pause(0.5)  # what is not there by then is held
    found = seen()
    for client, _ in pairs:
        client.close()
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
    hit, spared = hit_and_spared(api)
    with hit, spared:
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
    hit, spared = hit_and_spared(api)
    with hit, spared:
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
def test_toxicity_when_changed_then_is_drawn_again_for_each_open_connection(api, echo):
    api.create("a", echo.address)
    api.toxic("a", "timeout", name="t", toxicity=0)
    clients = [api.connect("a") for _ in range(60)]
    for client in clients:
        client.round_trip()
    assert api.patch("/proxies/a/toxics/t", {"toxicity": 0.5}).status == 200
    for client in clients:
        client.send(b"x")
    pause(0.5)  # what is not there by then is held
    hit = sum(not client.readable() for client in clients)
    for client in clients:
        client.close()
    assert 10 <= hit <= 50


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
