"""A burst's connection, against a socket of the test on loopback."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.units import Duration
from harness.traffic.connection import Connection, resolve


@contextmanager
def listening() -> Iterator[tuple[socket.socket, Address]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, Address("127.0.0.1", server.getsockname()[1])


def use(address: Address, test: Callable[[Connection], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        connection = Connection(address, await resolve(address, what="app"), what="service app")
        try:
            await connection.open()
            return await test(connection)
        finally:
            connection.close()

    return asyncio.run(main())


def test_the_last_byte_when_it_is_due_then_nagle_does_not_hold_it() -> None:
    async def test(connection: Connection) -> int:
        return connection.opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    with listening() as (_, address):
        assert use(address, test) != 0


def test_a_request_when_nobody_takes_it_then_says_so_in_time() -> None:
    async def test(connection: Connection) -> None:
        peer, _ = server.accept()
        with peer, pytest.raises(TargetError, match="did not take a request within 50 ms"):
            await connection.write(b"x" * 20_000_000, within=Duration.of_ms(50))

    with listening() as (server, address):
        use(address, test)


def test_a_connection_when_the_peer_closed_it_then_is_not_quiet() -> None:
    async def test(connection: Connection) -> None:
        peer, _ = server.accept()
        assert connection.is_quiet
        peer.close()
        await asyncio.get_running_loop().sock_recv(connection.opened, 1)
        assert not connection.is_quiet

    with listening() as (server, address):
        use(address, test)


def test_a_host_when_not_known_then_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TargetError, match="the host of shop:1 is not known: Name or service"):
        asyncio.run(resolve(Address("shop", 1), what="service app"))
