"""The API's side of HTTP: pieces, limits, closing. The socket is made up; time is virtual."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.api.answers import Answer
from harness.proxy.api.http import BODY_LIMIT, ApiConnection
from tests.support import virtual_time


class FakeTransport(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data):
        self.written += data

    def close(self):
        self.closed = True


def talk(*pieces, wait=0.0, eof=False):
    """What the API says to ``pieces``; the requests it understood; whether it closed."""
    requests = []

    async def answerer(request):
        await asyncio.sleep(0)  # noqa: TID251 - so that calls take a moment
        requests.append(request)
        return Answer(status=200, body=request.body, content_type="text/plain")

    async def main():
        transport = FakeTransport()
        async with asyncio.TaskGroup() as group:
            api = ApiConnection(answerer, spawn=group.create_task, loop=asyncio.get_running_loop())
            api.connection_made(transport)
            for piece in pieces:
                if not transport.closed:
                    api.data_received(piece)
            if eof:
                api.eof_received()
            await asyncio.sleep(wait or 0.001)  # noqa: TID251 - virtual time
        api.connection_lost(None)
        return transport

    transport = virtual_time.run(main())
    return transport, requests


GET = b"GET /version?x=1 HTTP/1.1\r\nHost: localhost\r\nX-A: B\r\n\r\n"
POST = b"POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"


def test_request_when_whole_then_is_understood_and_answered():
    transport, (request,) = talk(GET)
    assert (request.method, request.path, request.query) == ("GET", "/version", "x=1")
    assert request.headers["x-a"] == "B"
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Toxiproxy-Request-Id: " in transport.written
    assert not transport.closed


@given(st.lists(st.integers(0, len(GET + POST + GET)), max_size=8))
def test_requests_when_pipelined_and_split_anyhow_then_are_answered_in_order(cuts):
    stream = GET + POST + GET
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    transport, requests = talk(*[piece for piece in pieces if piece])
    assert [(r.method, r.body) for r in requests] == [
        ("GET", b""),
        ("POST", b"hello"),
        ("GET", b""),
    ]
    assert transport.written.count(b"HTTP/1.1 200") == 3


def test_request_when_never_complete_then_is_refused_in_time():
    transport, requests = talk(POST[:-1], wait=11)
    assert requests == []
    assert transport.written.startswith(b"HTTP/1.1 408")
    assert transport.closed


def test_connection_when_idle_between_requests_then_is_kept():
    transport, _ = talk(GET, wait=60)
    assert not transport.closed


def test_body_when_too_large_then_is_refused_and_the_connection_kept():
    size = BODY_LIMIT + 1
    head = b"POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
    transport, requests = talk(head, b"x" * size, GET)
    assert transport.written.startswith(b"HTTP/1.1 413")
    assert [request.method for request in requests] == ["GET"]


def test_body_when_endless_then_is_given_up():
    head = b"POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n"
    transport, _ = talk(head, *[b"x" * BODY_LIMIT] * 20)
    assert transport.written.startswith(b"HTTP/1.1 413")
    assert transport.closed


def test_request_when_garbage_then_is_refused_and_closed():
    for garbage in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n"):
        transport, _ = talk(garbage)
        assert transport.written.startswith(b"HTTP/1.1 400")
        assert transport.closed


def test_client_when_it_expects_100_then_gets_it_first():
    head = POST[:-5].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    transport, _ = talk(head, b"hello")
    assert transport.written.startswith(b"HTTP/1.1 100 ")
    assert transport.written.endswith(b"hello")


def test_client_when_it_leaves_then_the_connection_is_closed():
    transport, _ = talk(GET, eof=True)
    assert transport.written.startswith(b"HTTP/1.1 200")
    assert transport.closed
    transport, _ = talk(eof=True)
    assert transport.closed


def test_head_when_answered_then_has_no_body_and_the_connection_goes_on():
    async def main():
        transport = FakeTransport()
        async with asyncio.TaskGroup() as group:
            api = ApiConnection(
                page_not_found, spawn=group.create_task, loop=asyncio.get_running_loop()
            )
            api.connection_made(transport)
            api.data_received(GET.replace(b"GET", b"HEAD") + GET)
        api.connection_lost(None)
        return transport.written

    async def page_not_found(_request):
        return Answer(status=404, body=b"404 page not found\n", content_type="text/plain")

    written = virtual_time.run(main())
    assert written.count(b"HTTP/1.1 404") == 2
    assert written.count(b"Content-Length: 19\r\n") == 2
    assert written.count(b"404 page not found\n") == 1


def test_answer_when_it_cannot_be_sent_then_ends_that_connection_alone(capsys):
    """A caller that asked to CONNECT is told nothing more once it was told 200."""
    transport, _ = talk(b"CONNECT /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert transport.closed
    assert "no answer could be sent" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [None, Answer(status=299)])
def test_answer_when_it_is_a_bug_then_ends_that_connection_alone(answer, capsys):
    """In the task group of the server, where an exception would end all of it."""

    async def broken(_request):
        return answer or 1 / 0

    async def main():
        transport = FakeTransport()
        async with asyncio.TaskGroup() as group:
            api = ApiConnection(broken, spawn=group.create_task, loop=asyncio.get_running_loop())
            api.connection_made(transport)
            api.data_received(GET)
        api.connection_lost(None)
        return transport

    assert virtual_time.run(main()).closed
    assert "Error" in capsys.readouterr().err


def test_http_1_0_when_answered_then_is_closed():
    transport, _ = talk(b"GET /version HTTP/1.0\r\n\r\n")
    assert transport.closed
