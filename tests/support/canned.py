"""An HTTP server that says what it was told to, for clients that must survive any answer."""

import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Canned:
    """``answers`` by ``METHOD path``: status and body, or None for never. Others are 404.

    ``asked`` holds what came: method, path and body.
    """

    def __init__(self, answers: Mapping[str, tuple[int, bytes] | None]) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self._release = threading.Event()
        self._http = _Server(("127.0.0.1", 0), _handler(answers, self.asked, self._release))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._release.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what some tests are about."""


def _handler(
    answers: Mapping[str, tuple[int, bytes] | None],
    asked: list[tuple[str, str, bytes]],
    release: threading.Event,
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked.append((self.command, self.path, self.rfile.read(length)))
            found = answers.get(f"{self.command} {self.path}", (404, b"404 page not found\n"))
            if found is None:
                release.wait(10)
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, body = found
            self.send_response(status)
            if status == 301:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815 - the names http.server asks for

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler
