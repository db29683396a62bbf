"""The course of a run once its services are up: prepare, steady state, rounds, steady state again."""

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from harness.connections.pool import Connections
from harness.expressions.parse import parse
from harness.faults.fault import HopOnProxy
from harness.model.events import AnyEvent, Purpose, ResetDone, RoundsCutShort
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.observe import PROBES
from harness.observe.read import Reading
from harness.runner.breaker.make import make_stage
from harness.runner.breaker.script import play_script
from harness.runner.prepare import run_prepare
from harness.runner.readings import read_all
from harness.runner.rollback import ActiveFaults
from harness.runner.round import Stage, run_round
from harness.runner.steady_state import failing_now, look
from harness.runner.wire import Watched, Wire
from harness.services.resets import RESETS
from harness.services.stack import Stack
from harness.traffic.operation import Operation

# A service that has just become ready may still be filling a cache; nothing is injected meanwhile.
_FIRST_LOOK_LIMIT = Duration.of_s(2)

# Each such round takes the whole limit of settling and shows nothing; more of them show no more.
_UNSETTLED_LIMIT = 3


class Course:
    """Drives one plan on a stack that is up; yields what it is about to do, for the record."""

    def __init__(
        self,
        plan: Plan,
        *,
        record: Callable[[AnyEvent], object],
        stack: Stack,
        connections: Connections,
        faults: ActiveFaults,
        run_id: str,
        check_own: Callable[[], None],
        enough: Callable[[], bool] | None = None,
    ) -> None:
        """``enough`` is asked after each round: whether the run has shown all that it was to show."""
        self._plan = plan
        self._record = record
        self._stack = stack
        self._connections = connections
        self._faults = faults
        self._check_own = check_own
        self._enough = enough
        self._programs = stack.programs
        sources = stack.sources
        self._operations = {
            o.name: Operation.compile(o, sources=sources) for o in plan.target.operations
        }
        self._steady = [parse(source) for source in plan.steady_state]
        self._values: dict[str, Any] = {**stack.names, "variant": plan.variant, "run": run_id}
        self._probes = {
            p.name: PROBES[p.kind].make(p, self._values, sources) for p in plan.target.probes
        }
        self._resets = [
            RESETS[r.kind].make(r, self._values, sources, stack.programs)
            for r in plan.target.resets
        ]

    async def drive(self) -> AsyncIterator[str]:
        """Runs the whole course.

        Raises:
            TargetError: the target failed in a way that is no verdict.
        """
        plan = self._plan
        if plan.prepare:
            yield "prepare"
            await self._reset()
            captured = await run_prepare(
                plan.prepare,
                operations=self._operations,
                address_of=self._stack.address,
                values=self._values,
                record=self._record,
                hide=self._stack.hide,
                programs=self._programs,
            )
            self._values.update(captured)
        yield "steady state before"
        if not await self._look("before", _FIRST_LOOK_LIMIT):
            return
        async for during in self._script() if plan.breaker is not None else self._rounds():
            yield during
        yield "steady state after"
        await self._look("after", plan.recovers_within)
        yield "stop"

    async def _rounds(self) -> AsyncIterator[str]:
        plan = self._plan
        stage, unsettled = self._stage(), 0
        for number in range(1, plan.rounds + 1):
            yield f"round {number}"
            unsettled = 0 if await run_round(stage, number) else unsettled + 1
            if unsettled == _UNSETTLED_LIMIT or self._cut_short(number):
                break

    async def _script(self) -> AsyncIterator[str]:
        """The phases of a breaker's script, in the place of rounds; the state is put back before."""
        breaker = self._plan.breaker
        assert breaker is not None, "the plan judges no breaker"
        await self._reset()
        stage = make_stage(
            self._plan,
            stack=self._stack,
            record=self._record,
            faults=self._faults,
            values=self._values,
            hop=self._hops()[breaker.behind],
            check_alive=self._check_alive,
        )
        try:
            async for during in play_script(stage):
                yield during
        finally:
            await self._faults.undo_all()

    def _cut_short(self, rounds: int) -> bool:
        """Whether so many rounds are enough; recorded where more were planned."""
        plan = self._plan
        if plan.stop_after is None or rounds == plan.rounds:
            return False
        if self._enough is None or not self._enough():
            return False
        self._record(RoundsCutShort(rounds=rounds, broken=plan.stop_after))
        return True

    def _check_alive(self) -> None:
        self._stack.check_alive()
        self._check_own()

    async def _reset(self) -> None:
        for reset in self._resets:
            await reset.run(self._connections)

    async def _look(self, when: Literal["before", "after"], limit: Duration) -> bool:
        await self._reset()
        self._record(ResetDone(round=None))
        purpose: Purpose = "steady-before" if when == "before" else "steady-after"
        return await look(
            self._steady,
            when=when,
            read=lambda: self._read_steady(purpose),
            limit=limit,
            record=self._record,
        )

    async def _not_back(self) -> tuple[str, ...]:
        return await failing_now(
            self._steady, read=lambda: self._read_steady("reset"), limit=_FIRST_LOOK_LIMIT
        )

    async def _read_steady(self, purpose: Purpose) -> dict[str, Reading]:
        names = dict.fromkeys(name for e in self._steady for name in e.names)
        return await read_all(
            [self._probes[name] for name in names],
            self._connections,
            purpose=purpose,
            round=None,
            record=self._record,
        )

    def _hops(self) -> dict[str, HopOnProxy]:
        return {
            name: HopOnProxy(
                admin=hop.admin,
                proxy=hop.proxy,
                observed=hop.observed,
                watch_admin=hop.watch_admin,
                watch_proxy=hop.watch_proxy,
            )
            for name, hop in self._stack.hops.items()
        }

    def _stage(self) -> Stage:
        hops = self._stack.hops
        return Stage(
            plan=self._plan,
            record=self._record,
            connections=self._connections,
            probes=self._probes,
            operations=self._operations,
            address_of=self._stack.address,
            values=self._values,
            programs=self._programs,
            hops=self._hops(),
            warm={s.name: self._stack.ready_call(s.name) for s in self._plan.target.services},
            numbers=itertools.count(1),
            wire=Wire(
                {
                    name: Watched(hop=name, admin=hop.watch_admin, proxy=hop.watch_proxy)
                    for name, hop in hops.items()
                }
            ),
            faults=self._faults,
            reset=self._reset,
            not_back=self._not_back,
            check_alive=self._check_alive,
        )
