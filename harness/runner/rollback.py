"""Faults in force: each intended on disk first, applied, and undone exactly once, whatever happens."""

import asyncio
from collections.abc import Callable

from harness.connections.blocking import in_thread, to_the_end
from harness.faults.toxic import HopOnProxy, ToxicFault
from harness.journal.writer import JournalLost
from harness.model.errors import TargetError
from harness.model.events import AnyEvent, FaultNotUndone
from harness.model.plan import FaultStep
from harness.proxy.client import ProxyCallFailed, ProxyUnreachable

Record = Callable[[AnyEvent], object]


class ActiveFaults:
    """The faults of a run. ``undo_all`` is safe to call at any time and more than once."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._announced: list[ToxicFault] = []
        self._undone: set[int] = set()
        self._remaining: list[str] = []
        self._lock = asyncio.Lock()

    async def apply(self, step: FaultStep, hop: HopOnProxy, *, round: int) -> ToxicFault:
        """Announces the fault, then applies it.

        Raises:
            TargetError: the proxy refused or did not answer.
        """
        fault = ToxicFault(step, hop, round=round)
        self._record(fault.intend())
        self._announced.append(fault)
        try:
            self._record(await in_thread(fault.apply))
        except (ProxyCallFailed, ProxyUnreachable) as problem:
            raise TargetError(f"fault {step.id}", str(problem)) from problem
        return fault

    async def undo(self, fault: ToxicFault) -> None:
        """Undoes one fault; what fails is journalled as not undone, never raised."""
        await to_the_end(self._undo_once(fault))

    async def _undo_once(self, fault: ToxicFault) -> None:
        async with self._lock:
            if id(fault) in self._undone:
                return
            # Before anything can raise: a journal that is lost meanwhile must not undo it twice.
            self._undone.add(id(fault))
            try:
                undone = await in_thread(fault.undo)
            except (ProxyCallFailed, ProxyUnreachable) as problem:
                if fault.ends_with_the_run:
                    self._record(fault.gone())
                    return
                remains, command = fault.remains
                self._remaining.append(f"{remains}; remove it with: {command}")
                self._record(
                    FaultNotUndone(
                        fault=fault.step.id,
                        round=fault.round,
                        because=str(problem),
                        remains=remains,
                        command=command,
                    )
                )
            else:
                self._record(undone)

    async def undo_all(self) -> None:
        """Undoes what is still in force, latest first.

        Raises:
            JournalLost: the journal broke meanwhile; everything was undone all the same.
        """
        lost: JournalLost | None = None
        for fault in reversed(self._announced):
            try:
                await self.undo(fault)
            except JournalLost as problem:
                lost = problem
        if lost is not None:
            raise lost

    def of_round(self, round: int) -> list[ToxicFault]:
        return [fault for fault in self._announced if fault.round == round]

    @property
    def not_undone(self) -> tuple[str, ...]:
        """What could not be undone, each with the command that removes it."""
        return tuple(self._remaining)
