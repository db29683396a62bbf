"""The package without its defects: one server a call, strict about every answer, bounded in time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.model.units import Duration
from harness.proxy.client import ProxyServer
from harness.proxy.consumer import (
    ProxyCallFailed,
    ProxyUnreachable,
    message_of,
    speaking_to,
)
from tests.support.canned import Canned

PROXY = b'{"name":"a","listen":"127.0.0.1:5","upstream":"x:1","enabled":true,"toxics":[]}'


def server(canned, **more):
    return ProxyServer(canned.url, **more)


def test_package_when_two_servers_are_called_at_once_then_they_never_mix():
    with (
        Canned({"GET /proxies": (200, b"{}")}) as one,
        Canned({"GET /proxies": (200, b'{"a":' + PROXY + b"}")}) as two,
        ThreadPoolExecutor(8) as pool,
    ):
        found = list(pool.map(lambda n: len(server((one, two)[n % 2]).proxies()), range(40)))
        assert found == [0, 1] * 20


def test_package_when_the_call_is_over_then_is_as_before():
    import toxiproxy.proxy
    import toxiproxy.server

    before = (toxiproxy.proxy.APIConsumer, toxiproxy.server.APIConsumer)
    with Canned({}) as canned, pytest.raises(ProxyCallFailed):
        server(canned).proxies()
    assert (toxiproxy.proxy.APIConsumer, toxiproxy.server.APIConsumer) == before
    assert before[0].port == 8474


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b'{"error":"listen tcp 127.0.0.1:5: bind: address already in use","status":500}\n',
         "listen tcp 127.0.0.1:5: bind: address already in use"),
        (503, b"<html><head><title>Timeout</title></head></html>", "<html>"),
        (409, b'{"error":"proxy already exists","status":409}\n', "proxy already exists"),
        (403, b"User agent not allowed\n", "User agent not allowed"),
        (201, b"no json", "no json"),
        (201, b"{}", "the answer lacks 'name'"),
    ],
)  # fmt: skip
def test_create_when_the_answer_is_no_success_then_is_a_failure(status, body, message):
    with (
        Canned({"GET /proxies": (200, b"{}"), "POST /proxies": (status, body)}) as canned,
        pytest.raises(ProxyCallFailed) as failed,
    ):
        server(canned).create("a", upstream="x:1")
    assert message in failed.value.message
    assert failed.value.status == (status if b"name" not in message.encode() else 200)
    assert ("restart" in str(failed.value)) is (status == 503)


def test_create_when_it_is_there_already_then_fails_as_the_server_would():
    with (
        Canned({"GET /proxies": (200, b'{"a":' + PROXY + b"}")}) as canned,
        pytest.raises(ProxyCallFailed) as failed,
    ):
        server(canned).create("a", upstream="x:1")
    assert (failed.value.status, failed.value.message) == (409, "proxy already exists")


def test_call_when_the_server_never_answers_then_ends_in_time():
    with (
        Canned({"GET /proxies": None}) as canned,
        pytest.raises(ProxyUnreachable, match="lost"),
    ):
        server(canned, timeout=Duration.of_ms(100)).proxies()


def test_call_when_nothing_listens_then_is_unreachable():
    with Canned({}) as canned:
        gone = server(canned)
    for call in (gone.proxies, gone.version, lambda: gone.delete("a")):
        with pytest.raises(ProxyUnreachable):
            call()


def test_call_when_a_proxy_is_set_in_the_environment_then_is_ignored(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Canned({"GET /proxies": (200, b"{}")}) as canned:
        assert server(canned).proxies() == {}


def test_call_when_redirected_then_is_not_followed():
    with Canned({"GET /proxies": (301, b"")}) as canned, pytest.raises(ProxyCallFailed):
        server(canned).proxies()


def test_message_when_no_json_then_is_the_beginning_of_what_came():
    assert message_of(b'{"error":"x","status":1}') == "x"
    assert message_of(b"[1]") == "[1]"
    assert message_of(b"x" * 999) == "x" * 200
    assert message_of(b"\xff") == "\ufffd"


def test_package_when_a_call_fails_then_the_next_is_served():
    with Canned({"GET /proxies": (500, b"")}) as canned:
        for _ in range(2):
            with pytest.raises(ProxyCallFailed):
                server(canned).proxies()
        done = threading.Event()

        def other():
            with speaking_to(server(canned).address, Duration.of_s(1)):
                done.set()

        threading.Thread(target=other).start()
        assert done.wait(5)
