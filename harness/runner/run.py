"""One run, from its first event to its last: bring up, drive, and undo on every way out.

What goes wrong becomes an event, never an exception of this module's: the verdict is a function of
the journal alone. A lost journal (``JournalLost``) is the one thing that still gets out, after
everything was stopped.
"""

import asyncio
import os
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.connections.blocking import in_thread
from harness.connections.pool import Connections
from harness.faults.guardian.start import Guardian, watch
from harness.journal.writer import Journal, JournalLost
from harness.model.errors import HarnessBug, TargetError, UserError
from harness.model.events import (
    AnyEvent,
    HarnessFailed,
    Interrupted,
    LimitReached,
    RunFinished,
    RunStarted,
    SetupRefused,
    TargetFailed,
)
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.processes.ending import end_marked
from harness.processes.group import ProcessGroup
from harness.processes.log_tail import last_lines
from harness.runner.course import Course
from harness.runner.rollback import ActiveFaults
from harness.runner.stop import StopSignals
from harness.services.own_proxy import start_proxy
from harness.services.stack import ProxyEndpoint, Stack

# Each step of cleaning up; a stuck one must not keep the next from being taken.
_CLEAN_UP_LIMIT = Duration.of_s(30)
# Whoever is found by the last sweep has been asked to end before.
_LAST_GRACE = Duration.of_ms(500)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """``foreign_proxy`` is the API of somebody's Toxiproxy; ``keep`` leaves the services up."""

    run_id: str
    mark: str
    """In the environment of all that is started, and no other run's on this machine: whoever cleans
    up goes by it. Two runs in different folders may have the same ``run_id``."""
    folder: Path
    environment: Mapping[str, Any]
    foreign_proxy: str | None = None
    keep: bool = False
    allow_hosts: tuple[str, ...] = ()


class Run:
    """Executes one plan once."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        options: RunOptions,
        *,
        enough: Callable[[], bool] | None = None,
    ) -> None:
        """``enough`` says after a round that no other is needed; without it all of them run.

        It may go by the journal alone, as the verdict does.
        """
        self._enough = enough
        self._plan = plan
        self._journal = journal
        self._options = options
        self._faults = ActiveFaults(self._record, owner=options.mark, seed=plan.seed)
        self._undo: list[tuple[str, Callable[[], Awaitable[object]]]] = []
        self._during = "start"
        self._lost: JournalLost | None = None
        self._told = False
        self._remaining: tuple[str, ...] = ()
        self._limit: asyncio.Timeout | None = None
        self._guardian: Guardian | None = None
        self._stack: Stack | None = None
        self._connections: Connections | None = None

    async def execute(self, stop: StopSignals) -> None:
        """Runs to the end and leaves nothing behind. ``stop`` interrupts it, but not its clean-up.

        Raises:
            JournalLost: the journal could not be written (disk full); everything was stopped.
            KeyboardInterrupt: ``stop`` had received a signal before anything began.
        """
        stop.attend()
        with self._failures_as_events(stop):
            self._started()
            async with asyncio.timeout(self._plan.time_limit.in_s) as limit:
                self._limit = limit
                await self._drive()
        stop.shield()
        await self._clean_up()
        if stop.received is not None and not self._told:
            # It came while cleaning up, or with the last await before: nothing was left to cancel.
            with self._journal_may_be_lost():
                self._record(Interrupted(signal=stop.received, during="cleaning up"))
        self._tell_lost()
        self._finished()
        if self._guardian is not None:
            await self._bounded("release the guardian", self._guardian.release)
        if self._lost is not None:
            raise self._lost

    def _record(self, event: AnyEvent) -> AnyEvent:
        return self._journal.record(event)

    def _started(self) -> None:
        self._record(
            RunStarted(
                run=self._options.run_id,
                mark=self._options.mark,
                pid=os.getpid(),
                plan=self._plan,
                environment=dict(self._options.environment),
            )
        )

    def _tell_lost(self) -> None:
        """For those who follow live; on the disk there is no room for it."""
        self._lost = self._lost or self._journal.lost
        if self._lost is not None:
            with self._journal_may_be_lost():
                self._record(HarnessFailed(what="the journal", detail=str(self._lost)))

    def _finished(self) -> None:
        with self._journal_may_be_lost():
            remains = self._stack.not_undone if self._stack is not None else ()
            not_undone = (*self._faults.not_undone, *remains, *self._remaining)
            self._record(RunFinished(not_undone=not_undone))
            self._journal.flush()

    async def _drive(self) -> None:
        options, plan = self._options, self._plan
        # Before anything else is started: what comes after it may be killed at any moment.
        self._guardian = await watch(self._journal.path, mark=options.mark, record=self._record)
        self._during = "starting the proxy"
        proxy, own = await start_proxy(
            folder=options.folder, mark=options.mark, record=self._record, seed=plan.seed
        )
        self._undo.append(("stop the proxy", lambda: proxy.stop(grace=Duration.of_s(2))))
        self._stack = stack = Stack(
            plan,
            folder=options.folder,
            mark=options.mark,
            record=self._record,
            proxy=ProxyEndpoint(own=own, foreign=options.foreign_proxy),
            env=os.environ,
            hide=self._journal.hide,
            allow_hosts=options.allow_hosts,
        )
        self._undo.append(("stop the services", stack.stop))
        self._during = "starting the services"
        await stack.bring_up()
        self._connections = connections = Connections(stack.urls, pids=stack.pids)
        course = Course(
            plan,
            record=self._record,
            stack=stack,
            connections=connections,
            faults=self._faults,
            run_id=options.run_id,
            check_own=partial(_check_own, proxy, self._guardian),
            enough=self._enough,
        )
        await self._follow(course.drive())

    async def _follow(self, steps: AsyncIterator[str]) -> None:
        """Goes through the course, and ends between two steps if it was told to stop.

        Some libraries eat a cancellation when what they waited for comes at that very moment, and
        the time limit and Ctrl-C are told once only.
        """
        task = asyncio.current_task()
        async for self._during in steps:
            if task is not None and task.cancelling():
                raise asyncio.CancelledError

    async def _clean_up(self) -> None:
        await self._bounded("undo faults", self._faults.undo_all)
        await self._bounded("give up leases", self._faults.give_up_leases)
        await self._bounded("close connections", self._close)
        if self._options.keep:
            return
        for what, undo in reversed(self._undo):
            await self._bounded(what, undo)
        await self._bounded("end what is left", self._sweep)

    async def _sweep(self) -> None:
        """Ends whatever still carries the run's mark: what escaped its group, or a stop cut short."""
        spare = () if self._guardian is None else (self._guardian.pid,)
        mark = self._options.mark
        left = await in_thread(lambda: end_marked(mark, spare=spare, grace=_LAST_GRACE))
        self._remaining = tuple(
            f"process {process.pid} would not end; end it with: kill -9 {process.pid}"
            for process in left
        )

    async def _close(self) -> None:
        if self._connections is not None:
            await self._connections.close()

    async def _bounded(self, what: str, undo: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(_CLEAN_UP_LIMIT.in_s):
                await undo()
        except JournalLost as lost:
            self._lost = lost
        except Exception:
            with self._journal_may_be_lost():
                self._record(HarnessFailed(what=what, detail=traceback.format_exc()))

    @contextmanager
    def _journal_may_be_lost(self) -> Iterator[None]:
        try:
            yield
        except JournalLost as lost:
            self._lost = lost

    @contextmanager
    def _failures_as_events(self, stop: StopSignals) -> Iterator[None]:
        try:
            yield
        except BaseException as raised:
            if isinstance(raised, KeyboardInterrupt | SystemExit | GeneratorExit):
                raise
            self._told = True
            with self._journal_may_be_lost():
                self._sort(raised, stop)

    def _sort(self, raised: BaseException, stop: StopSignals) -> None:
        if stop.received is not None:
            self._record(Interrupted(signal=stop.received, during=self._during))
            return
        if self._limit_expired():
            self._record(LimitReached(limit=self._plan.time_limit, during=self._during))
            return
        for failure in _leaves(raised):
            match failure:
                case JournalLost():
                    raise failure
                case UserError():
                    self._record(SetupRefused(message=str(failure)))
                case TargetError():
                    self._record(
                        TargetFailed(what=failure.what, detail=failure.detail, hint=failure.hint)
                    )
                case asyncio.CancelledError():
                    self._record(Interrupted(signal="cancelled", during=self._during))
                case HarnessBug():
                    # The last line becomes the reason of the verdict: its words, not its class.
                    *where, _ = traceback.format_exception(failure)
                    detail = "".join([*where, str(failure)])
                    self._record(HarnessFailed(what=self._during, detail=detail))
                case _:
                    detail = "".join(traceback.format_exception(failure))
                    self._record(HarnessFailed(what=self._during, detail=detail))

    def _limit_expired(self) -> bool:
        return self._limit is not None and self._limit.expired()


def _check_own(proxy: ProcessGroup, guardian: Guardian) -> None:
    """Raises HarnessBug when a process of ours is gone: what it was for is no longer done."""
    if not proxy.running():
        raise HarnessBug(f"The embedded proxy ended by itself; {last_lines(proxy.log)}")
    if not guardian.running():
        raise HarnessBug(
            "The guardian ended by itself; without it a crash would leave things behind."
        )


def _leaves(raised: BaseException) -> Iterator[BaseException]:
    """The failures inside exception groups, each once; cancellations only if there is nothing else."""
    if isinstance(raised, BaseExceptionGroup):
        for inner in raised.exceptions:
            yield from _leaves(inner)
    else:
        yield raised
