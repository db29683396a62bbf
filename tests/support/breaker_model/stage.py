"""What all phases share: how one begins and ends, how faults come and go, how a start is reached."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from msgspec.structs import replace

from harness.experiment.breaker_script import derive
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import Phase, Sample
from harness.model.breaker_script import FaultKind, Learnt, Script, ScriptPhase
from harness.model.units import Duration
from tests.support.breaker_model.callers import Called, Callers
from tests.support.breaker_model.clock import MS, SECOND, Clock
from tests.support.breaker_model.hop import Fault, Hop

GOOD_IN_A_ROW = 20
GAP = 10 * MS
_BEYOND = 25
_BESIDE = 10 * SECOND
_LONGEST_OPEN = 300 * SECOND
_LEAST_SILENCE = 300 * MS


@dataclass(slots=True)
class Open:
    """A phase that is on. ``mark``: where its calls begin among those seen."""

    plan: ScriptPhase
    id: str
    entered: int
    mark: int
    given: dict[str, Any]
    reached: bool = True
    why: str = ""
    applied: list[Fault] = field(default_factory=list)

    def not_reached(self, why: str) -> None:
        self.reached, self.why = False, why


@dataclass(slots=True)
class Stage:
    declared: BreakerPlan
    clock: Clock
    rng: Random
    callers: Callers
    hop: Hop
    learnt: Learnt = field(default_factory=Learnt)
    phases: list[Phase] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    tripped: int | None = None
    keys: tuple[str, str] = ("a", "b")

    @property
    def script(self) -> Script:
        return derive(self.declared, self.learnt)

    @property
    def open_time(self) -> int | None:
        declared = self.declared.open
        found = self.learnt.open if declared is None else declared.first
        return None if found is None else found.ns

    def learn(self, **found: Any) -> None:
        self.learnt = replace(self.learnt, **found)

    # Phases

    def enter(self, plan: ScriptPhase, *, id: str = "", **given: Any) -> Open:
        self.callers.lagged()
        return Open(
            plan=plan,
            id=id or plan.id,
            entered=self.clock.now,
            mark=len(self.callers.seen),
            given={**plan.given, **given},
        )

    async def leave(self, phase: Open, *, drain: bool = True) -> None:
        if drain:
            await self.drain()
        if phase.applied:
            await self.undo(phase.applied)
        await self.clock.sleep(round(self.rng.uniform(2, 8) * MS))
        plan = phase.plan
        self.phases.append(
            Phase(
                id=phase.id,
                number=plan.number,
                name=plan.name,
                entered=phase.entered,
                left=self.clock.now,
                round=plan.repetition,
                rate=plan.rate if plan.load == "open" else None,
                planned=plan.calls,
                callers=plan.callers,
                fault=plan.fault,
                latency=plan.latency.ns,
                reached=phase.reached,
                why=phase.why,
                lag=self.callers.lagged(),
                capped=self.callers.capped,
                given=phase.given,
            )
        )
        self.callers.capped = False

    async def skip(self, plan: ScriptPhase, why: str) -> None:
        phase = self.enter(plan)
        phase.not_reached(why)
        await self.leave(phase, drain=False)

    async def drain(self) -> None:
        timeout = self.declared.call_timeout or self.learnt.call_timeout
        await self.callers.drain(3 * SECOND if timeout is None else timeout.ns + SECOND)

    # Faults

    async def apply(self, phase: Open, kind: FaultKind, name: str = "", **of: Any) -> Fault:
        """Asked for, in force a little later, and confirmed later still."""
        fault = Fault(phase=phase.id, kind=kind, name=f"{phase.id}.{name or kind}", **of)
        asked = self.clock.now
        await self._a_moment()
        self.hop.faults.append(fault)
        await self._a_moment()
        fault.applied = (asked, self.clock.now)
        self.faults.append(fault)
        return fault

    async def undo(self, faults: list[Fault]) -> int:
        """Returns when that was confirmed."""
        for fault in reversed(faults):
            asked = self.clock.now
            await self._a_moment()
            self.hop.faults.remove(fault)
            await self._a_moment()
            fault.undone = (asked, self.clock.now)
        faults.clear()
        return self.clock.now

    async def phase_faults(self, phase: Open, *, first: int | None = None) -> list[Fault]:
        """Those that the phase's plan names; latency stands behind a made-up answer."""
        plan = phase.plan
        if plan.fault is None:
            return []
        latency = plan.latency.ns if plan.fault in ("latency", "trickle") else 0
        made = [
            await self.apply(phase, plan.fault, status=plan.status, latency=latency, first=first)
        ]
        if plan.latency and plan.fault == "status":
            made.append(await self.apply(phase, "latency", latency=plan.latency.ns, first=first))
        return made

    async def failing(self, phase: Open, name: str) -> list[Fault]:
        kind: FaultKind = phase.plan.given.get("trip", "status")
        return [await self.apply(phase, kind, name, status=phase.plan.status)]

    async def _a_moment(self) -> None:
        await self.clock.sleep(round(self.rng.uniform(0.3, 2) * MS))

    # What was seen so far

    def since(self, mark: int) -> list[Called]:
        return self.callers.seen[mark:]

    def good_in_a_row(self, mark: int) -> int:
        count = 0
        for called in reversed(self.since(mark)):
            if not called.good:
                break
            count += 1
        return count

    def trip_seen(self, mark: int) -> int | None:
        before: int | None = None
        for called in self.since(mark):
            if called.rejected:
                return before or called.sent
            if called.exchanges:
                before = called.ended
        return None

    def learn_open(self, mark: int) -> None:
        if self.declared.open is not None or self.learnt.open is not None:
            return
        seen = self.since(mark)
        # What is rejected from the first call on has opened before, and not now.
        tripped = (
            self.tripped if seen and seen[0].rejected else self.trip_seen(mark) or self.tripped
        )
        rejected = False
        for called in sorted(self.since(mark), key=lambda called: called.sent):
            if called.rejected:
                rejected = True
            elif called.arrived is not None and rejected:
                if tripped is not None and called.arrived > tripped:
                    self.learn(open=Duration.of_ns(called.arrived - tripped))
                return

    # Starts

    async def reach_closed(self, plan: ScriptPhase) -> str:
        rate = min(self.script.rate, 50.0)
        opened = self.open_time
        limit = _BESIDE if self.tripped is None else _LONGEST_OPEN
        if opened is not None:
            limit = opened * 3 + _BESIDE
        started = ScriptPhase(
            number=0,
            name="warm-up",
            title=f"to the start of {plan.id}",
            load="open",
            rate=rate,
            lasts=Duration.of_ns(limit),
        )
        phase = self.enter(started, id=f"before-{plan.id}")

        def reached() -> bool:
            return self.good_in_a_row(phase.mark) >= GOOD_IN_A_ROW

        await self.callers.open(phase.id, rate=rate, lasts=limit, until=reached)
        await self.leave(phase)
        self.learn_open(phase.mark)
        if self.good_in_a_row(phase.mark) >= GOOD_IN_A_ROW:
            self.tripped = None
            return ""
        return f"no {GOOD_IN_A_ROW} good calls in a row within {limit / SECOND:.1f} s"

    @property
    def most_failing(self) -> int:
        return self.script.threshold + _BEYOND

    async def trip(self, phase: Open, *, at_most: int, key: str = "") -> int | None:
        """Calls one after the other until one is rejected."""
        for _ in range(at_most):
            called = await self.callers.one(phase.id, key=key)
            await self._a_moment()
            if called.rejected:
                self.tripped = self.trip_seen(phase.mark)
                return self.tripped
            await self.clock.sleep(GAP)
        return None

    async def tripped_by(self, phase: Open, faults: list[Fault]) -> int | None:
        most = self.most_failing
        tau = await self.trip(phase, at_most=most)
        await self.undo(faults)
        if tau is None:
            phase.not_reached(f"it did not open in {most} failing calls, one after the other")
        return tau

    def due(self, phase: Open, tau: int | None, wait: float) -> int | None:
        opened = self.open_time
        if tau is None:
            return None
        if opened is None:
            phase.not_reached("how long it stays open is not known")
            return None
        return tau + max(round(opened * wait), opened + _LEAST_SILENCE)
