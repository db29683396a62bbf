"""Warming, on socket pairs: which connections are good afterwards, and which are to be opened again."""

import asyncio
import socket

import pytest

from harness.model.address import Address
from harness.model.plan import HttpCall
from harness.model.units import Duration
from harness.traffic import warming
from harness.traffic.connection import Connection
from harness.traffic.warming import WarmCall, warm

CALL = WarmCall(method="GET", content=b"GET /healthz HTTP/1.1\r\n\r\n")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_call_when_filled_then_goes_out_as_it_is() -> None:
    call = HttpCall(method="GET", path="/healthz/{x}", headers={"X-Mark": "{y}"})
    made = WarmCall.of(call, Address("127.0.0.1", 8000))
    assert made.method == "GET"
    assert made.content.startswith(b"GET /healthz/%7Bx%7D HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    assert b"\r\nX-Mark: {y}\r\n" in made.content
    assert b"Content-Length" not in made.content


def warmed(*answers: bytes | None) -> tuple[list[bool], bool, list[bytes]]:
    """Which connections stayed good, whether one had no answer, and what the servers received."""
    pairs = [socket.socketpair() for _ in answers]
    connections = [Connection(Address("app", 1), (), what="app") for _ in answers]
    try:
        for connection, (ours, theirs), answer in zip(connections, pairs, answers, strict=True):
            ours.setblocking(False)
            theirs.setblocking(False)
            connection.socket = ours
            if answer is not None:
                theirs.sendall(answer)
                if not answer:
                    theirs.shutdown(socket.SHUT_WR)
        spoilt, late = asyncio.run(warm([(connection, CALL) for connection in connections]))
        received = [theirs.recv(1000) for _, theirs in pairs]
        return [connection not in spoilt for connection in connections], late, received
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        pytest.param(OK, True, id="answered"),
        pytest.param(OK.replace(b"200", b"503"), True, id="whatever-the-status"),
        pytest.param(OK.replace(b"1.1", b"1.0"), False, id="http-1.0"),
        pytest.param(OK + OK, False, id="twice"),
        pytest.param(b"no http", False, id="no-http"),
        pytest.param(b"", False, id="closed"),
    ],
)
def test_a_connection_when_answered_then_is_good_if_the_server_goes_on_with_it(
    answer: bytes, good: bool
) -> None:
    assert warmed(answer) == ([good], False, [CALL.content])


def test_connections_when_one_has_no_answer_then_that_one_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warming, "WARM_LIMIT", Duration.of_ms(50))
    good, late, _ = warmed(OK, None, OK)
    assert (good, late) == ([True, False, True], True)


def test_our_side_when_warm_then_stays_open() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        connection = Connection(Address("app", 1), (), what="app")
        connection.socket = ours
        theirs.sendall(OK)
        asyncio.run(warm([(connection, CALL)]))
        assert theirs.recv(1000) == CALL.content
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
