"""One proxy: its listener, its toxics, its open connections and the turns they saw.

Every method takes effect at once and waits for nothing. Rules across proxies stand in ``server``.
"""

import asyncio
import socket
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.model.units import Duration, Instant
from harness.proxy.addresses import AddressProblem, Listen, split
from harness.proxy.alarms import Timers
from harness.proxy.applied import AppliedToxics
from harness.proxy.connection import Connection
from harness.proxy.extensions import toxic_extensions
from harness.proxy.lifetimes import Lifetimes
from harness.proxy.limits import ConnectionLimit
from harness.proxy.listener import Listener, bind
from harness.proxy.states import Refused, ToxicSpec, ToxicState, checked_name, refusal_of
from harness.proxy.tallies import Tallies, Tally
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
    limit: ConnectionLimit = field(default_factory=ConnectionLimit)
    timers: Timers | None = None
    """For what toxics hold; None: the loop's own."""


class Proxy:
    """``listen`` is what a caller sees: the real address once it listens, as given before.

    ``address`` is where it listens or would. ``lease`` is the one it is attached to, and
    ``disabled_by`` the one that enables it again.
    """

    def __init__(
        self, name: str, *, listen: str, address: Listen, upstream: str, around: Surroundings
    ) -> None:
        self.name = name
        self.listen = listen
        self.address = address
        self.upstream = upstream
        self.max_connections: int | None = None
        self.lease: str | None = None
        self.disabled_by: str | None = None
        self.toxics: list[ToxicState] = []
        self.shared: dict[str, Shared] = {}
        self.connections: dict[Connection, AppliedToxics] = {}
        self.refused = 0
        self.log = TurnLog()
        self._around = around
        self._listener: Listener | None = None
        self._lifetimes = Lifetimes(self.remove_toxic, loop=around.loop, clock=around.clock)
        self._tallies = Tallies()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def enabled(self) -> bool:
        return self._listener is not None

    def serve(self, bound: tuple[socket.socket, Listen]) -> None:
        """Listens on a bound socket from now on."""
        sock, self.address = bound
        self.listen = self.address.text()
        self.disabled_by = None
        self._listener = Listener(sock, self._accepted, loop=self._around.loop)

    def enable(self) -> None:
        """Binds and listens.

        Raises:
            ListenFailed: and nothing has changed.
        """
        self.serve(bind(self.address))

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

    def end(self) -> None:
        """It is no proxy of the server any more."""
        self.disable()
        self._lifetimes.forget_all()

    # Toxics

    def toxic(self, name: str) -> ToxicState:
        for state in self.toxics:
            if state.name == name:
                return state
        raise Refused(404, "toxic not found")

    def toxic_names(self) -> set[str]:
        return {state.name for state in self.toxics}

    def put_toxics(self, states: list[ToxicState]) -> None:
        """The toxics of a proxy that has no connections yet."""
        for state in states:
            self.add_toxic(state)

    def add_toxic(self, state: ToxicState) -> None:
        """It acts on every connection from the next byte on."""
        self.toxics.append(state)
        self.shared[state.name] = shared = Shared(_trigger(state))
        self._start_lifetime(state)
        for applied in tuple(self.connections.values()):
            applied.add(state, shared)

    def change_toxic(self, after: ToxicState, *, given: Collection[str] = ()) -> None:
        """Replaces the toxic of that name; ``given`` are the extensions that begin anew."""
        before = self.toxic(after.name)
        self.toxics[self.toxics.index(before)] = after
        shared = self.shared[after.name]
        if "skip" in given or "first" in given:
            shared.trigger = _trigger(after)
        if "duration" in given:
            self._start_lifetime(after)
        for connection, applied in tuple(self.connections.items()):
            applied.change(before, after, shared)
            _end_if_stranded(connection, applied)

    def remove_toxic(self, name: str) -> None:
        state = self.toxic(name)
        self.toxics.remove(state)
        self._lifetimes.forget(name)
        for connection, applied in tuple(self.connections.items()):
            applied.remove(state)
            _end_if_stranded(connection, applied)
        self._tallies.add(state, self.shared.pop(name))

    def remove_toxics(self) -> None:
        for state in tuple(self.toxics):
            self.remove_toxic(state.name)

    def toxic_left(self, name: str) -> Duration | None:
        """Until the toxic removes itself; None for one that stays."""
        return self._lifetimes.left(name)

    def tallies(self) -> tuple[Tally, ...]:
        """What its toxics did, those that are gone among them."""
        return self._tallies.all(self.toxics, self.shared)

    def _start_lifetime(self, state: ToxicState) -> None:
        duration = state.extensions.duration
        if duration is None:
            self._lifetimes.forget(state.name)
        else:
            self._lifetimes.start(state.name, Duration.of_ms(duration))

    # Turns, and what connections report

    def turns(self, after: int) -> TurnPage:
        now = self._around.clock()
        unfinished = (connection.codec.unfinished(now) for connection in self.connections)
        held = sum(connection.held for connection in self.connections)
        return self.log.page(
            after,
            [turn for turn in unfinished if turn is not None],
            held=held,
            open_now=len(self.connections),
            acted={tally.toxic: tally.injections for tally in self.tallies()},
        )

    def gone(self, connection: Connection) -> None:
        if self.connections.pop(connection, None) is not None:
            self._around.limit.leave()
        if not self.connections:
            self._quiet.set()

    async def quiet(self) -> None:
        """Returns once no connection is open."""
        await self._quiet.wait()

    def _has_room(self) -> bool:
        most = self.max_connections
        return not self._around.limit.full and (most is None or len(self.connections) < most)

    def _accepted(self, sock: socket.socket) -> None:
        around = self._around
        if not self._has_room():
            self.refused += 1
            sock.close()
            return
        self.log.connections += 1
        number = self.log.connections
        connection = Connection(
            number,
            self.log,
            self.gone,
            loop=around.loop,
            clock=around.clock,
            timers=around.timers,
        )
        codec = connection.codec  # by itself: what holds the connection would be held by it
        applied = AppliedToxics(
            number,
            seed=around.seed,
            up=connection.up,
            down=connection.down,
            clock=around.clock,
            latest_turn=lambda: codec.latest,
        )
        connection.toxics = applied
        for state in self.toxics:
            applied.add(state, self.shared[state.name])
        self.connections[connection] = applied
        around.limit.enter()  # not before: a toxic of others may fail when it is made
        self._quiet.clear()
        around.spawn(connection.run(sock, *self._upstream()))

    def _upstream(self) -> tuple[str, int]:
        try:
            host, port = split(self.upstream)
        except AddressProblem:
            return "", 0  # cannot be dialled; each client is closed at once
        return host or "localhost", port


def new_toxic(spec: ToxicSpec, taken: Collection[str]) -> ToxicState:
    """Checks in the order in which Toxiproxy complains; then what it does not know.

    Raises:
        Refused: stream, type, name, an attribute or an extension.
    """
    stream = spec.stream
    if stream is not None and stream.lower() not in {"upstream", "downstream"}:
        raise Refused(400, "stream was invalid, can be either upstream or downstream")
    if spec.type is None or spec.type not in TOXICS:
        raise Refused(400, "invalid toxic type")
    kind = TOXICS[spec.type]
    stream = kind.streams[0] if stream is None else stream
    name = checked_name(spec.name or f"{spec.type}_{stream}")
    if name in taken:
        raise Refused(409, "toxic already exists")
    if stream.lower() not in kind.streams:
        raise Refused(
            400, f"stream: {spec.type} cannot be {stream}, use {' or '.join(kind.streams)}"
        )
    try:
        return ToxicState(
            name=name,
            type=spec.type,
            stream=stream,
            toxicity=1.0 if spec.toxicity is None else spec.toxicity,
            attributes=_attributes(spec.type, spec.attributes),
            extensions=toxic_extensions(kind, spec.extensions),
        )
    except WireProblem as problem:
        raise refusal_of(problem) from None


def changed_toxic(before: ToxicState, spec: ToxicSpec) -> ToxicState:
    """What ``before`` becomes; checked on the values it would have then.

    Raises:
        Refused: an attribute or an extension.
    """
    try:
        return replace(
            before,
            toxicity=before.toxicity if spec.toxicity is None else spec.toxicity,
            attributes=_attributes(before.type, {**before.attributes, **_given(spec.attributes)}),
            extensions=toxic_extensions(TOXICS[before.type], spec.extensions, before.extensions),
        )
    except WireProblem as problem:
        raise refusal_of(problem) from None


def _attributes(kind: str, given: Mapping[str, Any]) -> dict[str, Value]:
    values = completed(TOXICS[kind].wire, given)
    TOXICS[kind].check(values)
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
