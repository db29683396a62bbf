"""The faults of a phase: put on the hop, taken back, and told by what the hop saw of them.

Before somebody's Toxiproxy stands a hop of ours. What tells one request from another is ours to do;
what all requests suffer alike any Toxiproxy can, and so the foreign one does it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.faults.fault import Fault, HopOnProxy
from harness.model.breaker_events import NO_ROUND
from harness.model.events import AnyEvent, FaultSeen
from harness.model.plan import FaultStep
from harness.model.units import Instant
from harness.proxy.request_log import Request
from harness.runner.breaker.downstream import for_all
from harness.runner.breaker.hop_log import HopLog
from harness.runner.breaker.outside import bears
from harness.runner.clock import now
from harness.runner.rollback import ActiveFaults

_NOBODY = "no request came while it was in force: the service did not ask the downstream"


@dataclass(slots=True, kw_only=True)
class HopFaults:
    """``here`` is the hop of ours that the log tells of; ``behind`` a foreign proxy behind it, if any."""

    here: HopOnProxy
    behind: HopOnProxy | None
    faults: ActiveFaults
    log: HopLog
    record: Callable[[AnyEvent], object]

    async def apply(self, steps: Sequence[FaultStep]) -> list[Fault]:
        """Applies the steps in order.

        Raises:
            TargetError: a proxy refused or did not answer.
        """
        plain = for_all(steps) if self.behind is not None else None
        if plain is not None and self.behind is not None:
            return [await self.faults.apply(plain, self.behind, round=NO_ROUND)]
        return [await self.faults.apply(step, self.here, round=NO_ROUND) for step in steps]

    async def undo(self, faults: Sequence[Fault], *, since: Instant) -> Instant:
        """Takes them back and tells how many requests from ``since`` on each acted on.

        Returns when that was sure.

        Raises:
            TargetError: our own proxy did not take one back.
        """
        for fault in reversed(faults):
            await self.faults.undo(fault)
        self.faults.require_undone()
        undone = now()
        await self.log.poll()
        for fault in faults:
            self.record(self._seen(fault, since, undone))
        return undone

    def _seen(self, fault: Fault, since: Instant, undone: Instant) -> FaultSeen:
        came = self.log.since(since)
        hit = sum(self._acted(fault, request, undone) for request in came)
        unseen = ""
        if not hit and fault.step.kind == "down":
            unseen = "a closed port hits nobody that could be seen"
        elif not came:
            unseen = _NOBODY
        words = f"acted on {hit} {'request' if hit == 1 else 'requests'}"
        return FaultSeen(
            fault=fault.step.id,
            round=NO_ROUND,
            messages=len(came),
            hit=hit,
            missed=0,
            median=None,
            summary=unseen or words,
            unseen=unseen,
        )

    def _acted(self, fault: Fault, request: Request, undone: Instant) -> bool:
        if fault.ends_with_the_run:
            # '#' is no character that the name of a toxic may have.
            return fault.step.id.replace("#", ".") in request.injected
        return bears(fault.step, request, until=min(fault.window.until, undone))
