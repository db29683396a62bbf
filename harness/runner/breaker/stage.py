"""What all phases of a script share, and how one phase begins and ends."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from harness.faults.fault import Fault
from harness.model.breaker import BreakerPlan
from harness.model.breaker_script import Learnt, Script, ScriptPhase
from harness.model.events import AnyEvent, LoopLagged, PhaseEntered, PhaseLeft
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.runner.breaker.faults import HopFaults
from harness.runner.breaker.hop_log import HopLog
from harness.runner.breaker.sampling import ProcessWatch
from harness.runner.breaker.watch import Watch
from harness.runner.clock import now
from harness.traffic.caller import Caller, Returned, To
from harness.traffic.loop_watch import LoopWatch

_A_MOMENT = Duration.of_ms(50)
_LEAST_SILENCE = Duration.of_ms(300)
_LOOK_EVERY = Duration.of_ms(50)
# What is still in flight when a phase is over is waited for so long beyond what a call may take.
_DRAIN_SLACK = Duration.of_s(1)


@dataclass(slots=True)
class Open:
    """A phase that is on. What is put into ``found`` is told when it ends."""

    plan: ScriptPhase
    id: str
    entered: Instant
    mark: int
    """Where its calls begin in ``Watch.seen``."""
    found: dict[str, Any] = field(default_factory=dict)
    reached: bool = True
    why: str = ""
    applied: list[Fault] = field(default_factory=list)
    """Faults that last to its end."""

    def not_reached(self, why: str) -> None:
        """It could not begin as it must; nothing it shows may be called held."""
        self.reached, self.why = False, why


@dataclass(slots=True, kw_only=True, repr=False)
class BreakerStage:
    """``derive`` makes the script anew from what was learnt."""

    declared: BreakerPlan
    seed: int
    record: Callable[[AnyEvent], object]
    caller: Caller
    log: HopLog
    faults: HopFaults
    watch: Watch
    lag: LoopWatch
    process: ProcessWatch | None
    check_alive: Callable[[], None]
    derive: Callable[[BreakerPlan, Learnt], Script]
    learnt: Learnt = field(default_factory=Learnt)
    current: str = ""
    """The phase that is on; empty between two."""
    circuits: tuple[To, To] = (To(), To())
    """Two circuits to call by, where a breaker keeps several."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    barred: str = ""
    """Why nothing more can be learnt, whatever is played; empty while it can."""
    tripped: Instant | None = None
    """When it opened last, as far as the driver saw; None once it was found closed again."""

    @property
    def script(self) -> Script:
        return self.derive(self.declared, self.learnt)

    @property
    def instances(self) -> int:
        """n: how many breakers there are, each of which must open."""
        return self.declared.instances or 1

    @property
    def open_time(self) -> Duration | None:
        """D as declared, or as the run has found it; None where neither is there."""
        declared = self.declared.open
        return self.learnt.open if declared is None else declared.first

    def learn(self, **found: Any) -> None:
        """Keeps what was found out; what is declared is not asked."""
        self.learnt = replace(self.learnt, **found)

    def learn_call_timeout(self, since: Instant) -> None:
        """From calls that the service gave up by itself, where nobody declared when it does."""
        declared = self.declared
        if declared.call_timeout is None and not declared.no_call_timeout:
            found = self.log.given_up_after(since)
            if found is not None and self.learnt.call_timeout is None:
                self.learn(call_timeout=found)

    def learn_open(self, mark: int) -> None:
        """From the trip to the first call that got through again, if both were seen behind ``mark``."""
        through = self.watch.first_let_through(mark)
        # A phase that begins with rejections knows only that it had opened before.
        tripped = self.tripped or self.watch.trip(mark)
        if self.declared.open is not None or through is None or tripped is None:
            return
        if through.arrived is not None and through.arrived > tripped and self.learnt.open is None:
            self.learn(open=through.arrived - tripped)

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """The callers, and what watches beside them, are there until the block is left."""
        async with AsyncExitStack() as there:
            await there.enter_async_context(self.caller)
            there.enter_context(self.lag)
            if self.process is not None:
                await there.enter_async_context(self.process.running())
            yield

    async def look(self) -> None:
        """Fetches the hop's log and sorts what has ended."""
        known = await self.log.poll()
        self.watch.sort(self.log.arrivals, known_up_to=known)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Looks again and again until the block is left, and once more then.

        Raises:
            ExceptionGroup: of a TargetError when a service died meanwhile; the block was cut short.
        """
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._go_on_looking(), name="look at the hop")
            try:
                yield
            finally:
                task.cancel()
        await self.look()

    async def _go_on_looking(self) -> None:
        while True:
            # A phase may last for minutes: who died at its start must not keep it for so long.
            self.check_alive()
            await self.look()
            await asyncio.sleep(_LOOK_EVERY.in_s)  # noqa: TID251 - the rhythm of looking

    def enter(self, plan: ScriptPhase, *, id: str = "", **given: Any) -> Open:
        """Begins a phase; the one before must have been left."""
        self.check_alive()
        name = id or plan.id
        self.current = name
        entered = self.record_entered(plan, name, given)
        return Open(plan=plan, id=name, entered=entered, mark=self.watch.mark)

    def record_entered(self, plan: ScriptPhase, id: str, given: dict[str, Any]) -> Instant:
        at = now()
        self.record(
            PhaseEntered(
                phase=id,
                number=plan.number,
                name=plan.name,
                repetition=plan.repetition,
                rate=plan.rate if plan.load == "open" else None,
                planned=plan.calls,
                callers=plan.callers,
                fault=plan.fault,
                latency=plan.latency,
                given={**plan.given, **given},
            )
        )
        return at

    async def leave(self, phase: Open, *, drain: bool = True) -> None:
        """Ends a phase: its calls come to their end or are given up, and the hop's log is journalled."""
        if drain:
            await self.drain()
        if phase.applied:
            await self.undo(phase.applied, since=phase.entered)
        await self.look()
        await self.log.read(phase.id)
        self.record(LoopLagged(phase=phase.id, worst=self.lag.worst(), where="callers"))
        self.record(
            PhaseLeft(phase=phase.id, reached=phase.reached, why=phase.why, given=phase.found)
        )
        self.current = ""

    def due(self, phase: Open, tau: Instant | None, *, wait: float) -> Instant | None:
        """When it may be half-open, ``wait`` open times behind the trip; None if nobody can tell."""
        opened = self.open_time
        if tau is None:
            return None
        if opened is None:
            phase.not_reached("how long it stays open is not known")
            return None
        return tau + max(opened * wait, opened + _LEAST_SILENCE)

    def next_number(self) -> int:
        """For names that must differ."""
        return next(self._numbers)

    def background(self, call: Coroutine[Any, Any, Returned]) -> asyncio.Task[Returned]:
        """A call that goes on while others are made."""
        task = asyncio.get_running_loop().create_task(call, name="a call in the background")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def until_arrived(self, since: Instant) -> None:
        """Waits until some request has arrived from ``since`` on, a second at most."""
        until = now() + Duration.of_s(1)
        while self.log.first_since(since) is None and now() < until:
            await self.look()

    async def until_ended(self, rid: str, limit: Duration) -> None:
        """Waits until the hop saw the end of that request, and a moment more: order is certain then."""
        until = now() + limit
        while now() < until:
            await self.look()
            came = self.log.arrivals(rid)
            if not came or all(request.end != "open" for request in came):
                break
        await asyncio.sleep(_A_MOMENT.in_s)  # noqa: TID251 - beyond 2 δ: whose order is certain

    def drawn(self, step: FaultStep, share: float) -> FaultStep:
        """The same fault for a share of the requests, drawn from the run's seed."""
        return replace(step, toxicity=share, per="request", seed=self.seed)

    async def was_rejected(self, returned: Returned) -> bool:
        """Whether it was answered, and the downstream never heard of it."""
        await self.look()
        return returned.how == "answered" and not self.log.arrivals(returned.rid)

    def skip(self, plan: ScriptPhase, why: str) -> None:
        """Tells of a phase that could not begin."""
        self.record_entered(plan, plan.id, {})
        self.record(PhaseLeft(phase=plan.id, reached=False, why=why))

    async def drain(self) -> None:
        """Waits for the calls in flight, at most so long as a call may sensibly take."""
        timeout = self.declared.call_timeout or self.learnt.call_timeout
        limit = Duration.of_s(3) if timeout is None else timeout + _DRAIN_SLACK
        await self.caller.drain(limit)

    async def apply(self, steps: Sequence[FaultStep]) -> list[Fault]:
        """Applies the steps in order; ``undo`` takes them back."""
        return await self.faults.apply(steps)

    async def undo(self, faults: Sequence[Fault], *, since: Instant) -> Instant:
        """Takes them back and tells what each did from ``since`` on; returns when that was sure."""
        return await self.faults.undo(faults, since=since)
