"""The service: calls through its circuits to the hop, with a time-out, and answers its callers."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from harness.model.breaker_history import Answer
from tests.support.breaker_model.circuit import Circuit, Ticket
from tests.support.breaker_model.clock import MS, SECOND, Clock, Timer
from tests.support.breaker_model.declaration import FALLBACK, REJECTED
from tests.support.breaker_model.hop import Exchange, Hop, Reply
from tests.support.breaker_model.settings import Defect, Outcome, Settings

_BACKOFF = 20 * MS
_SLOW_REJECTION = 120 * MS
_SICK_AFTER_RECOVERY = 6 * SECOND
_MEMORY = 64 << 20
_LEAK = 4_000


class Front(Protocol):
    """A caller's request, as the service sees it."""

    rid: str
    key: str
    exchanges: list[Exchange]
    left: Callable[[], None] | None

    def answer(self, status: int, answer: Answer) -> None: ...


@dataclass(slots=True)
class Service:
    clock: Clock
    rng: Random
    settings: Settings
    defects: frozenset[Defect]
    hop: Hop
    way: Callable[[], int]
    own: int
    circuits: dict[tuple[int, str], Circuit] = field(default_factory=dict)
    parked: list[tuple[Front, Circuit]] = field(default_factory=list)
    queue: deque["Work"] = field(default_factory=deque)
    inside: int = 0
    rejections: int = 0
    recovered: int | None = None
    forwarded: int = 0

    @property
    def memory(self) -> int:
        """Resident bytes, a little restless."""
        leaked = _LEAK * self.rejections if "leaks-memory" in self.defects else 0
        return _MEMORY + leaked + self.rng.randrange(1 << 16)

    def take(self, front: Front) -> None:
        """A request's head is here."""
        limit = self.settings.bulkhead
        if limit is not None and self.inside >= limit:
            self._reject(front)
            return
        self._through(front, self._circuit(front.key))

    def _circuit(self, key: str) -> Circuit:
        apart = self.settings.per_key and "one-circuit" not in self.defects
        name = (self.rng.randrange(self.settings.instances), key if apart else "")
        if name not in self.circuits:
            self.circuits[name] = Circuit(
                self.settings,
                self.defects,
                self.rng,
                checks_on_success=self.rng.random() < 0.5,
            )
        return self.circuits[name]

    def _through(self, front: Front, circuit: Circuit) -> None:
        ticket = circuit.admit(self.clock.now)
        if ticket is not None:
            work = Work(self, front, circuit, ticket)
            self.inside += 1
            self._begin(work)
        elif "parks-callers" in self.defects and circuit.state == "half-open":
            self.parked.append((front, circuit))
        else:
            self._reject(front)

    def _begin(self, work: "Work") -> None:
        if "serialises" not in self.defects:
            work.begin()
            return
        self.queue.append(work)
        if len(self.queue) == 1:
            work.begin()

    def _reject(self, front: Front) -> None:
        self.rejections += 1
        if self.settings.fallback:
            self.answer(front, FALLBACK, "fallback")
        else:
            late = _SLOW_REJECTION if "slow-rejections" in self.defects else 0
            self.answer(front, REJECTED, "rejection", late=late)

    def answer(self, front: Front, status: int, answer: Answer, *, late: int = 0) -> None:
        took = round(self.own * self.rng.uniform(0.5, 1.5))
        at = self.clock.now + late + took + self.way()
        self.clock.at(at, lambda: front.answer(status, answer))

    def over(self, work: "Work") -> None:
        """What waits for a trial or for its turn goes on."""
        self.inside -= 1
        parked = [one for one in self.parked if one[1] is work.circuit]
        self.parked = [one for one in self.parked if one[1] is not work.circuit]
        for front, circuit in parked:
            self._through(front, circuit)
        if self.queue and self.queue[0] is work:
            self.queue.popleft()
            if self.queue:
                self.queue[0].begin()

    def sick(self) -> bool:
        """Some time after a recovery it breaks calls by itself, if that is what is wrong with it."""
        if "fails-after-recovery" not in self.defects or self.recovered is None:
            return False
        self.forwarded += 1
        return self.clock.now < self.recovered + _SICK_AFTER_RECOVERY and self.forwarded % 12 == 0


@dataclass(slots=True, eq=False)
class Work:
    """One admitted call on its way."""

    service: Service
    front: Front
    circuit: Circuit
    ticket: Ticket
    tried: int = 0
    began: int = 0
    finished: bool = False
    timer: Timer | None = None
    exchange: Exchange | None = None

    def begin(self) -> None:
        self.front.left = self._left
        clock, timeout = self.service.clock, self.service.settings.timeout
        self.began = clock.now
        if timeout is not None and not self._has("no-timeout"):
            late = self.service.rng.uniform(0, 1)
            self.timer = clock.at(clock.now + round((timeout + late) * MS), self._timed_out)
        self._attempt()

    def _has(self, defect: Defect) -> bool:
        return defect in self.service.defects

    def _attempt(self) -> None:
        self.tried += 1
        service = self.service
        service.clock.at(service.clock.now + service.own + service.way(), self._arrive)

    def _arrive(self) -> None:
        if self.finished:
            return
        service = self.service
        if service.hop.refuses():
            self._heard("refused", 0)
            return
        instance = None
        if service.settings.instances > 1:
            numbers = {id(c): n for (n, _), c in service.circuits.items()}
            instance = f"app#{numbers[id(self.circuit)]}"
        self.exchange = service.hop.arrive(self.front.rid, self._heard, instance)
        self.front.exchanges.append(self.exchange)
        if service.sick():
            service.hop.abandon(self.exchange)
            self._finish("left", 500, "other")

    def _heard(self, reply: Reply, status: int) -> None:
        if self.finished:
            return
        service = self.service
        outcome: Outcome = "failed"
        if reply == "answered":
            outcome = "failed" if status >= 500 else "ignored" if status >= 400 else "ok"
        elif self._has("resets-unknown"):
            outcome = "ignored"
        attempts = 3 if self._has("three-tries") else service.settings.attempts
        if outcome == "failed" and self.tried < attempts:
            service.clock.at(service.clock.now + _BACKOFF, self._again)
            return
        if outcome != "ok":
            self._finish(outcome, status or 502, "other")
        elif self._has("errors-when-healthy") and service.rng.random() < 0.02:
            self._finish("ok", 500, "other")
        else:
            self._finish("ok", 200, "success")

    def _again(self) -> None:
        """Another try, unless the circuit has said no meanwhile."""
        if self.finished:
            return
        if self.ticket.generation == self.circuit.generation or self._has("three-tries"):
            self._attempt()
        else:
            self._finish("failed", 502, "other")

    def _timed_out(self) -> None:
        if self.finished:
            return
        if self.exchange is not None and not self._has("keeps-timed-out-calls"):
            self.service.hop.abandon(self.exchange)
        self._finish("failed", 504, "other", gave_up=True)

    def _left(self) -> None:
        """The caller has closed its side, and the service knows."""
        if self.finished or not self.service.settings.cancels:
            return
        if self.exchange is not None:
            self.service.hop.abandon(self.exchange)
        self._finish("left", 499, "none")

    def _finish(
        self, outcome: Outcome, status: int, answer: Answer, *, gave_up: bool = False
    ) -> None:
        self.finished = True
        if self.timer is not None:
            self.timer.cancel()
        service, now = self.service, self.service.clock.now
        slow = self._slow(now)
        if outcome == "ok" and slow and service.settings.slow_share is None:
            outcome = "failed"
        before = self.circuit.state
        self.circuit.settle(self.ticket, outcome, now, slow=slow, gave_up=gave_up)
        if before == "half-open" and self.circuit.state == "closed":
            service.recovered = now
        service.answer(self.front, status, answer)
        service.over(self)

    def _slow(self, now: int) -> bool:
        limit = self.service.settings.slow
        if limit is None or self._has("slow-not-counted"):
            return False
        return now - self.began > limit * MS
