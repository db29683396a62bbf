"""Both ends of a proxied connection: clients that count and time, and an upstream behind the proxy.

One process and one epoll loop for both, so that it needs one core and a proxy has the other. Its own
ceiling is measured like a proxy: a job whose port is the upstream itself. A job is one JSON line on
stdin, its result one JSON line on stdout; the first line printed has the upstream's ports. ``cpu`` is
what the process ``pid`` used in the measured window, in seconds. Linux only.
"""

import argparse
import gc
import json
import os
import select
import socket
import sys
from collections import deque
from collections.abc import Callable
from time import clock_gettime_ns, perf_counter_ns

_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
_SECOND = 1_000_000_000
_WHOLE_PROCESS = 2
_WARM_UP = _SECOND // 4
# What is read is looked at by its length alone, so all sockets share one place for it.
_BUFFER = bytearray(256 * 1024)
_VIEW = memoryview(_BUFFER)
_LOST = "a connection ended before its answer"


class Loop:
    """Sockets and what to call when they are ready; the caller's clock decides how long it turns."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.ready: dict[int, Callable[[int], None]] = {}

    def watch(self, sock: socket.socket, ready: Callable[[int], None], mask: int = _IN) -> None:
        self.ready[sock.fileno()] = ready
        self.epoll.register(sock.fileno(), mask)

    def change(self, sock: socket.socket, mask: int) -> None:
        self.epoll.modify(sock.fileno(), mask)

    def close(self, sock: socket.socket) -> None:
        del self.ready[sock.fileno()]
        sock.close()

    def turn(self, until: int) -> None:
        """Calls whatever is ready, for the first time within ``until``."""
        left = until - perf_counter_ns()
        for descriptor, mask in self.epoll.poll(max(0, left) / _SECOND):
            ready = self.ready.get(descriptor)
            if ready is not None:  # else closed by what was ready before it
                ready(mask)

    def run(self, until: int) -> None:
        self.turn(until)  # once even when late: who is behind must still see answers
        while perf_counter_ns() < until:
            self.turn(until)


class Upstream:
    """Listens; each connection is an ``Echo``, or is read and forgotten."""

    def __init__(self, loop: Loop, *, echoes: bool) -> None:
        self.loop = loop
        self.echoes = echoes
        self.swallowed = 0
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
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
            if self.echoes:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.loop.watch(sock, Echo(sock, self.loop).ready)
            else:
                self.loop.watch(sock, lambda _, sock=sock: self.swallow(sock))

    def swallow(self, sock: socket.socket) -> None:
        size = _received(sock)
        self.swallowed += size
        if not size:
            self.loop.close(sock)


class Echo:
    """Sends back what it reads; reads nothing more while that is stuck."""

    __slots__ = ("loop", "sock", "stuck")

    def __init__(self, sock: socket.socket, loop: Loop) -> None:
        self.sock = sock
        self.loop = loop
        self.stuck = b""

    def ready(self, _mask: int) -> None:
        if self.stuck:
            self.stuck = self.stuck[_sent(self.sock, self.stuck) :]
            if not self.stuck:
                self.loop.change(self.sock, _IN)
            return
        size = _received(self.sock)
        if not size:
            self.loop.close(self.sock)
            return
        sent = _sent(self.sock, _VIEW[:size])
        if sent < size:
            self.stuck = bytes(_VIEW[sent:size])
            self.loop.change(self.sock, _OUT)


class Client:
    """Sends its message, awaits as many bytes back, and tells ``done`` how long that took (ns)."""

    __slots__ = ("began", "done", "loop", "message", "missing", "read", "sock", "unsent")

    def __init__(
        self, loop: Loop, port: int, message: bytes, done: Callable[["Client", int], None]
    ) -> None:
        self.loop = loop
        self.message = memoryview(message)
        self.done = done
        self.unsent = self.message[:0]
        self.missing = 0
        self.read = 0
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.watch(self.sock, self.ready)

    def send(self) -> None:
        self.missing = len(self.message)
        self.began = perf_counter_ns()
        sent = _sent(self.sock, self.message)
        if sent < self.missing:
            self.unsent = self.message[sent:]
            self.loop.change(self.sock, _IN | _OUT)

    def ready(self, mask: int) -> None:
        if mask & _OUT:
            self.unsent = self.unsent[_sent(self.sock, self.unsent) :]
            if not self.unsent:
                self.loop.change(self.sock, _IN)
        if mask & ~_OUT:
            size = _received(self.sock)
            if not size:
                raise ConnectionError(_LOST)
            self.read += size
            self.missing -= size
            if not self.missing:
                self.done(self, perf_counter_ns() - self.began)

    def close(self) -> None:
        self.loop.close(self.sock)


class Jobs:
    """One method a kind of job; each returns what is printed."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.echo = Upstream(self.loop, echoes=True)
        self.sink = Upstream(self.loop, echoes=False)
        self.held: list[Client] = []

    def closed(
        self, *, port: int, pid: int, connections: int, size: int, seconds: float
    ) -> dict[str, float]:
        """Each connection sends its next message as soon as it has the last one back."""
        took: list[int] = []
        resting: list[Client] = []
        going = True

        def again(client: Client, elapsed: int) -> None:
            took.append(elapsed)
            if going:
                client.send()
            else:
                resting.append(client)

        clients = [Client(self.loop, port, bytes(size), again) for _ in range(connections)]
        for client in clients:
            client.send()
        self.loop.run(perf_counter_ns() + _WARM_UP)
        took.clear()
        before, used = sum(client.read for client in clients), _cpu(pid)
        began = perf_counter_ns()
        self.loop.run(began + int(seconds * _SECOND))
        ended = perf_counter_ns()
        # In bytes: of large messages, many are half done when the time is up.
        messages = (sum(client.read for client in clients) - before) / size
        answer = {"messages": messages, "seconds": (ended - began) / _SECOND}
        answer |= {"cpu": _cpu(pid) - used, **_spread(took)}
        going = False
        self._until(lambda: len(resting) == connections)
        self._close(clients)
        return answer

    def paced(
        self, *, port: int, pid: int, connections: int, size: int, rate: int, seconds: float
    ) -> dict[str, float]:
        """All connections in turn, ``rate`` messages a second together, whenever answers come."""
        took: list[int] = []
        free: set[Client] = set()

        def back(client: Client, elapsed: int) -> None:
            took.append(elapsed)
            free.add(client)

        clients = [Client(self.loop, port, bytes(size), back) for _ in range(connections)]
        # Once round before the time counts: every connection has been dialled and carried bytes.
        for client in clients:
            client.send()
        self._until(lambda: len(free) == connections)
        took.clear()
        used, began = _cpu(pid), perf_counter_ns()
        skipped = 0
        for number in range(int(rate * seconds)):
            self.loop.run(began + number * _SECOND // rate)
            client = clients[number % connections]
            if client in free:
                free.discard(client)
                client.send()
            else:
                skipped += 1
        self._until(lambda: len(free) == connections)
        answer = {"messages": len(took), "skipped": skipped, "cpu": _cpu(pid) - used}
        self._close(clients)
        return answer | _spread(took)

    def connect(self, *, port: int, pid: int, count: int, at_once: int) -> dict[str, float]:
        """Opens, has one byte echoed, closes; ``at_once`` of them are going at any time."""
        ended = 0
        opened = 0
        closing: deque[Client] = deque()

        def one() -> None:
            nonlocal opened
            opened += 1
            Client(self.loop, port, b"x", closed).send()

        def closed(client: Client, _elapsed: int) -> None:
            nonlocal ended
            ended += 1
            closing.append(client)

        used, began = _cpu(pid), perf_counter_ns()
        for _ in range(at_once):
            one()
        while ended < count:
            self.loop.turn(perf_counter_ns() + 10 * _SECOND)
            while closing:
                closing.popleft().close()
                if opened < count:
                    one()
        seconds = (perf_counter_ns() - began) / _SECOND
        return {"messages": count, "seconds": seconds, "cpu": _cpu(pid) - used}

    def hold(self, *, port: int, connections: int, size: int) -> dict[str, float]:
        """Opens connections, has one message echoed on each, and leaves them open."""
        back: list[Client] = []
        self.held = [
            Client(self.loop, port, bytes(size), lambda client, _: back.append(client))
            for _ in range(connections)
        ]
        for client in self.held:
            client.send()
            self._until(lambda: not client.missing)  # noqa: B023 - called before the next one
        return {"connections": len(back)}

    def release(self) -> dict[str, float]:
        count = len(self.held)
        self._close(self.held)
        self.held = []
        return {"connections": count}

    def push(self, *, port: int, connections: int, seconds: float) -> dict[str, float]:
        """Writes for ever on each connection, as fast as the socket takes it; nobody answers."""
        pushed = 0
        block = memoryview(bytes(256 * 1024))

        def more(sock: socket.socket) -> None:
            nonlocal pushed
            pushed += _sent(sock, block)

        socks = []
        for _ in range(connections):
            sock = socket.create_connection(("127.0.0.1", port), timeout=10)
            sock.setblocking(False)
            socks.append(sock)
            self.loop.watch(sock, lambda _, sock=sock: more(sock), _OUT)
        before, began = self.sink.swallowed, perf_counter_ns()
        self.loop.run(began + int(seconds * _SECOND))
        took = (perf_counter_ns() - began) / _SECOND
        for sock in socks:
            self.loop.close(sock)
        return {"pushed": pushed, "arrived": self.sink.swallowed - before, "seconds": took}

    def _until(self, condition: Callable[[], bool]) -> None:
        limit = perf_counter_ns() + 30 * _SECOND
        while not condition():
            if perf_counter_ns() > limit:
                raise TimeoutError("answers are missing after 30 s")
            self.loop.turn(limit)

    def _close(self, clients: list[Client]) -> None:
        for client in clients:
            client.close()
        # The other ends are closed too before the next job starts.
        self.loop.run(perf_counter_ns() + _SECOND // 10)


def _received(sock: socket.socket) -> int:
    """How many bytes came; none also if the connection was reset."""
    try:
        return sock.recv_into(_BUFFER)
    except BlockingIOError:
        raise AssertionError("ready, and nothing to read") from None
    except ConnectionError:
        return 0


def _sent(sock: socket.socket, data: bytes | memoryview) -> int:
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0


def _cpu(pid: int) -> float:
    """Seconds of CPU that the process has used until now, its threads' and the kernel's for it.

    From the process's own clock (``clock_getcpuclockid`` in the C library), which is exact to the
    nanosecond; ``/proc`` counts in hundredths of a second.
    """
    return clock_gettime_ns(~pid << 3 | _WHOLE_PROCESS) / _SECOND


def _spread(took: list[int]) -> dict[str, float]:
    """Microseconds: the fastest, the middle, the slowest but one in a hundred, the slowest."""
    if not took:
        return {}
    ordered = sorted(took)
    return {
        "least": ordered[0] / 1000,
        "p50": ordered[len(ordered) // 2] / 1000,
        "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] / 1000,
        "most": ordered[-1] / 1000,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--core", type=int, help="the core to stay on")
    core = options.parse_args().core
    if core is not None:
        os.sched_setaffinity(0, {core})
    gc.disable()  # a collection would show as a slow answer
    jobs = Jobs()
    print(json.dumps({"echo": jobs.echo.port, "sink": jobs.sink.port}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        answer = getattr(jobs, job.pop("do"))(**job)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
