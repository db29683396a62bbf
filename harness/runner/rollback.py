"""Faults in force: each intended on disk first, applied, and undone exactly once, whatever happens."""

import asyncio
from collections.abc import Callable, Sequence

from harness.connections.blocking import in_thread, to_the_end
from harness.faults.fault import Fault, HopOnProxy
from harness.faults.known import begin
from harness.faults.lease import HeldLeases
from harness.journal.writer import JournalLost
from harness.model.errors import TargetError
from harness.model.events import AnyEvent, FaultNotUndone, FaultSeen
from harness.model.plan import FaultStep
from harness.model.units import Instant
from harness.protocols.turn import Turn
from harness.proxy.client import ProxyCallFailed, ProxyUnreachable

Record = Callable[[AnyEvent], object]
Place = tuple[str, str]
"""A proxy: the API of its server, and its name there."""


class ActiveFaults:
    """The faults of a run. ``undo_all`` is safe to call at any time and more than once.

    ``owner`` and ``seed`` are the run's, told to servers that ask for such things.
    """

    def __init__(self, record: Record, *, owner: str, seed: int) -> None:
        self._record = record
        self._by_round: dict[int, list[Fault]] = {}
        self._to_undo: dict[Place, list[Fault]] = {}
        """The latest last. One leaves when its undo has begun; its place's lock says when it ended."""
        self._in_force: list[Fault] = []
        self._released: dict[Fault, Instant] = {}
        """When the first burst behind a fault's step began to arrive."""
        self._stuck: TargetError | None = None
        self._remaining: list[str] = []
        self._locks: dict[Place, asyncio.Lock] = {}
        self._leases = HeldLeases(owner, seed=seed)

    async def apply(self, step: FaultStep, hop: HopOnProxy, *, round: int) -> Fault:
        """Announces the fault, then applies it.

        Raises:
            TargetError: the proxy refused or did not answer.
        """
        fault, place = begin(step, hop, round=round), (hop.admin, hop.proxy)
        try:
            terms = await self._leases.terms(hop.admin)
            self._record(fault.intend())
            self._by_round.setdefault(round, []).append(fault)
            self._to_undo.setdefault(place, []).append(fault)
            self._record(await in_thread(lambda: fault.apply(terms)))
        except (ProxyCallFailed, ProxyUnreachable) as problem:
            raise TargetError(f"fault {step.id}", str(problem)) from problem
        self._in_force.append(fault)
        return fault

    async def before_release(self) -> None:
        """Tells the faults in force that what the wire saw so far is no evidence.

        Those that an earlier burst has met keep what they have.
        """
        waiting = [
            (fault, place)
            for place, faults in self._to_undo.items()
            for fault in faults
            if fault in self._in_force and fault not in self._released
        ]
        for fault, place in waiting:
            if fault.asks_before_release:
                await to_the_end(self._look_anew(fault, place))

    def released(self, at: Instant, *, round: int) -> None:
        """A burst began to arrive: what the wire shows from here on is evidence."""
        for fault in self.of_round(round):
            self._released.setdefault(fault, at)

    async def _look_anew(self, fault: Fault, place: Place) -> None:
        async with self._locks.setdefault(place, asyncio.Lock()):
            # One that was undone meanwhile has its last figures, and none later may come before them.
            if fault in self._in_force:
                await in_thread(fault.before_release)

    async def undo(self, fault: Fault) -> None:
        """Undoes one fault; what fails is journalled as not undone, never raised."""
        for place, faults in self._to_undo.items():
            if fault in faults:
                await to_the_end(self._undo_once(fault, place))
                return

    async def _undo_once(self, fault: Fault, place: Place) -> None:
        # In order on one proxy; a server that hangs must not hold up the others.
        async with self._locks.setdefault(place, asyncio.Lock()):
            if fault not in self._to_undo[place]:
                return
            # Before anything can raise: a journal that is lost meanwhile must not undo it twice.
            self._to_undo[place].remove(fault)
            if fault in self._in_force:
                self._in_force.remove(fault)
            try:
                undone = await in_thread(fault.undo)
            except (ProxyCallFailed, ProxyUnreachable) as problem:
                if fault.ends_with_the_run:
                    self._gone(fault, problem)
                    return
                remains, command = fault.remains
                # Word for word as the journal's line is told, so that it does not stand there twice.
                self._remaining.append(f"{remains} ({problem}); remove it with: {command}")
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

    def _gone(self, fault: Fault, problem: ProxyCallFailed | ProxyUnreachable) -> None:
        """On our own proxy, which takes its faults with it; one that answers has them still."""
        why = ""
        if isinstance(problem, ProxyCallFailed):
            why = f"could not be undone: {problem}"
            self._stuck = TargetError(f"fault {fault.step.id}", why)
        self._record(fault.gone(why))

    def require_undone(self) -> None:
        """Rounds that follow would meet a fault of this one.

        Raises:
            TargetError: our own proxy answered and did not take a fault back.
        """
        if self._stuck is not None:
            raise self._stuck

    async def undo_all(self) -> None:
        """Undoes what is still in force: latest first on each proxy, and the proxies side by side.

        Raises:
            JournalLost: the journal broke meanwhile; everything was undone all the same.
        """
        lost: list[JournalLost] = []
        async with asyncio.TaskGroup() as group:
            for place in self._to_undo:
                group.create_task(self._undo_at(place, lost), name=f"undo faults of {place[1]}")
        if lost:
            raise lost[0]

    async def _undo_at(self, place: Place, lost: list[JournalLost]) -> None:
        for fault in reversed(tuple(self._to_undo[place])):
            try:
                await to_the_end(self._undo_once(fault, place))
            except JournalLost as problem:
                lost.append(problem)
        # One that somebody else began to undo has ended once its lock is free.
        async with self._locks.setdefault(place, asyncio.Lock()):
            return

    async def give_up_leases(self) -> None:
        """Once everything is undone."""
        await self._leases.give_up()

    def of_round(self, round: int) -> list[Fault]:
        return self._by_round.get(round, [])

    def seen_in(self, round: int, turns: Callable[[str], Sequence[Turn]]) -> list[FaultSeen]:
        """What the wire says of each fault of the round; ``turns`` are those of a hop."""
        faults = self.of_round(round)
        return [
            fault.verify(
                turns(fault.step.on),
                [
                    other
                    for other in faults
                    if other is not fault and other.step.on == fault.step.on
                ],
                released=self._released.get(fault),
            )
            for fault in faults
        ]

    @property
    def not_undone(self) -> tuple[str, ...]:
        """What could not be undone, each with the command that removes it."""
        return tuple(self._remaining)
