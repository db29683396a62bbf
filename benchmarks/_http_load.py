"""Both ends of an HTTP hop: clients that ask at a rate over connections kept alive, and a server.

One process and one epoll loop for both, as in ``_proxy_load``, whose sockets and jobs on stdin these
are. The server answers so many bytes with a fixed answer: what is measured is between the two.
"""

import argparse
import gc
import json
import os
import socket
import sys
from time import perf_counter_ns

from benchmarks._proxy_load import _SECOND, Loop, _cpu, _received, _spread

_HEADERS = (
    "Host: payments.internal:8080\r\nUser-Agent: python-httpx/0.28.1\r\nAccept: */*\r\n"
    "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n"
    b"Date: Wed, 25 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\n\r\n"
    b'{"status":"paid","id":1042}'
)


def request(number: int) -> bytes:
    """All have the same length, so that a server need not read them."""
    head = f"GET /payments/1042 HTTP/1.1\r\n{_HEADERS}X-Request-Id: run7-{number:09}\r\n\r\n"
    return head.encode()


_LENGTH = len(request(0))


class Server:
    """Listens, and answers each ``_LENGTH`` bytes."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listening.setblocking(False)
        self.port = self.listening.getsockname()[1]
        loop.watch(self.listening, self.accept)

    def accept(self, _mask: int) -> None:
        while True:
            try:
                sock, _ = self.listening.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.serve(sock)

    def serve(self, sock: socket.socket) -> None:
        missing = _LENGTH

        def ready(_mask: int) -> None:
            nonlocal missing
            size = _received(sock)
            if not size:
                self.loop.close(sock)
                return
            missing -= size
            if not missing:
                sock.send(ANSWER)
                missing = _LENGTH

        self.loop.watch(sock, ready)


class Client:
    """One connection: asks, and is free again once the answer is whole."""

    def __init__(self, loop: Loop, port: int, took: list[int]) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.took = took
        self.missing = 0
        self.began = 0
        loop.watch(self.sock, self.ready)

    def ask(self, number: int) -> None:
        self.missing = len(ANSWER)
        self.began = perf_counter_ns()
        self.sock.send(request(number))

    def ready(self, _mask: int) -> None:
        size = _received(self.sock)
        if not size:
            raise ConnectionError("a connection ended before its answer")
        self.missing -= size
        if not self.missing:
            self.took.append(perf_counter_ns() - self.began)


class Jobs:
    """One method a kind of job; each returns what is printed."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.server = Server(self.loop)

    def paced(
        self, *, port: int, pid: int, connections: int, rate: int, seconds: float
    ) -> dict[str, float]:
        """All connections in turn, ``rate`` requests a second together, whenever answers come."""
        took: list[int] = []
        clients = [Client(self.loop, port, took) for _ in range(connections)]
        # Once round before anything counts: every connection has been dialled and carried a request.
        for number, client in enumerate(clients):
            client.ask(number)
        self._until_free(clients)
        took.clear()
        used, began, skipped = _cpu(pid), perf_counter_ns(), 0
        for number in range(int(rate * seconds)):
            self.loop.run(began + number * _SECOND // rate)
            client = clients[number % connections]
            if client.missing:
                skipped += 1
            else:
                client.ask(connections + number)
        self._until_free(clients)
        elapsed = (perf_counter_ns() - began) / _SECOND
        answer = {"requests": len(took), "skipped": skipped, "cpu": _cpu(pid) - used}
        answer |= {"seconds": elapsed, "asked": len(took) + connections}
        for client in clients:
            self.loop.close(client.sock)
        self.loop.run(perf_counter_ns() + _SECOND // 10)  # the other ends are closed too
        return answer | _spread(took)

    def _until_free(self, clients: list[Client]) -> None:
        limit = perf_counter_ns() + 30 * _SECOND
        while any(client.missing for client in clients):
            if perf_counter_ns() > limit:
                raise TimeoutError("answers are missing after 30 s")
            self.loop.turn(limit)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--core", type=int, help="the core to stay on")
    core = options.parse_args().core
    if core is not None:
        os.sched_setaffinity(0, {core})
    gc.disable()  # a collection would show as a slow answer
    jobs = Jobs()
    print(json.dumps({"port": jobs.server.port}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(getattr(jobs, job.pop("do"))(**job)), flush=True)


if __name__ == "__main__":
    main()
