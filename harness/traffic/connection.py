"""One connection of a burst, up to the moment its last byte is due: open, write, wait for room.

After that the burst itself has its socket; nothing here stamps or releases.
"""

import asyncio
import errno
import os
import select
import socket
from typing import Any, Literal

from harness.connections.limits import CONNECT_LIMIT
from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.units import Duration

READ_SIZE = 256 * 1024


Place = tuple[socket.AddressFamily, Any]


async def resolve(address: Address, *, what: str) -> tuple[Place, ...]:
    """The places that an address names, the best first.

    Raises:
        TargetError: the name is not known.
    """
    host, port, kind = address.host, address.port, socket.SOCK_STREAM
    try:
        try:
            found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)
    except OSError as error:
        raise TargetError(what, f"the host of {address} is not known: {error.strerror}") from None
    return tuple((family, place) for family, _, _, _, place in found)


class Connection:
    """``socket`` does not block. ``close`` it whatever happens."""

    def __init__(self, address: Address, places: tuple[Place, ...], *, what: str) -> None:
        self._address = address
        self._places = places
        self._what = what
        self.socket: socket.socket | None = None

    async def open(self) -> None:
        """Connects anew.

        Raises:
            TargetError: nobody accepts, or not within 10 s.
        """
        self.close()
        self.socket = accepted_at_once(self._places[0])
        if self.socket is not None:
            return
        try:
            async with asyncio.timeout(CONNECT_LIMIT.in_s):
                self.socket = await first_to_accept(self._places)
        except TimeoutError:
            detail = f"no connection to {self._address} within {CONNECT_LIMIT}"
            raise TargetError(self._what, detail) from None
        except OSError as error:
            words = os.strerror(error.errno) if error.errno else str(error)
            detail = f"could not connect to {self._address}: {words}"
            raise TargetError(self._what, detail) from None

    async def write(self, content: bytes, *, within: Duration) -> None:
        """Writes ``content`` and waits until the socket would take one byte more.

        Raises:
            TargetError: the receiver did not take it within ``within``, or cut the connection.
        """
        loop, sock = asyncio.get_running_loop(), self.opened
        try:
            taken = send_what_goes(sock, content)
            if taken == len(content) and is_ready(sock, "write"):
                return
            async with asyncio.timeout(within.in_s):
                await loop.sock_sendall(sock, content[taken:])
                if not is_ready(sock, "write"):
                    await _until_writable(sock)
        except TimeoutError:
            detail = f"{self._address} did not take a request within {within}"
            raise TargetError(self._what, detail) from None
        except OSError as error:
            words = os.strerror(error.errno) if error.errno else str(error)
            detail = f"{self._address} cut a connection while a request was written: {words}"
            raise TargetError(self._what, detail) from None

    @property
    def is_quiet(self) -> bool:
        """False once something came, or the end: nothing may before the request is whole."""
        return not is_ready(self.opened, "read")

    def close(self) -> None:
        sock, self.socket = self.socket, None
        if sock is not None:
            sock.close()

    @property
    def opened(self) -> socket.socket:
        """The socket, for whoever takes it over."""
        assert self.socket is not None, "open() comes first"
        return self.socket


def accepted_at_once(place: Place) -> socket.socket | None:
    """A connection, if its peer is so near that connecting takes no waiting: on loopback it does not.

    Spares the loop a turn and three calls for each connection. Any trouble is left to the long way.
    """
    sock = _new_socket(place[0])
    try:
        begun = sock.connect_ex(place[1])
        if begun == errno.EINPROGRESS:
            begun = sock.connect_ex(place[1])
    except OSError:
        begun = -1
    if begun in (0, errno.EISCONN):
        return sock
    sock.close()
    return None


def _new_socket(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    # The last byte must leave at once, not wait for company.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def send_what_goes(sock: socket.socket, content: bytes | memoryview) -> int:
    """How many bytes the socket took without waiting."""
    try:
        return sock.send(content)
    except BlockingIOError:
        return 0


async def first_to_accept(places: tuple[Place, ...]) -> socket.socket:
    failure: OSError | None = None
    for family, place in places:
        sock = _new_socket(family)
        try:
            await asyncio.get_running_loop().sock_connect(sock, place)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure or OSError("the name has no address")


async def _until_writable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    writable: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not writable.done():
            writable.set_result(None)

    loop.add_writer(sock, settle)
    try:
        await writable
    finally:
        loop.remove_writer(sock)


def is_ready(sock: socket.socket, to: Literal["read", "write"]) -> bool:
    """True if it can be read (or its end is there) or written without waiting."""
    poll = select.poll()
    poll.register(sock, select.POLLIN if to == "read" else select.POLLOUT)
    return bool(poll.poll(0))
