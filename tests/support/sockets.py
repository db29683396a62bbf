"""Both ends of a proxied connection, blocking and with limits: peers and small upstream servers."""

import contextlib
import os
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Literal, Self

from harness.model.units import Duration

# Shorter where a test is meant to fail: what never comes is waited for in vain.
_LIMIT = Duration.of_s(int(os.environ.get("HARNESS_PEER_PATIENCE", "10")))


class Peer:
    """One end of a connection. Waits at most ``HARNESS_PEER_PATIENCE`` seconds, 10, for anything."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(_LIMIT.in_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def connect(cls, address: str) -> "Peer":
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        return cls(socket.create_connection((host, int(port)), timeout=_LIMIT.in_s))

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def receive(self, count: int) -> bytes:
        """Exactly so many bytes; fewer when the stream ends before."""
        got = b""
        while len(got) < count:
            piece = self.sock.recv(min(count - len(got), 1 << 20))
            if not piece:
                break
            got += piece
        return got

    def rest(self) -> bytes:
        """All bytes up to the end of the stream."""
        got = []
        while piece := self.sock.recv(1 << 20):
            got.append(piece)
        return b"".join(got)

    def arrivals(self, count: int) -> list[tuple[float, int]]:
        """One entry a read: the time in ms and how many bytes had come by then, up to ``count``."""
        found: list[tuple[float, int]] = []
        total = 0
        while total < count:
            piece = self.sock.recv(count - total)
            if not piece:
                break
            total += len(piece)
            found.append((time.monotonic_ns() / 1e6, total))
        return found

    def last_words(self) -> tuple[bytes, Literal["eof", "reset"]]:
        """All bytes up to the end of the stream, and how it ends."""
        got = bytearray()
        try:
            while piece := self.sock.recv(1 << 20):
                got += piece
        except ConnectionResetError:
            return bytes(got), "reset"
        return bytes(got), "eof"

    def round_trip(self, data: bytes = b"x") -> Duration:
        """How long the echo of ``data`` takes."""
        began = time.monotonic_ns()
        self.send(data)
        assert self.receive(len(data)) == data
        return Duration.of_ns(time.monotonic_ns() - began)

    def ending(self) -> Literal["eof", "reset"]:
        """How the stream ends; bytes before the end are dropped."""
        return self.last_words()[1]

    def silent(self, within: Duration) -> bool:
        """True when nothing arrives, not even the end."""
        self.sock.settimeout(within.in_s)
        try:
            self.sock.recv(1)
        except TimeoutError:
            return True
        else:
            return False
        finally:
            self.sock.settimeout(_LIMIT.in_s)

    def readable(self) -> bool:
        """True when bytes or the end are there to be read now."""
        ready, _, _ = select.select([self.sock], [], [], 0)
        return bool(ready)

    def finish(self) -> None:
        """The last byte was sent; reading goes on."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Aborts the connection."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Upstream:
    """A server on a free port of loopback. Echoes, or hands each connection to the test."""

    def __init__(self, *, echo: bool = True, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sock = socket.create_server((host, 0), family=family, backlog=512)
        self.port = int(self._sock.getsockname()[1])
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self._accepted: queue.Queue[Peer] = queue.Queue()
        self._all: list[Peer] = []
        self._echo = echo
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def accept(self) -> Peer:
        """The next connection; only of a server that does not echo."""
        return self._accepted.get(timeout=_LIMIT.in_s)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._thread.join(_LIMIT.in_s)
        for peer in self._all:
            with contextlib.suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
            peer.close()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            peer = Peer(sock)
            self._all.append(peer)
            if self._echo:
                sock.settimeout(None)
                threading.Thread(target=_echo, args=(sock,), daemon=True).start()
            else:
                self._accepted.put(peer)


def _echo(sock: socket.socket) -> None:
    try:
        while data := sock.recv(1 << 16):
            sock.sendall(data)
    except OSError:
        pass
    finally:
        sock.close()


@contextlib.contextmanager
def swallowing() -> Iterator[str]:
    """The address of a socket whose queue is full: further SYNs are never answered."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def refused(address: str) -> bool:
    """True when nothing listens at ``address``."""
    try:
        Peer.connect(address).close()
    except ConnectionRefusedError:
        return True
    return False
