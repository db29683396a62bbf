"""A number behind HTTP, with a conditional take: the smallest database that can be raced against."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

START = 100
lock = Lock()
state = {"value": START}


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.answer(200, dict(state))

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        with lock:
            if self.path == "/reset":
                state["value"] = START
            elif self.path == "/set":
                state["value"] = sent["value"]
            elif self.path == "/take":
                if state["value"] < sent["amount"]:
                    self.answer(409, dict(state))
                    return
                state["value"] -= sent["amount"]
            self.answer(200, dict(state))

    def answer(self, status: int, body: dict[str, int]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Store).serve_forever()
