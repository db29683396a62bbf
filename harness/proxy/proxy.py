"""One proxy: its listener, its toxics, its open connections and the turns they saw.

Every method takes effect at once and waits for nothing. Rules across proxies stand in ``server``.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.model.units import Instant
from harness.proxy.addresses import AddressProblem, Listen, split
from harness.proxy.applied import AppliedToxics
from harness.proxy.connection import Connection
from harness.proxy.listener import Listener, bind
from harness.proxy.states import Refused, ToxicSpec, ToxicState, checked_name
from harness.proxy.toxics import TOXICS
from harness.proxy.turn_log import TurnLog, TurnPage
from harness.proxy.wire import WireProblem, completed


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every proxy of one server shares. ``spawn`` gives a task to the server's task group."""

    loop: asyncio.AbstractEventLoop
    clock: Callable[[], Instant]
    spawn: Callable[[Coroutine[Any, Any, None]], object]
    seed: int


class Proxy:
    """``listen`` is what a caller sees: the real address once it listens, as given before."""

    def __init__(self, name: str, *, listen: str, upstream: str, around: Surroundings) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.toxics: list[ToxicState] = []
        self.connections: dict[Connection, AppliedToxics] = {}
        self.log = TurnLog()
        self._around = around
        self._listener: Listener | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def enabled(self) -> bool:
        return self._listener is not None

    def serve(self, bound: tuple[socket.socket, Listen]) -> None:
        """Listens on a bound socket from now on."""
        sock, address = bound
        self.listen = address.text()
        self._listener = Listener(sock, self._accepted, loop=self._around.loop)

    def enable(self, address: Listen) -> None:
        """Binds and listens.

        Raises:
            ListenFailed: and nothing has changed.
        """
        self.serve(bind(address))

    def refuse(self) -> None:
        """Stops listening; open connections stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def disconnect(self) -> None:
        """Closes all open connections; what is in flight is lost."""
        for connection in tuple(self.connections):
            connection.end()

    def disable(self) -> None:
        self.refuse()
        self.disconnect()

    # Toxics

    def toxic(self, name: str) -> ToxicState:
        for state in self.toxics:
            if state.name == name:
                return state
        raise Refused(404, "toxic not found")

    def add_toxic(self, spec: ToxicSpec) -> ToxicState:
        """The new toxic, which acts on every connection from the next byte on."""
        state = new_toxic(spec, {known.name for known in self.toxics})
        self.toxics.append(state)
        for applied in tuple(self.connections.values()):
            applied.add(state)
        return state

    def change_toxic(self, name: str, spec: ToxicSpec) -> ToxicState:
        before = self.toxic(name)
        after = replace(
            before,
            toxicity=before.toxicity if spec.toxicity is None else spec.toxicity,
            attributes=_attributes(before.type, {**before.attributes, **spec.attributes}),
        )
        self.toxics[self.toxics.index(before)] = after
        for applied in tuple(self.connections.values()):
            applied.change(before, after)
        return after

    def remove_toxic(self, name: str) -> None:
        state = self.toxic(name)
        self.toxics.remove(state)
        for applied in tuple(self.connections.values()):
            applied.remove(state)

    def remove_toxics(self) -> None:
        for state in tuple(self.toxics):
            self.remove_toxic(state.name)

    # Turns, and what connections report

    def turns(self, after: int) -> TurnPage:
        now = self._around.clock()
        unfinished = (connection.codec.unfinished(now) for connection in self.connections)
        return self.log.page(after, [turn for turn in unfinished if turn is not None])

    def gone(self, connection: Connection) -> None:
        self.connections.pop(connection, None)
        if not self.connections:
            self._quiet.set()

    async def quiet(self) -> None:
        """Returns once no connection is open."""
        await self._quiet.wait()

    def _accepted(self, sock: socket.socket) -> None:
        around = self._around
        self.log.connections += 1
        number = self.log.connections
        connection = Connection(number, self.log, self.gone, loop=around.loop, clock=around.clock)
        applied = AppliedToxics(
            number, seed=around.seed, up=connection.up, down=connection.down, clock=around.clock
        )
        for state in self.toxics:
            applied.add(state)
        self.connections[connection] = applied
        self._quiet.clear()
        around.spawn(connection.run(sock, *self._upstream()))

    def _upstream(self) -> tuple[str, int]:
        try:
            host, port = split(self.upstream)
        except AddressProblem:
            return "", 0  # cannot be dialled; each client is closed at once
        return host or "localhost", port


def new_toxic(spec: ToxicSpec, taken: set[str]) -> ToxicState:
    """Checks in the order in which Toxiproxy complains.

    Raises:
        Refused: stream, type, name or an attribute.
    """
    stream = "downstream" if spec.stream is None else spec.stream
    if stream.lower() not in {"upstream", "downstream"}:
        raise Refused(400, "stream was invalid, can be either upstream or downstream")
    if spec.type is None or spec.type not in TOXICS:
        raise Refused(400, "invalid toxic type")
    name = checked_name(spec.name or f"{spec.type}_{stream}")
    if name in taken:
        raise Refused(409, "toxic already exists")
    return ToxicState(
        name=name,
        type=spec.type,
        stream=stream,
        toxicity=1.0 if spec.toxicity is None else spec.toxicity,
        attributes=_attributes(spec.type, spec.attributes),
    )


def _attributes(kind: str, given: Mapping[str, int]) -> dict[str, int]:
    try:
        return completed(TOXICS[kind].wire, given)
    except WireProblem as problem:
        raise Refused(400, str(problem)) from None
