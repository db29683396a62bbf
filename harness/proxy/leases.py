"""Leases: who they belong to and until when they run. Time comes in as an argument.

What is attached to a lease is said by the proxies and toxics themselves (``lease``, ``disabled_by``),
so it cannot differ from what there is. Undoing it, and the timers, are ``leasing``'s business.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from harness.model.units import Duration, Instant
from harness.proxy.states import Refused

SHORTEST_MS = 100
LONGEST_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that could not be undone so far: a proxy, or a toxic of it, and why."""

    proxy: str
    toxic: str | None = None
    error: str


@dataclass(slots=True, kw_only=True)
class Lease:
    """``ended``: it runs no more, and is kept only while something of it is left."""

    id: str
    owner: str
    ttl: Duration
    deadline: Instant
    ended: bool = False
    failed: tuple[Failure, ...] = ()

    def runs(self, now: Instant) -> bool:
        return not self.ended and now < self.deadline

    def left(self, now: Instant) -> Duration:
        """Never below 0."""
        return Duration.ZERO if self.ended else max(Duration.ZERO, self.deadline - now)


def unguessable_ids() -> Callable[[], str]:
    """Makes ids: random, so that nobody renews another's, and numbered, so that none comes twice."""
    numbers = count(1)
    return lambda: f"l-{secrets.token_hex(6)}{next(numbers):04x}"


class Leases:
    """All leases of a server by id, in the order in which they were granted."""

    def __init__(self, new_id: Callable[[], str] | None = None) -> None:
        self._new_id = new_id or unguessable_ids()
        self._leases: dict[str, Lease] = {}

    def all(self) -> tuple[Lease, ...]:
        return tuple(self._leases.values())

    def grant(self, owner: str, ttl: Duration, now: Instant) -> Lease:
        lease = Lease(id=self._new_id(), owner=owner, ttl=ttl, deadline=now + ttl)
        self._leases[lease.id] = lease
        return lease

    def find(self, lease_id: str) -> Lease:
        """One that runs, or ended and has left something.

        Raises:
            Refused: 404.
        """
        lease = self._leases.get(lease_id)
        if lease is None:
            raise Refused(404, "lease not found")
        return lease

    def running(self, lease_id: str, now: Instant) -> Lease:
        """One that something can be attached to.

        Raises:
            Refused: 404, also when it has just ended.
        """
        lease = self.find(lease_id)
        if not lease.runs(now):
            raise Refused(404, "lease not found")
        return lease

    def renew(self, lease_id: str, ttl: Duration | None, now: Instant) -> Lease:
        """From now for its ttl, or for ``ttl`` from now on.

        Raises:
            Refused: 404, also when it has just ended.
        """
        lease = self.running(lease_id, now)
        lease.ttl = lease.ttl if ttl is None else ttl
        lease.deadline = now + lease.ttl
        return lease

    def forget(self, lease: Lease) -> None:
        """Nothing of it is left."""
        self._leases.pop(lease.id, None)
