"""TX-150 to TX-156: toxicity, shown by latency where the contract shows it by timeout.

A toxic that acts makes a round trip take its latency, so 150 ms tell hit from spared.
"""

import json
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from tests.conformance.proxy.conftest import case
from tests.support.proxy_api import Api

DELAY = 150


def pause(seconds):
    """Until what is not held back has surely arrived; the time itself is what is asked."""
    threading.Event().wait(seconds)


def delayed(client):
    return client.round_trip().in_ms >= DELAY


@case("TX-150")
def test_toxicity_when_a_half_then_about_half_of_200_connections_are_hit(api, echo):
    api.create("a", echo.address)
    api.toxic("a", toxicity=0.5, attributes={"latency": DELAY * 10})
    clients = [api.connect("a") for _ in range(200)]
    for client in clients:
        client.send(b"x")
    # One pause for all: what is not there by then is held back.
    pause(0.5)
    hit = sum(not client.readable() for client in clients)
    for client in clients:
        client.close()
    assert 70 <= hit <= 130


@case("TX-151")
def test_toxicity_when_other_toxics_come_and_go_then_one_connection_stays_alike(api, echo):
    api.create("a", echo.address)
    api.toxic("a", name="half", toxicity=0.5, attributes={"latency": DELAY})
    api.toxic("a", name="later")
    with api.connect("a") as client:
        first = delayed(client)
        for number in range(6):
            api.toxic("a", name=f"up{number}", stream="upstream")
            assert delayed(client) is first
            api.patch("/proxies/a/toxics/later", {"attributes": {"jitter": 0}})
            assert delayed(client) is first
            api.delete(f"/proxies/a/toxics/up{number}")


@case("TX-152")
def test_toxicity_when_two_toxics_have_it_then_all_four_combinations_occur(api, echo):
    api.create("a", echo.address)
    api.toxic("a", name="one", toxicity=0.5, attributes={"latency": 100})
    api.toxic("a", name="two", toxicity=0.5, attributes={"latency": 300})
    clients = [api.connect("a") for _ in range(60)]
    for client in clients:
        client.send(b"x")
    seen = set()
    for wait, least in ((0.05, 0), (0.15, 100), (0.15, 300), (0.2, 400)):
        pause(wait)
        arrived = {client for client in clients if client.readable()}
        seen |= {least} if arrived else set()
        clients = [client for client in clients if client not in arrived]
        for client in arrived:
            client.close()
    assert (seen, clients) == ({0, 100, 300, 400}, [])


@case("TX-153")
def test_toxicity_when_its_toxic_is_patched_with_nothing_then_stays(ours, echo):
    ours.create("a", echo.address)
    ours.toxic("a", name="half", toxicity=0.5, attributes={"latency": DELAY})
    with ours.connect("a") as client:
        first = delayed(client)
        for _ in range(12):
            assert ours.patch("/proxies/a/toxics/half", {}).status == 200
            assert delayed(client) is first


@case("TX-154")
def test_toxicity_when_a_toxic_behind_comes_and_goes_then_stays(ours, echo):
    ours.create("a", echo.address)
    ours.toxic("a", name="half", toxicity=0.5, attributes={"latency": DELAY})
    with ours.connect("a") as client:
        first = delayed(client)
        for number in range(12):
            ours.toxic("a", name=f"t{number}")
            ours.delete(f"/proxies/a/toxics/t{number}")
            assert delayed(client) is first


@case("TX-155")
def test_toxicity_when_changed_then_never_or_always_takes_effect_on_open_connections(api, echo):
    api.create("a", echo.address)
    api.toxic("a", name="t", toxicity=0.5, attributes={"latency": DELAY})
    with api.connect("a") as client:
        for toxicity, expected in ((-1, False), (2, True), (0, False), (1, True)):
            assert api.patch("/proxies/a/toxics/t", {"toxicity": toxicity}).status == 200
            assert delayed(client) is expected


def pattern(seed, upstream):
    """Which of 32 connections, made one by one, a toxicity of a half hits."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.proxy", "--seed", str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        parts = urlsplit(json.loads(process.stdout.readline())["api"])
        api = Api(parts.hostname, parts.port, real=False)
        api.create("a", upstream)
        api.toxic("a", toxicity=0.5, attributes={"latency": 50})
        found = []
        for _ in range(32):
            with api.connect("a") as client:
                found.append(client.round_trip().in_ms >= 50)
        return found
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


@case("TX-156")
@pytest.mark.slow
def test_seed_when_the_same_then_so_is_the_pattern(ours, echo):
    first = pattern(42, echo.address)
    assert first == pattern(42, echo.address)
    assert first != pattern(43, echo.address)
    assert len(set(first)) == 2
