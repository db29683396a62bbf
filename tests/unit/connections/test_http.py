"""HTTP clients, against a small server of the standard library on loopback."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.connections import http as http_module
from harness.connections.http import HttpClient
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration

S30 = Duration.of_s(30)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hung = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/hang":
            self.hung.wait(30)
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "/echo/" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.path)))
            self.end_headers()
            self.wfile.write(self.path.encode())
            return
        content = self.headers.get("X-Mark", "").encode() + b"x" * int(
            self.path.partition("=")[2] or 0
        )
        self.send_response(200)
        self.send_header("X-Twice", "1")
        self.send_header("X-Twice", "2")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@contextmanager
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            Handler.hung.set()
            listening.shutdown()
            thread.join()
            Handler.hung.clear()


def against(url: str, use: Callable[[HttpClient], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        client = HttpClient(url, what="service app")
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(main())


def get(url: str, path: str, within: Duration = S30, **headers: str) -> Any:
    return against(
        url, lambda client: client.call("GET", path, headers=headers, body=None, within=within)
    )


def test_a_call_when_answered_then_all_of_it_is_there() -> None:
    with server() as url:
        answer = get(url, "/?size=3", **{"X-Mark": "m"})
    assert (answer.status, answer.body) == (200, b"mxxx")
    assert answer.headers["x-twice"] == "1, 2"
    assert answer.elapsed > Duration.ZERO


def test_a_call_when_with_a_body_then_is_sent() -> None:
    with server() as url:
        answer = against(
            url,
            lambda client: client.call("POST", "/", headers={}, body=b"{}", within=S30),
        )
    assert (answer.status, answer.body) == (201, b"{}")


@pytest.mark.parametrize(
    "path", ["/echo/a%2Fb", "/echo/a%3Ab%41?c=%2B+[1]", "//elsewhere/echo/x", "/echo/../y"]
)
def test_a_path_when_called_then_goes_out_as_it_stands_to_the_service_itself(path: str) -> None:
    with server() as url:
        assert get(f"{url}/ignored", path).body.decode().lstrip("/") == path.lstrip("/")


def test_a_redirect_when_answered_then_is_not_followed() -> None:
    with server() as url:
        assert get(url, "/moved").status == 302


def test_a_call_when_no_answer_comes_then_says_how_long_it_waited() -> None:
    with (
        server() as url,
        pytest.raises(TargetError, match=r"GET .*/hang had no answer within 100 ms"),
    ):
        get(url, "/hang", Duration.of_ms(100))


def test_a_call_when_hung_up_on_then_says_so() -> None:
    with server() as url, pytest.raises(TargetError, match=r"service app: GET .*/cut failed"):
        get(url, "/cut")


def test_a_body_when_too_large_then_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MOST_BODY", 1000)
    with server() as url, pytest.raises(TargetError, match="more than 16 MiB"):
        get(url, "/?size=1001")


def test_a_call_when_nobody_listens_then_says_so() -> None:
    with pytest.raises(TargetError, match=r"http://127\.0\.0\.1:1/ failed: .*(refused|connect)"):
        get("http://127.0.0.1:1", "/")


def test_a_url_when_not_of_http_then_is_refused() -> None:
    with pytest.raises(UserError, match="no address for HTTP"):
        HttpClient("postgresql://h/x", what="service app")
