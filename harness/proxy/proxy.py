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
from harness.proxy.trigger import Shared, Trigger
from harness.proxy.turn_log import TurnLog, TurnPage
from harness.proxy.wire import Value, WireProblem, completed


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
        self.shared: dict[str, Shared] = {}
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

    def put_toxics(self, states: list[ToxicState]) -> None:
        """The toxics of a proxy that has no connections yet."""
        self.toxics = states
        self.shared = {state.name: Shared(_trigger(state)) for state in states}

    def add_toxic(self, spec: ToxicSpec) -> ToxicState:
        """The new toxic, which acts on every connection from the next byte on."""
        state = new_toxic(spec, {known.name for known in self.toxics})
        self.toxics.append(state)
        self.shared[state.name] = shared = Shared(_trigger(state))
        for applied in tuple(self.connections.values()):
            applied.add(state, shared)
        return state

    def change_toxic(self, name: str, spec: ToxicSpec) -> ToxicState:
        before = self.toxic(name)
        after = replace(
            before,
            toxicity=before.toxicity if spec.toxicity is None else spec.toxicity,
            attributes=_attributes(before.type, {**before.attributes, **_given(spec.attributes)}),
        )
        self.toxics[self.toxics.index(before)] = after
        shared = self.shared[name]
        for connection, applied in tuple(self.connections.items()):
            applied.change(before, after, shared)
            _end_if_stranded(connection, applied)
        return after

    def remove_toxic(self, name: str) -> None:
        state = self.toxic(name)
        self.toxics.remove(state)
        for connection, applied in tuple(self.connections.items()):
            applied.remove(state)
            _end_if_stranded(connection, applied)
        del self.shared[name]

    def remove_toxics(self) -> None:
        for state in tuple(self.toxics):
            self.remove_toxic(state.name)

    # Turns, and what connections report

    def turns(self, after: int) -> TurnPage:
        now = self._around.clock()
        unfinished = (connection.codec.unfinished(now) for connection in self.connections)
        held = sum(connection.held for connection in self.connections)
        return self.log.page(after, [turn for turn in unfinished if turn is not None], held=held)

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
            number,
            seed=around.seed,
            up=connection.up,
            down=connection.down,
            clock=around.clock,
            latest_turn=lambda: connection.codec.latest,
        )
        connection.toxics = applied
        for state in self.toxics:
            applied.add(state, self.shared[state.name])
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


def _attributes(kind: str, given: Mapping[str, Any]) -> dict[str, Value]:
    try:
        values = completed(TOXICS[kind].wire, given)
        TOXICS[kind].check(values)
    except WireProblem as problem:
        raise Refused(400, str(problem)) from None
    return values


def _given(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Null is as not given."""
    return {name: value for name, value in attributes.items() if value is not None}


def _trigger(state: ToxicState) -> Trigger:
    return Trigger(state.extensions.skip or 0, state.extensions.first)


def _end_if_stranded(connection: Connection, applied: AppliedToxics) -> None:
    """Nobody was dialled for it, because toxics kept every byte from the server; now none does."""
    if connection.undialled and applied.needs_upstream():
        connection.end()
