"""Takes from the vault: naive reads, checks and writes back; atomic asks the store to do it."""

import http.client
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STORE = os.environ["STORE"]
VARIANT = os.environ.get("VARIANT", "naive")


def ask(method: str, path: str, body: dict[str, int] | None = None) -> tuple[int, dict[str, int]]:
    connection = http.client.HTTPConnection(STORE, timeout=60)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def take(amount: int) -> int:
    if VARIANT == "atomic":
        return ask("POST", "/take", {"amount": amount})[0]
    value = ask("GET", "/value")[1]["value"]
    if value < amount:
        return 409
    return ask("POST", "/set", {"value": value - amount})[0]


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.answer(200)

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.answer(take(sent["amount"]))

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
