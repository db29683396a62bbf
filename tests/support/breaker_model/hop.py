"""The hop and the downstream behind it: what arrives, what it is made to suffer, how it ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from harness.model.breaker_history import Arrival, ArrivalEnd, FaultSpan
from harness.model.breaker_script import FaultKind
from tests.support.breaker_model.clock import MS, Clock, Timer

_NEVER = 600_000 * MS

Reply = Literal["answered", "cut", "refused"]


@dataclass(slots=True, eq=False)
class Fault:
    """One fault while it lasts. ``first``: for so many requests; ``share`` of them drawn at random."""

    phase: str
    kind: FaultKind
    status: int = 500
    latency: int = 0
    first: int | None = None
    share: float | None = None
    name: str = ""
    applied: tuple[int, int] = (0, 0)
    undone: tuple[int, int] | None = None
    injected: int = 0

    def span(self) -> FaultSpan:
        return FaultSpan(
            phase=self.phase,
            kind=self.kind,
            params={"status": self.status} if self.kind == "status" else {},
            applied=self.applied,
            undone=self.undone,
            injected=self.injected,
            needs_seen=self.kind != "refuse",
        )


@dataclass(slots=True, eq=False)
class Exchange:
    """One request at the hop. ``heard`` is told, at the service, how it ended."""

    conn: int
    seq: int
    rid: str
    arrived: int
    heard: Callable[["Reply", int], None]
    ended: int | None = None
    end: ArrivalEnd = "open"
    status: int | None = None
    began: bool = False
    injected: list[str] = field(default_factory=list)
    timer: Timer | None = None
    instance: str | None = None

    def arrival(self) -> Arrival:
        return Arrival(
            conn=self.conn,
            seq=self.seq,
            arrived=self.arrived,
            rid=self.rid,
            ended=self.ended,
            end=self.end,
            status=self.status,
            began=self.began,
            method="POST",
            injected=tuple(self.injected),
            instance=self.instance,
        )


@dataclass(slots=True)
class Hop:
    clock: Clock
    rng: Random
    way: Callable[[], int]
    """A draw: how long the way between service and hop takes."""
    downstream: int
    faults: list[Fault] = field(default_factory=list)
    conns: int = 0
    idle: list[tuple[int, int]] = field(default_factory=list)

    def refuses(self) -> bool:
        return any(fault.kind == "refuse" for fault in self.faults)

    def arrive(
        self, rid: str, heard: Callable[[Reply, int], None], instance: str | None
    ) -> Exchange:
        """A request's head is complete."""
        conn, seq = self._connection()
        exchange = Exchange(conn, seq, rid, self.clock.now, heard, instance=instance)
        status, delay, hit = 200, None, self._hit(exchange)
        for fault in hit:
            match fault.kind:
                case "status":
                    status, delay = fault.status, (delay or 0)
                case "latency":
                    delay = (self._takes() if delay is None else delay) + fault.latency
                case "trickle":
                    exchange.began = True
                    delay = (delay or 0) + (fault.latency or _NEVER)
                case "blackhole":
                    return exchange
                case "reset":
                    self._end(exchange, "cut", None)
                    return exchange
                case "refuse":
                    pass
        if delay is None:
            delay = self._takes()
        exchange.timer = self.clock.at(
            self.clock.now + max(delay, 50_000), lambda: self._end(exchange, "answered", status)
        )
        return exchange

    def abandon(self, exchange: Exchange) -> None:
        """The service has closed its side; the hop notices a little later."""
        self.clock.at(self.clock.now + self.way(), lambda: self._abandoned(exchange))

    def _connection(self) -> tuple[int, int]:
        if self.idle:
            conn, seq = self.idle.pop()
            return conn, seq + 1
        self.conns += 1
        return self.conns, 1

    def _hit(self, exchange: Exchange) -> list[Fault]:
        hit = []
        for fault in self.faults:
            if fault.first is not None and fault.injected >= fault.first:
                continue
            if fault.share is not None and self.rng.random() >= fault.share:
                continue
            fault.injected += 1
            exchange.injected.append(fault.name)
            hit.append(fault)
        return hit

    def _takes(self) -> int:
        return round(self.downstream * self.rng.uniform(0.7, 1.6))

    def _end(self, exchange: Exchange, end: Literal["answered", "cut"], status: int | None) -> None:
        if exchange.end != "open":
            return
        exchange.end, exchange.ended, exchange.status = end, self.clock.now, status
        exchange.began = exchange.began or end == "answered"
        if end == "answered":
            self.idle.append((exchange.conn, exchange.seq))
        code = 0 if status is None else status
        self.clock.at(self.clock.now + self.way(), lambda: exchange.heard(end, code))

    def _abandoned(self, exchange: Exchange) -> None:
        if exchange.end == "open":
            exchange.end, exchange.ended = "abandoned", self.clock.now
            if exchange.timer is not None:
                exchange.timer.cancel()
