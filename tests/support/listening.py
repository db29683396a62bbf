"""Listening without sockets: an address is taken or not, and nobody connects."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from harness.proxy.addresses import Listen
from harness.proxy.listener import ListenFailed


class Ports:
    """``bind`` stands for the listener's; free ports are given out in order."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self._last = 40_000

    def bind(self, address: Listen) -> tuple["FakeSocket", Listen]:
        """Raises ``ListenFailed`` for an address that is taken."""
        if not address.pinned:
            self._last += 1
        real = Listen(address.host or "::", address.port or self._last)
        if real.text() in self.taken:
            raise ListenFailed(real, OSError(98, "taken"))
        self.taken.add(real.text())
        return FakeSocket(self, real.text()), real


class FakeSocket:
    """Gives its address back when it is closed."""

    def __init__(self, ports: Ports, address: str) -> None:
        self._ports = ports
        self._address = address

    def close(self) -> None:
        self._ports.taken.discard(self._address)


class FakeListener:
    """Stands for ``Listener``; nothing is ever accepted."""

    def __init__(self, sock: FakeSocket, accepted: Callable[[Any], None], *, loop: object) -> None:
        self._sock = sock
        self.accepted = accepted

    def close(self) -> None:
        self._sock.close()


@contextmanager
def without_sockets() -> Iterator[Ports]:
    """Proxies made inside listen at these ports only."""
    ports = Ports()
    with (
        patch("harness.proxy.binding.bind", ports.bind),
        patch("harness.proxy.proxy.bind", ports.bind),
        patch("harness.proxy.proxy.Listener", FakeListener),
    ):
        yield ports
