"""A service that keeps a breaker, its callers and its hop, in virtual time; ``breaker_stage`` puts a stage on it."""

import asyncio
import itertools
from asyncio import Task, TaskGroup, get_running_loop, wait
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from msgspec.structs import replace

from harness.faults.fault import HopOnProxy
from harness.faults.trace import Window
from harness.model.breaker import IdCarrier
from harness.model.events import (
    AnyEvent,
    OperationReturned,
    OperationSent,
    PhaseLeft,
)
from harness.model.outcomes import Acknowledged, Outcome, Rejected
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.proxy.request_log import Request
from harness.runner.breaker.hop_log import HopLog
from harness.traffic.caller import Offered, Returned, To
from harness.traffic.flight import How
from tests.support.virtual_time import now

ms = Duration.of_ms
T = TypeVar("T")

HERE = HopOnProxy(
    admin="http://127.0.0.1:1",
    proxy="bank",
    observed="here",
    watch_admin="http://127.0.0.1:1",
    watch_proxy="bank",
)
BEHIND = HopOnProxy(
    admin="http://127.0.0.1:2",
    proxy="harness-bank",
    observed="before",
    watch_admin="http://127.0.0.1:1",
    watch_proxy="bank",
)
_HANGS = Duration.of_s(3600)


@dataclass
class World:
    """One service with ``breakers`` of them, called in turn; ``threshold`` None: it has none.

    ``gone`` says why the service is no longer alive, as a check of it raises.
    """

    threshold: int | None = 5
    open_for: Duration = field(default_factory=lambda: ms(1000))
    breakers: int = 1
    timeout: Duration = field(default_factory=lambda: ms(300))
    foreign: bool = False
    joined: bool = True
    """False: the service passes no ids on."""
    ignores_faults: bool = False
    """True: the proxy takes them and does nothing."""
    answers: bool = True
    """False: no caller gets an answer."""
    gone: Exception | None = None
    events: list[AnyEvent] = field(default_factory=list)
    ended: list[Request] = field(default_factory=list)
    """Requests at the hop in the order of their ends, as its log tells them."""
    open: dict[int, Request] = field(default_factory=dict)
    applied: list[tuple[FaultStep, HopOnProxy]] = field(default_factory=list)
    """All that were ever applied, in order."""
    in_force: list["AFault"] = field(default_factory=list)
    observing: list[IdCarrier | None] = field(default_factory=list)
    _failures: dict[int, int] = field(default_factory=dict)
    _opened: dict[int, Instant] = field(default_factory=dict)
    _trials: set[int] = field(default_factory=set)
    _calls: int = 0

    def record(self, event: AnyEvent) -> AnyEvent:
        told = replace(event, t=now().ns) if hasattr(event, "t") else event
        self.events.append(told)
        return told

    def of(self, kind: type[T]) -> list[T]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def phases(self) -> list[tuple[str, bool, str]]:
        """Those that were left: id, whether it was reached, and why not; without the ways to a start."""
        return [
            (left.phase, left.reached, left.why)
            for left in self.of(PhaseLeft)
            if not left.phase.startswith("before-")
        ]

    def given(self, phase: str) -> dict[str, Any]:
        """What was found out in a phase."""
        (left,) = [left for left in self.of(PhaseLeft) if left.phase == phase]
        return left.given

    def sent(self, phase: str) -> list[OperationSent]:
        return [event for event in self.of(OperationSent) if event.phase == phase]

    def admit(self) -> tuple[int, bool] | None:
        """Which breaker lets a call through, and whether as a trial; None if it does not."""
        which = self._calls % self.breakers
        self._calls += 1
        opened = self._opened.get(which)
        if opened is None:
            return which, False
        if now() < opened + self.open_for or which in self._trials:
            return None
        self._trials.add(which)
        return which, True

    def settle(self, admitted: tuple[int, bool], *, good: bool) -> None:
        which, trial = admitted
        if trial:
            self._trials.discard(which)
        if good:
            self._failures[which] = 0
            if trial:
                del self._opened[which]
            return
        if which in self._opened and not trial:
            return
        self._failures[which] = self._failures.get(which, 0) + 1
        if self.threshold is not None and (trial or self._failures[which] >= self.threshold):
            self._opened[which], self._failures[which] = now(), 0

    def met(self) -> list["AFault"]:
        """The faults that the next request meets; those of so many requests are used up by it."""
        return [f for f in self.in_force if not self.ignores_faults and f.takes_one()]


class AFault:
    """A fault in force, as far as the stage asks."""

    def __init__(self, step: FaultStep, hop: HopOnProxy) -> None:
        self.step = step
        self.hop = hop
        self.since = now()
        self.until: Instant | None = None
        self._left = step.first

    def takes_one(self) -> bool:
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0

    @property
    def name(self) -> str:
        return self.step.id.replace("#", ".")

    @property
    def ends_with_the_run(self) -> bool:
        return self.hop.observed == "here"

    @property
    def window(self) -> Window:
        return Window(since=self.since, until=self.until or now())


class TheFaults:
    """In the place of ``ActiveFaults``."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def apply(self, step: FaultStep, hop: HopOnProxy, *, round: int) -> AFault:
        assert round == 0
        await _pass(ms(1))
        fault = AFault(step, hop)
        assert step.id not in {other.step.id for other in self._world.in_force}, "two of one id"
        self._world.applied.append((step, hop))
        self._world.in_force.append(fault)
        return fault

    async def undo(self, fault: AFault) -> None:
        self._world.in_force.remove(fault)
        fault.until = now()
        await _pass(ms(1))

    def require_undone(self) -> None:
        pass


class TheLog(HopLog):
    """Reads the world in the place of the proxy."""

    __slots__ = ("world",)
    world: World

    async def begin(self) -> None:
        self.world.observing.append(self.carrier)

    async def end(self) -> None:
        self.world.observing.append(None)

    async def poll(self) -> Instant:
        asked = now()
        for request in self.world.ended[self._next :]:
            self._keep(request)
        self._next = len(self.world.ended)
        for request in self.world.open.values():
            self._keep(request)
        await _pass(ms(1) * 0.5)
        return asked


class TheCaller:
    """In the place of ``Caller``: a call is a task that sleeps."""

    def __init__(self, world: World, record: Callable[[AnyEvent], object]) -> None:
        self._world = world
        self._record = record
        self._numbers = itertools.count(1)
        self._flying: set[Task[Returned]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._flying:
            task.cancel()

    async def call(
        self,
        *,
        phase: str,
        leave_after: Duration | None = None,
        circuit: str = "",
        values: object = None,
    ) -> Returned:
        return await self._begin(phase, circuit, leave_after)

    async def open(
        self,
        *,
        phase: str,
        rate: float,
        calls: int | None = None,
        lasts: Duration | None = None,
        until: Callable[[], bool] | None = None,
        to: Sequence[To] = (),
    ) -> Offered:
        counts = [calls] if calls is not None else []
        counts += [round(lasts.in_s * rate)] if lasts is not None else []
        sent, stopped = 0, False
        for k in range(min(counts)):
            if until is not None and until():
                stopped = True
                break
            self._begin(phase, to[k % len(to)].circuit if to else "", None)
            sent += 1
            await _pass(Duration.of_s(1) * (1 / rate))
        zero = Duration.ZERO
        return Offered(
            planned=min(counts),
            sent=sent,
            dropped=0,
            late_p99=zero,
            late_max=zero,
            most=sent,
            stopped=stopped,
        )

    async def closed(self, *, phase: str, callers: int, calls: int) -> int:
        left = iter(range(calls))

        async def one() -> None:
            for _ in left:
                await self._begin(phase, "", None)

        async with TaskGroup() as group:
            for _ in range(callers):
                group.create_task(one())
        return calls

    async def burst(self, *, phase: str, callers: int) -> Duration:
        await wait([self._begin(phase, "", None) for _ in range(callers)])
        return ms(7)

    async def drain(self, limit: Duration | None = None) -> None:
        if self._flying:
            await wait(self._flying, timeout=None if limit is None else limit.in_s)
        for task in tuple(self._flying):
            task.cancel()

    def _begin(self, phase: str, circuit: str, leave: Duration | None) -> "Task[Returned]":
        op = next(self._numbers)
        sent = OperationSent(
            op=op,
            operation="sell",
            round=0,
            burst="",
            rid=f"r{op}",
            request=op,
            sent=now(),
            phase=phase,
            circuit=circuit,
        )
        self._record(sent)
        task = get_running_loop().create_task(self._end(sent, leave))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)
        return task

    async def _end(self, sent: OperationSent, leave: Duration | None) -> Returned:
        how: How = "answered"
        status: int | None = 503
        if not self._world.answers:
            return self._returned(sent, "eof", None)
        admitted = self._world.admit()
        if admitted is None:
            await _pass(ms(1))
        else:
            status = await self._forwarded(sent, admitted, leave)
            how = "answered" if status is not None else "left"
        return self._returned(sent, how, status)

    async def _forwarded(
        self, sent: OperationSent, admitted: tuple[int, bool], leave: Duration | None
    ) -> int | None:
        """The status, or None of a caller that left before there was one."""
        world = self._world
        await _pass(ms(1))
        met = world.met()
        came = _request(sent, met, world)
        world.open[sent.op] = came
        lasts, status, end = _fate(met)
        over = min(each for each in (lasts, world.timeout, leave) if each is not None)
        await _pass(over)
        if over < lasts:
            status, end = None, "abandoned"
        del world.open[sent.op]
        world.ended.append(replace(came, end=end, status=status, ended=now()))
        world.settle(admitted, good=status == 200)
        if leave is not None and over == leave:
            return None
        return 200 if status == 200 else 502

    def _returned(self, sent: OperationSent, how: How, status: int | None) -> Returned:
        outcome: Outcome = Acknowledged() if status == 200 else Rejected()
        self._record(
            OperationReturned(
                op=sent.op,
                operation="sell",
                round=0,
                status=status,
                outcome=outcome,
                first=None,
                last=now(),
                phase=sent.phase,
                how=how,
            )
        )
        return Returned(
            op=sent.op,
            rid=sent.rid,
            phase=sent.phase,
            circuit=sent.circuit,
            how=how,
            status=status,
            answer="other",
            outcome=outcome,
            size=0,
            due=None,
            sent=sent.sent,
            first=None,
            last=now(),
        )


def _request(sent: OperationSent, met: Sequence[AFault], world: World) -> Request:
    return Request(
        conn=sent.op,
        seq=1,
        peer=None,
        method="POST",
        rid=sent.rid if world.joined else None,
        arrived=now(),
        ended=None,
        end="open",
        status=None,
        began=False,
        injected=tuple(fault.name for fault in met if fault.ends_with_the_run),
    )


End = Literal["answered", "abandoned", "cut", "downstream-cut"]


def _fate(met: Sequence[AFault]) -> tuple[Duration, int | None, End]:
    """How long it takes at the downstream, what it says, and how that ends."""
    lasts, status = ms(2), 200
    for fault in met:
        match fault.step.outage:
            case "latency":
                lasts = lasts + Duration.parse(fault.step.params["latency"])
            case "status":
                status = fault.step.params["status"]
            case "blackhole":
                lasts = _HANGS
            case _:
                return ms(1), None, "cut"
    return lasts, status, "answered"


async def _pass(time: Duration) -> None:
    await asyncio.sleep(time.in_s)  # noqa: TID251 - virtual time
