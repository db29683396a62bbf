"""Leases that a run holds on proxy servers: renewed while the run lives, so that its end ends its faults.

A task of the run's own loop renews them: when the loop hangs, they end as well. What they cover, and
when it is taken back in good order, is the runner's business; the guardian does without them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from harness.faults.fault import Terms
from harness.model.units import Duration
from harness.proxy.client import ProxyCallFailed, ProxyUnreachable
from harness.proxy.lease_client import LeaseServer

# Nothing of a run that was killed stays longer than this, with or without a guardian.
TTL = Duration.of_s(2)
_RENEWALS = 3
# Longer than any call that succeeds; one that hangs must not outlast the run.
_CALL_LIMIT = Duration.of_s(5)

T = TypeVar("T")


class HeldLeases:
    """One lease for each server that has leases. ``give_up`` them on every way out."""

    def __init__(
        self,
        owner: str,
        *,
        seed: int,
        ttl: Duration = TTL,
        connect: Callable[[str], LeaseServer] | None = None,
    ) -> None:
        self._owner = owner
        self._seed = seed
        self._ttl = ttl
        self._connect = connect or partial(LeaseServer, timeout=_CALL_LIMIT)
        self._held: dict[str, _Held] = {}
        self._lock = asyncio.Lock()

    async def terms(self, admin: str) -> Terms:
        """What a fault is put on the server at ``admin`` with: under a lease that has just begun.

        Raises:
            ProxyCallFailed, ProxyUnreachable: the server did not grant one.
        """
        async with self._lock:
            held = self._held.get(admin)
            if held is None:
                held = _Held(self._connect(admin), self._owner, self._ttl)
                self._held[admin] = held
            await held.begin()
        return Terms(seed=self._seed, lease=held.lease, lapses=lambda: held.lapses)

    async def give_up(self) -> None:
        """Ends all of them; what is still attached goes with them. Safe to repeat.

        One that cannot be ended ends by itself within its ttl.
        """
        held, self._held = self._held, {}
        async with asyncio.TaskGroup() as group:
            for each in held.values():
                group.create_task(each.end(), name="give up a lease")


class _Held:
    """A lease on one server; ``lease`` is None where there are none."""

    def __init__(self, server: LeaseServer, owner: str, ttl: Duration) -> None:
        self.lease: str | None = None
        self.lapses = 0
        """How many ended although they were held."""
        self._server = server
        self._owner = owner
        self._ttl = ttl
        self._has_none = False
        self._keeping: asyncio.Future[None] | None = None
        self._lock = asyncio.Lock()
        # A thread of its own: the loop's may all be waiting for servers that hang.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lease")

    async def begin(self) -> None:
        """Afterwards it has its whole ttl before it, or the server has no leases."""
        await self._renew()
        if self.lease is not None and self._keeping is None:
            self._keeping = asyncio.ensure_future(self._keep())  # noqa: TID251 - owned here: ``end`` cancels and awaits it

    async def end(self) -> None:
        """Lets it go."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        async with self._lock:
            lease, self.lease = self.lease, None
            if lease is not None:
                with suppress(ProxyCallFailed, ProxyUnreachable):
                    await self._in_thread(lambda: self._server.close(lease))
        self._thread.shutdown(wait=False)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._ttl.in_s / _RENEWALS)  # noqa: TID251 - the beat of the renewals
            # Not reached now, it may be the next time; what went meanwhile is told by its undo.
            with suppress(Exception):
                await self._renew()

    async def _renew(self) -> None:
        async with self._lock:
            lease = self.lease
            if lease is not None:
                if await self._in_thread(lambda: self._server.renew(lease)):
                    return
                self.lapses += 1
                self.lease = None
            if not self._has_none:
                self.lease = await self._in_thread(
                    lambda: self._server.open(ttl=self._ttl, owner=self._owner)
                )
                self._has_none = self.lease is None

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
