"""Last-byte synchronisation: requests written but for their last byte, then released together.

Commands that are held at their gates leave with them. ``write``, a hold, ``release``, ``collect``,
and on every way out ``close`` and ``end``. The release is one tight loop in one thread: whatever is
added to it widens the spread. Instants are those of ``time.monotonic_ns``. An answer's first byte
is never stamped so late that requests seem to overlap that did not.
"""

import asyncio
import gc
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from harness.model.address import Address
from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Ended, Failure
from harness.traffic.command import Command
from harness.traffic.connection import Connection, resolve
from harness.traffic.descriptors import ensure_descriptors
from harness.traffic.gate import ENDED_EARLY, OPENS, Gate, Gates
from harness.traffic.receiver import Awaited, Receiver
from harness.traffic.response import ResponseReader
from harness.traffic.warming import WarmCall, warm

# Connections opened or warmed at a time.
_AT_A_TIME = 32
# Of a command: its gate, its two outputs, and what tells of its end.
_DESCRIPTORS_OF_A_COMMAND = 4

T = TypeVar("T")

EARLY_ANSWER = "answered before the request was complete"
EARLY_END = "connection closed before the request was complete"
LAST_BYTE_LOST = "the last byte could not be sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstRequest:
    """``content`` is the whole request; ``what`` names it in errors.

    The last ``held`` bytes of it are kept back until the release: few enough for one call to the kernel.
    """

    what: str
    address: Address
    method: str
    content: bytes
    timeout: Duration
    held: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """``sent`` has each request's instant just before its last byte, in the order of the requests.

    ``released`` counts the last bytes that went out, from ``first`` to ``last``.
    """

    released: int
    first: Instant
    last: Instant
    sent: tuple[Instant, ...]


class _Held(NamedTuple):
    """What is held back, and the byte that lets it go."""

    what: Awaited | Gate
    last: bytes

    def going(self) -> tuple[Callable[[bytes], object], bytes]:
        """What to call, and with what. Made just before the loop: fresh in the cache it is faster."""
        what = self.what
        return (what.open if isinstance(what, Gate) else what.socket.send), self.last


class Burst:
    """Requests that arrive together. ``close`` and ``end`` it whatever happens; it may be used once.

    ``gates`` hold the commands among ``calls``, in their order; None where there are none.
    """

    def __init__(
        self,
        calls: Sequence[BurstRequest | Command],
        *,
        warm: Mapping[Address, WarmCall],
        gates: Gates | None = None,
    ) -> None:
        self._calls = calls
        self._requests = [call for call in calls if isinstance(call, BurstRequest)]
        self._warm = warm
        self._gates = gates
        self._connections: list[Connection] = []
        self._held: list[_Held] = []
        self._receiver: Receiver | None = None
        self.warmed = 0

    async def write(self) -> None:
        """Opens and warms the connections and writes every request but for its last byte.

        Commands are started first, for that takes longest.

        Raises:
            TargetError: a connection could not be opened or written.
            UserError: the machine does not allow that many sockets, or a command is missing.
        """
        commands = len(self._calls) - len(self._requests)
        ensure_descriptors(len(self._requests) + commands * _DESCRIPTORS_OF_A_COMMAND)
        if self._gates is not None:
            await self._gates.start()
        places = {
            address: await resolve(address, what=what)
            for address, what in {r.address: r.what for r in self._requests}.items()
        }
        self._connections = [
            Connection(r.address, places[r.address], what=r.what) for r in self._requests
        ]
        await self._open(self._connections)
        await self._warm_all()
        for connection, request in zip(self._connections, self._requests, strict=True):
            if not connection.is_quiet:
                # Closed meanwhile by a server that keeps idle connections for a moment only.
                await connection.open()
            await connection.write(request.content[: -request.held], within=request.timeout)
        awaited = [
            Awaited(c.opened, ResponseReader(method=r.method), r.timeout)
            for c, r in zip(self._connections, self._requests, strict=True)
        ]
        self._receiver = Receiver(awaited)
        requests, gates = iter(awaited), iter(self._gates or ())
        self._held = [
            _Held(next(requests), call.content[-call.held :])
            if isinstance(call, BurstRequest)
            else _Held(next(gates), OPENS)
            for call in self._calls
        ]

    def release(self) -> Release:
        """Sends all last bytes and opens all gates, from this thread, with nothing in between."""
        receiver = self._written
        early = self._early()
        for one in early:
            one.sent = time.monotonic_ns()
            why = ENDED_EARLY if isinstance(one, Gate) else _why_early(one.socket)
            self._give_up(one, why, time.monotonic_ns())
        skipped = set(early)
        going = [held for held in self._held if held.what not in skipped]
        stamps, lost = _send_all([held.going() for held in going])
        finished = time.monotonic_ns()
        for held, stamp in zip(going, stamps, strict=True):
            held.what.sent = stamp
        for at in lost:
            self._give_up(going[at].what, LAST_BYTE_LOST, finished)
        receiver.look(first_unseen=True)
        for gate in self._gates or ():
            gate.look(first_unseen=True)
        receiver.attach()
        gone = [stamp for at, stamp in enumerate(stamps) if at not in set(lost)]
        return Release(
            released=len(gone),
            first=Instant.of_ns(gone[0] if gone else finished),
            last=Instant.of_ns(gone[-1] if gone else finished),
            sent=tuple(Instant.of_ns(held.what.sent) for held in self._held),
        )

    def look(self) -> None:
        """Stamps what has come, for a caller that is about to keep the loop busy."""
        self._written.look()

    async def collect(self) -> None:
        """Waits for every answer and every program's end, each within its own time-out."""
        if self._gates is None:
            await self._written.wait()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._gates.wait(), name="wait for commands")
            group.create_task(self._written.wait(), name="wait for answers")

    def results(self) -> list[Answer | Ended | Failure | None]:
        """What came, in the order of leaving; None where it is still awaited. Of commands after ``end``."""
        return [held.what.result() for held in self._held]

    def close(self) -> None:
        """Closes all that is open. What is still under way is cut."""
        if self._gates is not None:
            self._gates.close()
        if self._receiver is not None:
            self._receiver.close()
        for connection in self._connections:
            connection.close()

    async def end(self) -> None:
        """Ends what commands left running; at once where there are none.

        Raises:
            TargetError: something of it would not end.
        """
        if self._gates is not None:
            await self._gates.end()

    def _early(self) -> list[Awaited | Gate]:
        return [*self._written.ready(), *(gate for gate in self._gates or () if gate.look())]

    def _give_up(self, one: Awaited | Gate, because: str, at: int) -> None:
        if isinstance(one, Gate):
            one.give_up(because, at)
        else:
            self._written.give_up(one, because, at)

    @property
    def _written(self) -> Receiver:
        assert self._receiver is not None, "write() comes first"
        return self._receiver

    async def _open(self, connections: Sequence[Connection]) -> None:
        try:
            for some in _batches(connections):
                async with asyncio.TaskGroup() as group:
                    for connection in some:
                        group.create_task(connection.open())
        except ExceptionGroup as failures:
            # All of them are of one kind, nobody accepts; one message says it.
            raise failures.exceptions[0] from None

    async def _warm_all(self) -> None:
        going = [
            (connection, self._warm[request.address])
            for connection, request in zip(self._connections, self._requests, strict=True)
            if request.address in self._warm
        ]
        for some in _batches(going):
            spoilt, late = await warm(some)
            self.warmed += len(some) - len(spoilt)
            await self._open(spoilt)
            if late:
                # A server that lets one wait has no worker left; the others would wait as well.
                return


def _batches(whole: Sequence[T]) -> list[Sequence[T]]:
    """No server's backlog overflows, no worker is overrun."""
    return [whole[at : at + _AT_A_TIME] for at in range(0, len(whole), _AT_A_TIME)]


def _send_all(
    going: Sequence[tuple[Callable[[bytes], object], bytes]],
) -> tuple[list[int], list[int]]:
    """The instants just before each send, and which of them failed."""
    stamps = [0] * len(going)
    gone: list[object] = [None] * len(going)
    now = time.monotonic_ns
    at = 0
    collecting = gc.isenabled()
    gc.disable()
    try:
        for send, held in going:
            stamps[at] = now()
            try:
                gone[at] = send(held)
            except OSError:
                gone[at] = -1
            at += 1
    finally:
        if collecting:
            gc.enable()
    # A gate tells no number. What went out in part will never be whole: nobody writes the rest.
    lost = [
        at
        for at, (_, held) in enumerate(going)
        if isinstance(gone[at], int) and gone[at] != len(held)
    ]
    return stamps, lost


def _why_early(sock: socket.socket) -> str:
    try:
        return EARLY_ANSWER if sock.recv(1, socket.MSG_PEEK) else EARLY_END
    except OSError:
        return EARLY_END
