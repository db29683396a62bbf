"""A listening socket: binds at once, hands over each accepted socket, and goes on after a shortage.

Who is served, and how, is the proxy's business.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable

from harness.model.units import Duration
from harness.proxy.addresses import Listen, written

_BACKLOG = 1024
_AT_ONCE = 64
# A shortage of descriptors or memory: pause instead of spinning on a ready socket.
_SHORTAGE_PAUSE = Duration.of_ms(250)
_LINGER_NONE = struct.pack("ii", 1, 0)


class ListenFailed(Exception):
    """The address cannot be had; the message is the one Toxiproxy gives."""

    def __init__(self, address: Listen, error: OSError) -> None:
        self.errno = error.errno
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        super().__init__(f"listen tcp {address.text()}: bind: {reason}")


class Listener:
    """``accepted`` gets each new socket, non-blocking; another one may be put in its place."""

    def __init__(
        self,
        sock: socket.socket,
        accepted: Callable[[socket.socket], None],
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._sock = sock
        self.accepted = accepted
        self._loop = loop
        self._pause: asyncio.TimerHandle | None = None
        loop.add_reader(sock.fileno(), self._accept)

    def close(self) -> None:
        """From now on a connect is refused."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, _peer = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._loop.remove_reader(self._sock.fileno())
                self._pause = self._loop.call_later(_SHORTAGE_PAUSE.in_s, self._resume)
                return
            sock.setblocking(False)
            self.accepted(sock)

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._sock.fileno(), self._accept)


def bind(address: Listen) -> tuple[socket.socket, Listen]:
    """A listening socket and the address it really has.

    Raises:
        ListenFailed: it is taken, or no address of this machine.
    """
    if address.host:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return _bind(family, address)
    try:
        return _bind(socket.AF_INET6, Listen("::", address.port))
    except ListenFailed:
        if socket.has_ipv6 and _speaks_ipv6():
            raise
        return _bind(socket.AF_INET, Listen("0.0.0.0", address.port))


def _speaks_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def _bind(family: socket.AddressFamily, address: Listen) -> tuple[socket.socket, Listen]:
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ListenFailed(address, error) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Every interface means IPv4 too; a named IPv6 address is itself alone.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address.host != "::"))
        sock.setblocking(False)
        sock.bind((address.host, address.port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenFailed(address, error) from error
    host, port = sock.getsockname()[:2]
    return sock, Listen(host, port)


def reset(sock: socket.socket) -> None:
    """Closes an accepted socket with a RST."""
    with contextlib.suppress(OSError):  # its peer has gone already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    sock.close()


def same(one: Listen, other_text: str) -> bool:
    """True if listening on ``one`` is what ``other_text`` (as a proxy shows it) does already."""
    return one.pinned and written(one.host or "::", one.port) == other_text
