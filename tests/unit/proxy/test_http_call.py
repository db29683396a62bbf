"""One call, bounded as a whole: servers that trickle, hang, or say no HTTP."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.model.address import Address
from harness.model.units import Duration
from harness.proxy.http_call import http_call
from tests.support.canned import Canned

S5 = Duration.of_s(5)
SHORT = Duration.of_ms(300)


@contextmanager
def trickling(beginning: bytes) -> Iterator[Address]:
    """A server that sends ``beginning`` and then a byte now and then, for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(beginning)
                while not over.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield Address("127.0.0.1", listening.getsockname()[1])
        over.set()
        thread.join()


def at(canned: Canned) -> Address:
    return Address.parse(canned.url.removeprefix("http://"))


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"HTTP/1.1 200 ", id="status-line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Endless: ", id="header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", id="body"),
    ],
)
def test_call_when_the_answer_trickles_then_it_ends_at_the_limit_all_the_same(
    beginning: bytes,
) -> None:
    with trickling(beginning) as address:
        began = time.monotonic_ns()
        with pytest.raises(TimeoutError):
            http_call("GET", address, "/", limit=SHORT)
        assert Duration.of_ns(time.monotonic_ns() - began) < S5


def test_call_when_nothing_answers_then_it_ends_at_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        http_call("GET", Address(*silent.getsockname()), "/", limit=SHORT)


def test_call_when_there_is_content_then_it_is_sent_as_json() -> None:
    with Canned({"POST /x": (201, b'{"a": 1}')}) as canned:
        answer = http_call("POST", at(canned), "/x", limit=S5, content={"name": "\u00fc"})
    assert (answer.status_code, answer.json()) == (201, {"a": 1})
    ((method, path, body),) = canned.asked
    assert (method, path, json.loads(body)) == ("POST", "/x", {"name": "\u00fc"})


def test_call_when_the_host_is_a_name_then_each_of_its_addresses_is_tried() -> None:
    with Canned({"GET /x": (200, b"{}")}) as canned:
        named = Address("localhost", at(canned).port)
        assert http_call("GET", named, "/x", limit=S5).status_code == 200


def test_call_when_what_comes_is_no_http_then_it_is_said() -> None:
    with trickling(b"SSH-2.0-x\r\n") as address, pytest.raises(http.client.HTTPException):
        http_call("GET", address, "/", limit=S5)


def test_call_when_a_proxy_is_set_in_the_environment_then_it_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Canned({"GET /x": (200, b"{}")}) as canned:
        assert http_call("GET", at(canned), "/x", limit=S5).json() == {}
