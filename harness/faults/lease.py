"""Leases that a run holds on proxy servers: renewed while the run lives, so that its end ends its faults.

A thread renews them, for the run's loop may be busy for seconds with a large burst. It stops when the
loop has shown no sign of life for long: what hangs does not hold on to its faults. What they cover is
the runner's business; the guardian does without them.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread

from harness.connections.blocking import in_thread
from harness.faults.fault import Terms
from harness.model.units import Duration
from harness.proxy.client import ProxyCallFailed, ProxyUnreachable
from harness.proxy.lease_client import LeaseServer

# Nothing of a run that was killed stays longer than this, with or without a guardian.
TTL = Duration.of_s(2)
_RENEWALS = 3
# A burst of 3,000 kept the loop busy for 5.5 s here; a loop without a sign for so long is stuck.
STUCK = Duration.of_s(30)
_BEAT = Duration.of_s(1)
# Longer than any call that succeeds; one that hangs must not outlast the run.
_CALL_LIMIT = Duration.of_s(5)


class HeldLeases:
    """One lease for each server that has leases. ``give_up`` them on every way out."""

    def __init__(
        self,
        owner: str,
        *,
        seed: int,
        ttl: Duration = TTL,
        stuck: Duration = STUCK,
        connect: Callable[[str], LeaseServer] | None = None,
    ) -> None:
        self._owner = owner
        self._seed = seed
        self._ttl = ttl
        self._stuck = stuck
        self._connect = connect or partial(LeaseServer, timeout=_CALL_LIMIT)
        self._held: dict[str, _Held] = {}
        self._beat: asyncio.TimerHandle | None = None
        self._sign_of_life = time.monotonic_ns()

    async def terms(self, admin: str) -> Terms:
        """What a fault is put on the server at ``admin`` with: under a lease that has just begun.

        Raises:
            ProxyCallFailed, ProxyUnreachable: the server did not grant one.
        """
        held = self._held.get(admin)
        if held is None:
            held = _Held(self._connect(admin), self._owner, self._ttl, self._is_alive)
            self._held[admin] = held
        if self._beat is None:
            self._give_a_sign()
        await in_thread(held.begin)
        return Terms(seed=self._seed, lease=held.lease, lapses=lambda: held.lapses)

    async def give_up(self) -> None:
        """Ends all of them; what is still attached goes with them. Safe to repeat.

        One that cannot be ended ends by itself within its ttl.
        """
        held, self._held = self._held, {}
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        async with asyncio.TaskGroup() as group:
            for each in held.values():
                group.create_task(in_thread(each.end), name="give up a lease")

    def _give_a_sign(self) -> None:
        self._sign_of_life = time.monotonic_ns()
        self._beat = asyncio.get_running_loop().call_later(_BEAT.in_s, self._give_a_sign)

    def _is_alive(self) -> bool:
        return time.monotonic_ns() - self._sign_of_life < self._stuck.ns


class _Held:
    """A lease on one server; ``lease`` is None where there are none. All methods block."""

    def __init__(
        self, server: LeaseServer, owner: str, ttl: Duration, is_alive: Callable[[], bool]
    ) -> None:
        self.lease: str | None = None
        self.lapses = 0
        """How many ended although they were held."""
        self._server = server
        self._owner = owner
        self._ttl = ttl
        self._is_alive = is_alive
        self._has_none = False
        self._lock = Lock()
        self._over = Event()
        self._keeper = Thread(target=self._keep, name="renew a lease", daemon=True)

    def begin(self) -> None:
        """Afterwards it has its whole ttl before it, or the server has no leases."""
        with self._lock:
            self._renew()
            if self.lease is not None and not self._keeper.is_alive() and not self._over.is_set():
                self._keeper.start()

    def end(self) -> None:
        """Lets it go."""
        self._over.set()
        with self._lock:
            lease, self.lease = self.lease, None
            if lease is not None:
                with suppress(ProxyCallFailed, ProxyUnreachable):
                    self._server.close(lease)

    def _keep(self) -> None:
        while not self._over.wait(self._ttl.in_s / _RENEWALS):
            with self._lock:
                # Not reached now, it may be the next time; what went meanwhile is told by its undo.
                if self._is_alive() and not self._over.is_set():
                    with suppress(Exception):
                        self._renew()

    def _renew(self) -> None:
        if self.lease is not None:
            if self._server.renew(self.lease):
                return
            self.lapses += 1
            self.lease = None
        if not self._has_none:
            self.lease = self._server.open(ttl=self._ttl, owner=self._owner)
            self._has_none = self.lease is None
