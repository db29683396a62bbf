"""The leases of one server at work: timers, and undoing what an ended lease has left.

Undoing waits for nothing, so it is done when the call that asked for it is answered. When a lease
runs and when not is decided in ``leases``.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from harness.model.units import Duration, Instant
from harness.proxy.leases import Failure, Lease, Leases
from harness.proxy.proxy import Proxy
from harness.proxy.states import Refused

RETRY = Duration.of_s(1)
# A timer that comes so late says that the loop stood still, and nobody was heard meanwhile.
_STALL = Duration.of_ms(50)


class Holder(Protocol):
    """The server, as far as an ended lease concerns it."""

    def proxies(self) -> list[Proxy]: ...
    def delete(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What is undone when a lease ends, by name; toxics as (proxy, toxic)."""

    proxies: tuple[str, ...]
    toxics: tuple[tuple[str, str], ...]
    disabled: tuple[str, ...]


class Leasing:
    """Every lease that runs has a timer; so has one that ended and could not be undone yet."""

    def __init__(
        self,
        holder: Holder,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], Instant],
        leases: Leases | None = None,
    ) -> None:
        self.leases = leases or Leases()
        self._holder = holder
        self._loop = loop
        self._clock = clock
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._stopped = False

    def require(self, *asked: str | None) -> None:
        """Raises ``Refused`` (404) unless all those that are no None run."""
        for lease_id in asked:
            if lease_id is not None:
                self.leases.running(lease_id, self._clock())

    def grant(self, owner: str, ttl: Duration) -> Lease:
        lease = self.leases.grant(owner, ttl, self._clock())
        self._wait(lease, ttl)
        return lease

    def renew(self, lease_id: str, ttl: Duration | None) -> Lease:
        """Raises ``Refused`` (404) when it has ended."""
        lease = self.leases.renew(lease_id, ttl, self._clock())
        self._wait(lease, lease.ttl)
        return lease

    def end(self, lease_id: str) -> None:
        """Undoes all that is attached.

        Raises:
            Refused: 404; 500 when something is left, which is tried again each second.
        """
        lease = self.leases.find(lease_id)
        self._over(lease)
        if lease.failed:
            raise Refused(500, "; ".join(failure.error for failure in lease.failed))

    def stop(self) -> None:
        """The server ends: whatever is left goes with it."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def attached(self, lease: Lease) -> Attached:
        proxies = self._holder.proxies()
        return Attached(
            proxies=tuple(proxy.name for proxy in proxies if proxy.lease == lease.id),
            toxics=tuple(
                (proxy.name, toxic) for proxy in proxies for toxic in _toxics_of(proxy, lease)
            ),
            disabled=tuple(proxy.name for proxy in proxies if proxy.disabled_by == lease.id),
        )

    def left(self, lease: Lease) -> Duration:
        return lease.left(self._clock())

    def _wait(self, lease: Lease, delay: Duration) -> None:
        before = self._timers.pop(lease.id, None)
        if before is not None:
            before.cancel()
        if not self._stopped:
            due = self._clock() + delay
            self._timers[lease.id] = self._loop.call_later(delay.in_s, self._due, lease, due)

    def _due(self, lease: Lease, due: Instant) -> None:
        """A renewal may be waiting to be read if this process stood still: it is read first."""
        now = self._clock()
        if now - due > _STALL and not lease.ended:
            lease.deadline = now + _STALL
            self._wait(lease, _STALL)
        else:
            self._over(lease)

    def _over(self, lease: Lease) -> None:
        lease.ended = True
        failed = tuple(self._undone(lease))
        for failure in failed:
            if failure not in lease.failed:
                sys.stderr.write(
                    f"lease {lease.id} of {lease.owner!r}: cannot be undone, tried again each"
                    f" {RETRY}: {failure.error}\n"
                )
        lease.failed = failed
        if failed:
            self._wait(lease, RETRY)
            return
        timer = self._timers.pop(lease.id, None)
        if timer is not None:
            timer.cancel()
        self.leases.forget(lease)

    def _undone(self, lease: Lease) -> Iterator[Failure]:
        """Removes first and enables last: a proxy that goes may have the port of one that comes."""
        for proxy in self._holder.proxies():
            for toxic in _toxics_of(proxy, lease):
                yield from _tried(partial(proxy.remove_toxic, toxic), proxy.name, toxic)
            if proxy.lease == lease.id:
                yield from _tried(partial(self._holder.delete, proxy.name), proxy.name)
        for proxy in self._holder.proxies():
            if proxy.disabled_by == lease.id:
                yield from _tried(proxy.enable, proxy.name)


def _toxics_of(proxy: Proxy, lease: Lease) -> list[str]:
    return [state.name for state in proxy.toxics if state.extensions.lease == lease.id]


def _tried(undo: Callable[[], None], proxy: str, toxic: str | None = None) -> Iterator[Failure]:
    # Whatever it is that one thing fails with, the others are undone and it is tried again.
    try:
        undo()
    except Exception as problem:
        where = proxy if toxic is None else f"{proxy}/{toxic}"
        yield Failure(proxy=proxy, toxic=toxic, error=f"{where}: {problem}")
