"""A plain epoll server that stamps when the last byte of each request arrived; a process of its own.

Each arrival is stamped twice: by the kernel as the segment came (SO_TIMESTAMPNS), and as it was read.
The second alone would deceive: a scheduler that wakes the reader late lets it read fifty requests at
once, and the burst looks tighter than it was sent.

It speaks just enough HTTP/1.1, and while anything arrives it only reads and stamps: what came is
looked at when nothing came for a millisecond. Requests to /burst/ID are answered together, once as
many came as were announced; everything else by itself. For each burst it prints one JSON line: id,
requests, and both spreads in nanoseconds. Linux only.
"""

import argparse
import json
import select
import socket
import struct
import sys
import time

ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"ok": true}'
)

_QUIET = 0.001
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_NEVER = _TIMESPEC.pack(0, 0)
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)


def complete(received: bytes) -> bool:
    """True once headers and body are there."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    at = head.lower().find(b"\r\ncontent-length:")
    return at < 0 or len(body) >= int(head[at + 17 :].split(b"\r\n", 1)[0])


def _nanoseconds(stamp: bytes) -> int:
    seconds, nanoseconds = _TIMESPEC.unpack(stamp)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


class Recorder:
    """One loop, one thread; the listening socket and its peers in one epoll."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.listening.setblocking(False)
        # Peers inherit it, so that what came before accept() is stamped as well.
        self.listening.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.epoll = select.epoll()
        self.epoll.register(self.listening, select.EPOLLIN)
        self.peers: dict[int, socket.socket] = {}
        self.received: dict[int, bytes] = {}
        self.stamped: dict[int, tuple[int, bytes]] = {}
        self.arrived: list[tuple[int, int, bytes]] = []

    def run(self) -> None:
        print(json.dumps({"port": self.listening.getsockname()[1]}), flush=True)
        listening = self.listening.fileno()
        while True:
            # A stamp is worth as much as the loop around it is short.
            ready = self.epoll.poll(_QUIET if self.stamped else None)
            for descriptor, _ in ready:
                if descriptor == listening:
                    self.accept()
                else:
                    self.read(descriptor)
            if not ready:
                self.look()

    def accept(self) -> None:
        while True:
            try:
                peer, _ = self.listening.accept()
            except BlockingIOError:
                return
            peer.setblocking(False)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peers[peer.fileno()], self.received[peer.fileno()] = peer, b""
            self.epoll.register(peer, select.EPOLLIN)

    def read(self, descriptor: int) -> None:
        try:
            data, ancillary, _, _ = self.peers[descriptor].recvmsg(65536, _ANCILLARY)
        except ConnectionResetError:
            data, ancillary = b"", []
        if data:
            self.stamped[descriptor] = (
                time.monotonic_ns(),
                ancillary[0][2] if ancillary else _NEVER,
            )
            self.received[descriptor] += data
        else:
            self.peers.pop(descriptor).close()
            del self.received[descriptor]
            self.stamped.pop(descriptor, None)

    def look(self) -> None:
        """Answers what is complete; the stamp is of its last byte, for nothing came after it."""
        for descriptor, stamps in self.stamped.items():
            received = self.received[descriptor]
            if not complete(received):
                continue
            self.received[descriptor] = b""
            if b" /burst/" not in received[:64]:
                self.peers[descriptor].send(ANSWER)
                continue
            self.arrived.append((descriptor, *stamps))
            if len(self.arrived) == self.size:
                self.finish(received.split(b" ", 2)[1].decode().rpartition("/")[2])
        self.stamped.clear()

    def finish(self, burst: str) -> None:
        read = [moment for _, moment, _ in self.arrived]
        came = [_nanoseconds(stamp) for _, _, stamp in self.arrived]
        for descriptor, _, _ in self.arrived:
            self.peers[descriptor].send(ANSWER)
        line = {
            "id": burst,
            "requests": len(came),
            "spread_ns": max(came) - min(came),
            "read_ns": max(read) - min(read),
        }
        print(json.dumps(line), flush=True)
        self.arrived.clear()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Stamps the arrival of requests.")
    arguments.add_argument("--size", type=int, default=50, help="requests in a burst")
    try:
        Recorder(arguments.parse_args().size).run()
    except KeyboardInterrupt:
        sys.exit(0)
