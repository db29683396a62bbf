"""The callers: an open loop, one after the other, so many without pause, or all at once. They may leave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from harness.model.breaker_history import Answer, Call, CallEnd
from tests.support.breaker_model.clock import MS, SECOND, Clock, Done, Timer
from tests.support.breaker_model.hop import Exchange
from tests.support.breaker_model.service import Service

DEADLINE = 30 * SECOND
_CAP = 2000


@dataclass(slots=True, eq=False)
class Called:
    """One call of ours, and what became of it. Instants in nanoseconds."""

    rid: str
    phase: str
    due: int
    sent: int
    key: str
    clock: Clock
    told: Callable[["Called"], None]
    tells_rejection: bool
    exchanges: list[Exchange] = field(default_factory=list)
    left: Callable[[], None] | None = None
    ended: int | None = None
    end: CallEnd = "open"
    status: int | None = None
    sorted: Answer = "none"
    timers: list[Timer] = field(default_factory=list)
    over: Done[None] = field(default_factory=Done)

    def answer(self, status: int, answer: Answer) -> None:
        if self.ended is None:
            undeclared = answer in ("rejection", "fallback") and not self.tells_rejection
            self.status, self.sorted = status, "other" if undeclared else answer
            self._end("answered")

    def leave(self, why: CallEnd, way: int) -> None:
        """Our side is closed; the service hears of it one way later."""
        if self.ended is None:
            self._end(why)
            self.clock.at(self.clock.now + way, lambda: self.left() if self.left else None)

    def _end(self, end: CallEnd) -> None:
        self.end, self.ended = end, self.clock.now
        for timer in self.timers:
            timer.cancel()
        self.told(self)
        self.over.set(None)

    @property
    def arrived(self) -> int | None:
        return self.exchanges[0].arrived if self.exchanges else None

    @property
    def good(self) -> bool:
        return bool(self.exchanges) and self.sorted == "success"

    @property
    def rejected(self) -> bool:
        return self.end == "answered" and not self.exchanges

    def call(self) -> Call:
        return Call(
            rid=self.rid,
            phase=self.phase,
            due=self.due,
            sent=self.sent,
            key=self.key,
            ended=self.ended,
            end=self.end,
            status=self.status,
            answer=self.sorted,
            arrivals=tuple(exchange.arrival() for exchange in self.exchanges),
        )


@dataclass(slots=True)
class Callers:
    """``lag``: how late a timer may fire. ``seen`` has the calls in the order of their ends."""

    clock: Clock
    rng: Random
    service: Service
    way: Callable[[], int]
    lag: int
    spread: int
    tells_rejection: bool
    made: list[Called] = field(default_factory=list)
    seen: list[Called] = field(default_factory=list)
    worst: int = 0
    capped: bool = False
    _flying: set[Called] = field(default_factory=set)

    def send(self, phase: str, *, due: int | None = None, key: str = "", leave: int = 0) -> Called:
        """One call, now."""
        now = self.clock.now
        called = Called(
            rid=f"r{len(self.made) + 1:05d}",
            phase=phase,
            due=now if due is None else due,
            sent=now,
            key=key,
            clock=self.clock,
            told=self._told,
            tells_rejection=self.tells_rejection,
        )
        self.made.append(called)
        self._flying.add(called)
        self.clock.at(now + self.way(), lambda: self.service.take(called))
        deadline = self.clock.at(now + DEADLINE, lambda: called.leave("deadline", self.way()))
        called.timers.append(deadline)
        if leave:
            at = now + leave + self._late()
            called.timers.append(self.clock.at(at, lambda: called.leave("left", self.way())))
        return called

    async def one(self, phase: str, *, key: str = "", leave: int = 0) -> Called:
        """One call; returns when it has ended."""
        called = self.send(phase, key=key, leave=leave)
        await called.over.wait()
        return called

    async def open(
        self,
        phase: str,
        *,
        rate: float,
        calls: int | None = None,
        lasts: int | None = None,
        until: Callable[[], bool] | None = None,
        keys: Sequence[str] = ("",),
    ) -> None:
        """The open loop; returns when the last has been sent."""
        counts = [calls] if calls is not None else []
        counts += [round(lasts / SECOND * rate)] if lasts is not None else []
        begins = self.clock.now
        for number in range(max(1, min(counts))):
            due = begins + round(number * SECOND / rate)
            await self.clock.sleep_until(due + self._late())
            if until is not None and until():
                return
            if len(self._flying) >= _CAP:
                self.capped = True
                continue
            self.send(phase, due=due, key=keys[number % len(keys)])

    async def burst(self, phase: str, callers: int) -> int:
        """All at once; returns the spread when every call has ended."""
        await self.clock.sleep(50 * MS)
        first = self.clock.now
        at = sorted(first + round(self.rng.random() * self.spread) for _ in range(callers - 1))
        called = [self.send(phase, due=first)]
        for instant in at:
            await self.clock.sleep_until(instant)
            called.append(self.send(phase, due=first))
        spread = self.clock.now - first
        for one in called:
            await one.over.wait()
        return spread

    async def closed(self, phase: str, *, callers: int, calls: int) -> None:
        """``callers`` that each call again as soon as they are answered."""
        left = iter(range(calls))

        async def again() -> None:
            for _ in left:
                await self.one(phase)

        for done in [self.clock.spawn(again()) for _ in range(callers)]:
            await done.wait()

    async def drain(self, limit: int) -> None:
        """Waits for the calls in flight, and gives up those that have not ended by then."""
        until = self.clock.now + limit
        for called in list(self._flying):
            if not await called.over.within(self.clock, max(0, until - self.clock.now)):
                called.leave("deadline", self.way())

    def lagged(self) -> int:
        """How late a timer of ours was at worst since this was last asked."""
        worst, self.worst = self.worst, 0
        return worst

    def _late(self) -> int:
        share = 1.0 if self.rng.random() < 0.02 else 0.1
        late = round(self.rng.random() * share * self.lag)
        self.worst = max(self.worst, late)
        return late

    def _told(self, called: Called) -> None:
        self._flying.discard(called)
        self.seen.append(called)
