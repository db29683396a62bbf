"""One proxy: its listener, its toxics, its open connections and the turns they saw.

Every method takes effect at once and waits for nothing. Rules across proxies stand in ``server``.
"""

import asyncio
import socket
import sys
import traceback
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any

from harness.model.breaker import IdCarrier
from harness.model.units import Duration, Instant
from harness.proxy.addresses import AddressProblem, Listen, split
from harness.proxy.alarms import Timers
from harness.proxy.applied import AppliedToxics
from harness.proxy.connection import Connection
from harness.proxy.lifetimes import Lifetimes
from harness.proxy.limits import ConnectionLimit
from harness.proxy.listener import Listener, bind, reset
from harness.proxy.observing import Observing
from harness.proxy.states import Refused, ToxicState
from harness.proxy.tallies import Tallies, Tally
from harness.proxy.trigger import Shared, Trigger
from harness.proxy.turn_log import TurnLog, TurnPage


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

    A toxic that raises, perhaps one of somebody else's making, costs the connection on which it did
    so: that one is reset, and stderr has the reason. The proxy and its other connections go on.
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
        self.connections: dict[Connection, AppliedToxics | None] = {}
        """Each with its toxics; None once one of them has raised, until its sockets are closed."""
        self.refused = 0
        self.log = TurnLog()
        self._around = around
        self._listener: Listener | None = None
        self._observing = Observing(around.timers or around.loop, around.clock)
        self._lifetimes = Lifetimes(self.remove_toxic, loop=around.loop, clock=around.clock)
        self._tallies = Tallies()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def enabled(self) -> bool:
        return self._listener is not None

    @property
    def upstream(self) -> str:
        """As it was given."""
        return self._upstream

    @upstream.setter
    def upstream(self, text: str) -> None:
        # Read here and not for each client: to look up the name of a service blocks.
        self._upstream, self._dialled = text, _dialled(text)

    def serve(self, bound: tuple[socket.socket, Listen]) -> None:
        """Listens on a bound socket from now on."""
        sock, self.address = bound
        self.listen = self.address.text()
        self.disabled_by = None
        self._listener = Listener(sock, self._accepted, loop=self._around.loop)

    def hand_over(self) -> Listener:
        """What it listens with, which is its successor's from now on."""
        listener, self._listener = self._listener, None
        assert listener is not None
        return listener

    def take_over(self, listener: Listener, address: Listen) -> None:
        """Listens from now on in the place of a predecessor; no client is refused meanwhile."""
        listener.accepted = self._accepted
        self._listener = listener
        self.address, self.listen = address, address.text()

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
        self._observing.stop()

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
        self._on_connections(state.name, lambda applied: applied.add(state, shared))

    def change_toxic(self, after: ToxicState, *, given: Collection[str] = ()) -> None:
        """Replaces the toxic of that name; ``given`` are the extensions that begin anew."""
        before = self.toxic(after.name)
        self.toxics[self.toxics.index(before)] = after
        shared = self.shared[after.name]
        if "skip" in given or "first" in given:
            shared.trigger = _trigger(after)
        if "duration" in given:
            self._start_lifetime(after)
        self._on_connections(after.name, lambda applied: applied.change(before, after, shared))

    def remove_toxic(self, name: str) -> None:
        state = self.toxic(name)
        self.toxics.remove(state)
        self._lifetimes.forget(name)
        try:
            self._on_connections(name, lambda applied: applied.remove(state))
        finally:
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

    def _on_connections(self, toxic: str, act: Callable[[AppliedToxics], None]) -> None:
        for connection, applied in tuple(self.connections.items()):
            if applied is None:
                continue
            try:
                act(applied)
                _end_if_stranded(connection, applied)
            except Exception:
                if connection in self.connections:
                    self.connections[connection] = None
                connection.end(reset=True)
                self._tell_of(toxic, connection)

    def _tell_of(self, toxic: str, connection: Connection) -> None:
        """The exception is the current one."""
        sys.stderr.write(
            f"Toxic {toxic} of proxy {self.name}: raised on connection {connection.number}, "
            f"which is reset.\n{traceback.format_exc()}"
        )

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

    @property
    def observed(self) -> IdCarrier | None:
        """By which id its HTTP requests are observed; None if they are not."""
        return self._observing.carrier

    def observe(self, carrier: IdCarrier | None) -> None:
        """From now on; None ends it. An equal carrier changes nothing."""
        self._observing.change(carrier, self.connections)

    def requests(self, after: int) -> dict[str, Any]:
        """A ``RequestPage`` (``request_log.py``) as it is sent.

        Raises:
            Refused: its requests were never observed.
        """
        page = self._observing.page(after, self.connections, connections=self.log.connections)
        if page is None:
            raise Refused(404, "requests are not observed")
        return page

    def gone(self, connection: Connection) -> None:
        if connection in self.connections:
            del self.connections[connection]
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
        if self.observed is not None:
            self._observing.attach(connection, _port(sock))
        codec = connection.codec  # by itself: what holds the connection would be held by it
        applied = AppliedToxics(
            number,
            seed=around.seed,
            up=connection.up,
            down=connection.down,
            clock=around.clock,
            codec=codec,
        )
        connection.toxics = applied
        if not self._all_added(connection, applied):
            reset(sock)
            return
        self.connections[connection] = applied
        around.limit.enter()
        self._quiet.clear()
        around.spawn(connection.run(sock, *self._dialled))

    def _all_added(self, connection: Connection, applied: AppliedToxics) -> bool:
        for state in tuple(self.toxics):
            try:
                applied.add(state, self.shared[state.name])
            except Exception:
                connection.end(reset=True)  # those before it may have set timers
                self._tell_of(state.name, connection)
                return False
        return True


def _dialled(upstream: str) -> tuple[str, int]:
    try:
        host, port = split(upstream)
    except AddressProblem:
        return "", 0  # cannot be dialled; each client is closed at once
    return host or "localhost", port


def _port(sock: socket.socket) -> int | None:
    try:
        return int(sock.getpeername()[1])
    except OSError:
        return None  # gone again


def _trigger(state: ToxicState) -> Trigger:
    return Trigger(state.extensions.skip or 0, state.extensions.first)


def _end_if_stranded(connection: Connection, applied: AppliedToxics) -> None:
    """Nobody was dialled for it, because toxics kept every byte from the server; now none does."""
    if connection.undialled and applied.needs_upstream():
        connection.end()
