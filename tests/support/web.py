"""An HTTP server in the running loop that does with each request what a test says."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from harness.model.address import Address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its connection's number from 1, its head as text, its body."""

    connection: int
    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split("\r\n", 1)[0]

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


Answers = Callable[[Asked], bytes | None | Awaitable[bytes | None]]
"""What is written back; None ends the connection."""


@dataclass(slots=True)
class Web:
    """``asked`` holds all requests so far, ``open`` the connections that are.

    ``begun`` counts requests of which the first byte came, ``heads`` those whose head was whole.
    """

    address: Address
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    begun: int = 0
    heads: int = 0
    open: dict[int, asyncio.StreamWriter] = field(default_factory=dict)

    def end(self, connection: int) -> None:
        """Ends our side of a connection before the loop does anything else."""
        self.open[connection].get_extra_info("socket").shutdown(socket.SHUT_WR)

    def reset(self, connection: int) -> None:
        """Ends a connection with a reset instead of an end."""
        writer = self.open[connection]
        linger = b"\1\0\0\0\0\0\0\0"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()


@asynccontextmanager
async def web(answers: Answers | None = None, *, keeps: bool = True) -> AsyncIterator[Web]:
    """A server on loopback; without ``answers`` it says OK to everything. Ends all connections at its end.

    Unless it ``keeps`` them, it ends each behind its first answer, without a word of it in the answer.
    """

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        number = made.connections
        made.open[number] = writer
        try:
            while (asked := await _request(reader, made, number)) is not None:
                made.asked.append(asked)
                answer = OK if answers is None else answers(asked)
                if isinstance(answer, Awaitable):
                    answer = await _unless_gone(answer, reader)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
                if not keeps:
                    return
        except ConnectionError:
            pass
        finally:
            made.open.pop(number, None)
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024)
    made = Web(Address("127.0.0.1", listening.sockets[0].getsockname()[1]))
    try:
        yield made
    finally:
        listening.close()
        for writer in tuple(made.open.values()):
            writer.close()


async def _unless_gone(
    answer: Awaitable[bytes | None], reader: asyncio.StreamReader
) -> bytes | None:
    """None as soon as the client has ended its side."""
    loop = asyncio.get_running_loop()

    async def answered() -> bytes | None:
        return await answer

    tasks = loop.create_task(answered()), loop.create_task(reader.read(1))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _request(reader: asyncio.StreamReader, server: Web, connection: int) -> Asked | None:
    """None at the end of the connection."""
    try:
        first = await reader.readexactly(1)
        server.begun += 1
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        server.heads += 1
        asked = Asked(connection, head, b"")
        body = await reader.readexactly(int(asked.header("content-length") or 0))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Asked(connection, head, body)


async def never(asked: Asked) -> bytes:
    """Reads a request and does not answer."""
    await asyncio.Event().wait()
    return b""


def free_address() -> Address:
    """Where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", taken.getsockname()[1])
