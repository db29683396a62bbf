"""What the hop's observer saw, fetched while a phase lasts and journalled when it ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.connections.blocking import in_thread
from harness.model.breaker import IdCarrier
from harness.model.events import AnyEvent, HopRead, HopRequestArrived, HopRequestEnded, LoopLagged
from harness.model.units import Duration, Instant
from harness.proxy.client import ProxyServer
from harness.proxy.request_log import Request
from harness.runner.breaker.instances import Instances
from harness.runner.clock import now

Record = Callable[[AnyEvent], object]
Key = tuple[int, int]
# So many calls that were given up tell after how long that is done.
_ENOUGH = 3


@dataclass(slots=True)
class _Kept:
    """One request as it was last told, and what of it is in the journal already."""

    request: Request
    rid: str | None
    arrival_told: bool = False
    end_told: bool = False


@dataclass(slots=True, kw_only=True)
class HopLog:
    """The requests at one hop, by the ids that we sent.

    ``ours`` maps what the hop reads in the carrier to our own id; it fills up as calls are sent.
    ``instances`` knows the process behind a connection, where it is to be had.
    """

    hop: str
    admin: str
    proxy: str
    carrier: IdCarrier
    ours: Mapping[str, str]
    record: Record
    instances: Instances = field(default_factory=lambda: Instances(None))
    _next: int = 0
    _kept: dict[Key, _Kept] = field(default_factory=dict)
    _by_rid: dict[str, list[_Kept]] = field(default_factory=dict)
    _since: Instant | None = None
    _dropped: int = 0
    _told_dropped: int = 0
    _unreadable: int = 0
    _told_unreadable: int = 0
    _connections: int = 0
    _open: int = 0
    _lag: Duration = Duration.ZERO

    async def begin(self) -> None:
        """From here on the hop logs requests; what it saw before is no business of the script."""
        server = ProxyServer(self.admin)
        await in_thread(lambda: server.observe(self.proxy, self.carrier))
        self._since = now()
        await self.poll()
        self._lag = Duration.ZERO

    async def end(self) -> None:
        """The hop looks at requests no longer."""
        server = ProxyServer(self.admin)
        await in_thread(lambda: server.observe(self.proxy, None))

    async def poll(self) -> Instant:
        """Fetches what is new; returns the moment before it asked, up to which it then knows all."""
        asked = now()
        server = ProxyServer(self.admin)
        page = await in_thread(lambda: server.requests(self.proxy, self._next))
        self._next = page.next
        self._dropped, self._unreadable = page.dropped, page.unreadable
        self._connections, self._open = page.connections, page.open
        self._lag = max(self._lag, page.lag)
        for request in page.requests:
            self._keep(request)
        await self.instances.look(
            {each.conn: each.peer for each in page.requests if each.peer is not None}
        )
        return asked

    def arrivals(self, rid: str) -> list[Request]:
        """Those with our id, as far as was fetched, in the order in which they were told."""
        return [kept.request for kept in self._by_rid.get(rid, ())]

    def first_since(self, at: Instant) -> str | None:
        """The id of the first request that arrived from ``at`` on, as far as was fetched."""
        came = [kept for kept in self._kept.values() if kept.request.arrived >= at]
        return min(came, key=lambda kept: kept.request.arrived.ns).rid if came else None

    def given_up_after(self, since: Instant) -> Duration | None:
        """How long the service waits for an answer: the median of those it gave up, if they agree.

        Of requests that arrived from ``since`` on. None for fewer than three, or where the middle half
        of them is wider than a fifth.
        """
        waited = sorted(
            (request.ended - request.arrived).ns
            for request in self.since(since)
            if request.end == "abandoned" and request.ended is not None
        )
        if len(waited) < _ENOUGH:
            return None
        low, middle, high = (waited[len(waited) * quarter // 4] for quarter in (1, 2, 3))
        return Duration.of_ns(middle) if (high - low) * 5 <= middle else None

    def since(self, at: Instant) -> list[Request]:
        """Those that arrived from ``at`` on and were not journalled whole, as far as was fetched."""
        return [kept.request for kept in self._kept.values() if kept.request.arrived >= at]

    async def read(self, phase: str) -> None:
        """Journals what came up to now, for ``phase``."""
        until = await self.poll()
        told = sum([self._tell(kept, phase) for kept in self._kept.values()])
        # A script has a hundred thousand of them: those that nothing is left to be told of are over.
        self._kept = {key: kept for key, kept in self._kept.items() if not kept.end_told}
        self.record(LoopLagged(phase=phase, worst=self._lag, where="hop"))
        self.record(
            HopRead(
                hop=self.hop,
                phase=phase,
                since=self._since or until,
                until=until,
                requests=told,
                connections=self._connections,
                dropped=self._dropped - self._told_dropped,
                unreadable=self._unreadable - self._told_unreadable,
                open=self._open,
            )
        )
        self._told_dropped, self._told_unreadable = self._dropped, self._unreadable
        self._since, self._lag = until, Duration.ZERO

    def _keep(self, request: Request) -> None:
        key = (request.conn, request.seq)
        known = self._kept.get(key)
        if known is not None:
            known.request = request
            return
        rid = None if request.rid is None else self.ours.get(request.rid, request.rid)
        kept = self._kept[key] = _Kept(request, rid)
        if rid is not None:
            self._by_rid.setdefault(rid, []).append(kept)

    def _tell(self, kept: _Kept, phase: str) -> int:
        """Journals what is new of one request; 1 if that it arrived was."""
        request, told = kept.request, 0
        if not kept.arrival_told:
            kept.arrival_told, told = True, 1
            self.record(
                HopRequestArrived(
                    hop=self.hop,
                    conn=request.conn,
                    seq=request.seq,
                    arrived=request.arrived,
                    rid=kept.rid,
                    phase=phase,
                    method=request.method,
                    instance=self.instances.of(request.conn),
                )
            )
        if request.end != "open" and request.ended is not None and not kept.end_told:
            kept.end_told = True
            self.record(
                HopRequestEnded(
                    hop=self.hop,
                    conn=request.conn,
                    seq=request.seq,
                    end=request.end,
                    ended=request.ended,
                    injected=request.injected,
                    phase=phase,
                    status=request.status,
                    began=request.began,
                )
            )
        return told
