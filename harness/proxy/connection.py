"""A client's connection and the one dialled for it, joined by two links. Sockets live and end here.

What the bytes undergo is the links' and their chains' business, which toxics there are the proxy's.
"""

import asyncio
import contextlib
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Protocol, cast

from harness.model.units import Duration, Instant
from harness.protocols.http_observer import HttpObserver
from harness.protocols.turn import Turn, TurnCodec
from harness.proxy.alarms import Timers
from harness.proxy.items import Close, Item
from harness.proxy.link import Link
from harness.proxy.trigger import Shared

DIAL_LIMIT = Duration.of_s(10)
_LINGER_NONE = struct.pack("ii", 1, 0)
_DRAIN_LIMIT = Duration.of_s(1)
_DRAIN_LOOK = Duration.of_ms(5)


class Record(Protocol):
    """Where a connection counts its bytes and leaves its turns."""

    bytes_up: int
    bytes_down: int
    """Taken in from the client, and from the server."""
    sent_up: int
    sent_down: int
    """Handed on to the server, and to the client."""

    def append(self, turn: Turn) -> None:
        """A turn has ended."""


class Toxics(Protocol):
    """The toxics of one connection, as far as it asks for them."""

    def needs_upstream(self) -> bool: ...
    def cross(self, item: Item, toxic: str) -> None: ...
    def shared(self, toxic: str) -> Shared | None: ...


class Connection:
    """Number ``number`` of its proxy. Reading starts at once, before the upstream is dialled.

    ``gone`` is called once, when both sockets are closed. ``observer`` is shown what passes, if there
    is one.
    """

    def __init__(
        self,
        number: int,
        record: Record,
        gone: Callable[["Connection"], None],
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], Instant],
        timers: Timers | None = None,
    ) -> None:
        self.number = number
        self.record = record
        self.clock = clock
        self.codec = TurnCodec(number)
        self.toxics: Toxics | None = None
        self.observer: HttpObserver | None = None
        self._loop = loop
        timers = timers or loop
        self.up = Link(_Ends(self, answers=False), timers=timers, clock=clock)
        self.down = Link(_Ends(self, answers=True), timers=timers, clock=clock)
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._ended = False
        self._finishing = False
        self._running = True
        self._gone = gone
        self._told = False
        self._injected: dict[str, int] = {}

    async def run(self, sock: socket.socket, host: str, port: int) -> None:
        """Takes the accepted socket, then dials. Returns when both are joined, or it is over.

        Nobody is dialled while toxics keep every byte of the client from the server.
        """
        try:
            await self._loop.connect_accepted_socket(lambda: _Side(self, client=True), sock)
            if not self._ended and (self.toxics is None or self.toxics.needs_upstream()):
                self._dialling = asyncio.current_task()
                await self._dial(host, port)
        except (OSError, TimeoutError, UnicodeError, OverflowError):
            self._dialling = None
            if self.observer is not None:
                self.observer.server_left()  # it never came
            self.end()
        except Exception:
            # Whatever it is, it is this connection's matter: others must not end with it.
            self._dialling = None
            self.failed()
        finally:
            self._dialling = None
            self._running = False
            self._tell_if_gone()

    async def _dial(self, host: str, port: int) -> None:
        try:
            async with asyncio.timeout(DIAL_LIMIT.in_s):
                await self._loop.create_connection(lambda: _Side(self, client=False), host, port)
        except BaseException:
            # Given up just as it was made: uvloop then closes it and tells nobody.
            self._server = None
            raise

    def failed(self) -> None:
        """Something raised on the way of its bytes; the exception is the current one."""
        self.end(reset=True)  # first: nobody may be there to be told
        traceback.print_exc(file=sys.stderr)

    def end(self, *, reset: bool = False) -> None:
        """Closes both sides now, with a FIN each or a RST each; what is held is lost."""
        if self._ended:
            return
        self._ended = True
        now = self.clock()
        self._settle_turn(now)
        if self.observer is not None:
            self.observer.cut(now.ns)
        self.up.stop()
        self.down.stop()
        if self._dialling is not None:
            self._dialling.cancel()
        for transport in (self._client, self._server):
            if transport is not None:
                if reset:
                    _make_reset(transport)
                transport.abort()

    # What the two sides report

    def client_made(self, transport: asyncio.Transport) -> None:
        self._client = self.up.source = transport
        self._join(self.down, transport)

    def server_made(self, transport: asyncio.Transport) -> None:
        self._server = self.down.source = transport
        self._join(self.up, transport)

    def client_lost(self) -> None:
        self._client = None
        now = self.clock()
        self.client_closed(now)
        self._settle_turn(now)
        self._lost(self.up, self.down, now)

    def client_closed(self, now: Instant) -> None:
        """The client sent its last byte, or is gone."""
        self.codec.client_closed(now)
        if self.observer is not None:
            self.observer.client_left(now.ns)

    def server_closed(self) -> None:
        """The server sent its last byte, or is gone, by itself or because we ended it."""
        if self.observer is not None and not self._ended:
            self.observer.server_left()

    def server_lost(self) -> None:
        self._server = None
        self.server_closed()
        self._lost(self.down, self.up, self.clock())

    def _join(self, link: Link, sink: asyncio.Transport) -> None:
        if self._ended:
            sink.abort()
        else:
            link.attach(sink)

    def _lost(self, from_it: Link, to_it: Link, now: Instant) -> None:
        """One socket is gone: by our own closing, or because its other end aborted."""
        if not self._ended and not self._finishing:
            to_it.stop()
            if self._client is None and self._server is None:
                self.end()  # while dialling, or both at once: nobody is left to tell
            elif not from_it.chain.closed:
                from_it.take_close(Close("reset"), now)
            elif from_it.done:
                self.end(reset=True)  # its FIN has passed before; now there is more to tell
        self._tell_if_gone()

    def _tell_if_gone(self) -> None:
        if self._client is None and self._server is None and not self._running and not self._told:
            self._told = True
            self._gone(self)
            # Nothing of it leads back to it any more, so it needs no collector to be freed. A full
            # collection over a thousand of them stops the traffic of all others for 50 ms.
            self.toxics = self.observer = None
            self.up.retire()
            self.down.retire()

    def _settle_turn(self, now: Instant) -> None:
        """No answer can reach the client any more."""
        turn = self.codec.connection_ended(now)
        if turn is not None:
            self.record.append(turn)

    # What the two links report

    def link_finished(self, now: Instant, *, answers: bool) -> None:
        both = self.up.done and self.down.done
        if answers or both:
            self._settle_turn(now)
        if answers and self.observer is not None:
            self.observer.finished(now.ns)
        if both:
            self._finishing = True
            for transport in (self._client, self._server):
                if transport is not None:
                    transport.close()

    def injected(self, turn: int, toxic: str, request: int = 0) -> None:
        """Counts a toxic once for each turn it acts on, however many pieces that has."""
        # Behind the first byte of an answer the turn is told no more, and a close has none: it is the
        # latest one's, which may be open still and end by it.
        turn = turn or self.codec.latest
        self.codec.injected(turn, toxic)
        if self.observer is not None:
            self.observer.injected(toxic, turn, request)
        shared = self._shared(toxic)
        if shared is not None and self._injected.get(toxic) != turn:
            self._injected[toxic] = turn
            shared.injections += 1

    def skipped(self, toxic: str) -> None:
        shared = self._shared(toxic)
        if shared is not None:
            shared.skipped += 1

    def _shared(self, toxic: str) -> Shared | None:
        return None if self.toxics is None else self.toxics.shared(toxic)

    @property
    def peer(self) -> int | None:
        """The client's port, while it is there."""
        name = None if self._client is None else self._client.get_extra_info("peername")
        return int(name[1]) if isinstance(name, tuple) else None

    @property
    def held(self) -> int:
        """Bytes that toxics keep back in both directions, by ``weight``."""
        return self.up.chain.held + self.down.chain.held

    @property
    def undialled(self) -> bool:
        """It has a client and nobody was dialled for it."""
        return not self._running and self._client is not None and self.up.sink is None

    def ending(self, sink: asyncio.Transport, *, reset: bool, waited: int = 0) -> None:
        """Ends both sides once ``sink`` has what was written to it before."""
        if self._ended:
            return
        if sink.get_write_buffer_size() and waited < _DRAIN_LIMIT.ns:
            self._loop.call_later(
                _DRAIN_LOOK.in_s,
                lambda: self.ending(sink, reset=reset, waited=waited + _DRAIN_LOOK.ns),
            )
        else:
            self.end(reset=reset)


class _Ends:
    """A link's voice in its connection."""

    __slots__ = ("_answers", "_connection")

    def __init__(self, connection: Connection, *, answers: bool) -> None:
        self._connection = connection
        self._answers = answers

    def passing(self, turn: int, data: bytes, now: Instant) -> None:
        connection = self._connection
        if not self._answers:
            connection.record.sent_up += len(data)
            return
        connection.record.sent_down += len(data)
        if connection.observer is not None:
            connection.observer.passed_on(data, now.ns)
        if turn:
            ended = connection.codec.passed_on(turn, now)
            if ended is not None:
                connection.record.append(ended)

    def injected(self, turn: int, toxic: str, request: int) -> None:
        self._connection.injected(turn, toxic, request)

    def skipped(self, toxic: str) -> None:
        self._connection.skipped(toxic)

    def crossing(self, item: Item, toxic: str) -> None:
        toxics = self._connection.toxics
        if toxics is not None:
            toxics.cross(item, toxic)

    def failed(self) -> None:
        self._connection.failed()

    def delivered(self) -> None:
        (self._connection.up if self._answers else self._connection.down).look()

    def finished(self, now: Instant) -> None:
        self._connection.link_finished(now, answers=self._answers)

    def ending(self, sink: asyncio.Transport, *, reset: bool) -> None:
        self._connection.ending(sink, reset=reset)


class _Side(asyncio.Protocol):
    """One of the two sockets: what it receives goes into ``heard``, what ``told`` holds goes out."""

    __slots__ = ("_client", "_connection", "_heard", "_told")

    def __init__(self, connection: Connection, *, client: bool) -> None:
        self._connection = connection
        self._client = client
        self._heard = connection.up if client else connection.down
        self._told = connection.down if client else connection.up

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: uvloop's have the interface without the base class.
        transport = cast(asyncio.Transport, transport)
        if self._client:
            self._connection.client_made(transport)
        else:
            self._connection.server_made(transport)

    def data_received(self, data: bytes) -> None:
        connection = self._connection
        now = connection.clock()
        request = 0
        if self._client:
            connection.record.bytes_up += len(data)
            turn = connection.codec.client_sent(now)
            if connection.observer is not None:
                request = connection.observer.taken_in(data, turn, now.ns)
        else:
            connection.record.bytes_down += len(data)
            turn = connection.codec.server_sent(now)
        self._heard.take(data, turn, now, request)

    def eof_received(self) -> bool:
        now = self._connection.clock()
        if self._client:
            self._connection.client_closed(now)
        else:
            self._connection.server_closed()
        self._heard.take_close(Close("eof"), now)
        return True  # the other direction goes on

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._client:
            self._connection.client_lost()
        else:
            self._connection.server_lost()

    def pause_writing(self) -> None:
        self._told.pause(full=True)

    def resume_writing(self) -> None:
        self._told.pause(full=False)


def _make_reset(transport: asyncio.Transport) -> None:
    """Makes the next close of the socket a RST."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # closed already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
