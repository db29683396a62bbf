"""Runs that share nothing, several at a time, each in a process of its own.

A process each, because what one does between two events would else come between a burst's release and
its first answer in the other. Signals are passed on, and each run rolls back itself; should this
process be killed, the end of their input tells them (worker.py).
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from harness.connections.blocking import in_thread
from harness.journal import lines
from harness.journal.reader import read_run
from harness.judge.fold import folded
from harness.model.errors import HarnessBug, UserError
from harness.model.events import AnyEvent, RunStarted
from harness.model.plan import Plan
from harness.model.units import Duration, from_builtin
from harness.model.verdicts import EXIT_USER_ERROR, Result, Verdict
from harness.processes.command import own_environment
from harness.processes.ending import end_marked
from harness.runner.foreign import require_extensions
from harness.runner.sharing import shared_things
from harness.runner.stop import StopSignals
from harness.runner.suite import ENDS_THE_SUITE, Listener, SuiteOptions, write_files
from harness.runner.worker import Job

Found = tuple[Result, Path]

# The longest line is a plan; the default of 64 KiB is too little for one.
_LONGEST_LINE = 1 << 26
# What a guardian needs to undo what a killed run left behind, with room to spare.
_GUARDIAN = Duration.of_s(15)


async def run_side_by_side(
    plans: Sequence[Plan],
    options: SuiteOptions,
    listener: Listener,
    *,
    jobs: int,
    worker: Sequence[str],
) -> list[Found]:
    """As ``run_suite``, with at most ``jobs`` runs at a time; ``worker`` is the command that does one.

    The results are in the order of ``plans``, whatever ended first.

    Raises:
        UserError: as ``run_suite`` does; runs under way are finished first.
        HarnessBug: a run ended without telling what came of it.
        KeyboardInterrupt: interrupted before any run had begun.
    """
    if options.foreign_proxy is not None:
        await require_extensions(plans, options.foreign_proxy, options.allow_hosts)
    with StopSignals() as stop:
        stop.attend()
        crew = _Crew(plans, options, listener, worker=worker, stop=stop)
        try:
            await crew.run(jobs)
        except asyncio.CancelledError:
            if stop.received is None:
                raise
        return crew.found()


class _Crew:
    """The runs of one suite: waiting, under way, over."""

    def __init__(
        self,
        plans: Sequence[Plan],
        options: SuiteOptions,
        listener: Listener,
        *,
        worker: Sequence[str],
        stop: StopSignals,
    ) -> None:
        self._plans = list(plans)
        self._waiting = list(range(len(plans)))
        self._options = options
        self._listener = listener
        self._worker = tuple(worker)
        self._stop = stop
        self._busy: dict[int, frozenset[str]] = {}
        self._freed = asyncio.Event()
        self._found: dict[int, Found] = {}
        self._failure: Exception | None = None

    def found(self) -> list[Found]:
        """What came of it, in the order of the plans; raises what kept it from going on."""
        if self._failure is not None:
            raise self._failure
        if self._stop.received is not None and not self._found:
            raise KeyboardInterrupt
        return [self._found[index] for index in sorted(self._found)]

    async def run(self, jobs: int) -> None:
        async with asyncio.TaskGroup() as group:
            while self._waiting:
                index = self._next() if len(self._busy) < jobs else None
                if index is None:
                    await self._freed.wait()
                    self._freed.clear()
                    continue
                self._waiting.remove(index)
                self._busy[index] = self._things(index)
                group.create_task(self._one(index))

    def _next(self) -> int | None:
        busy = frozenset[str]().union(*self._busy.values())
        return next(
            (index for index in self._waiting if self._things(index).isdisjoint(busy)), None
        )

    def _things(self, index: int) -> frozenset[str]:
        return shared_things(self._plans[index], foreign_proxy=self._options.foreign_proxy)

    async def _one(self, index: int) -> None:
        try:
            found = await self._in_a_process(self._plans[index])
            if found is not None:
                self._found[index] = found
                self._listener.judged(found[0])
                if found[0].exit_code in ENDS_THE_SUITE:
                    self._waiting.clear()
        # Raised here it would cancel the others; they are to come to their end.
        except (UserError, HarnessBug) as failure:
            self._failure = self._failure or failure
            self._waiting.clear()
        finally:
            del self._busy[index]
            self._freed.set()

    async def _in_a_process(self, plan: Plan) -> Found | None:
        """What came of one run; None if it was interrupted before it began."""
        process = await asyncio.create_subprocess_exec(
            *self._worker,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=own_environment(os.environ),
            limit=_LONGEST_LINE,
            # Ctrl-C reaches all of a terminal's group; each run is to hear of it once, from us.
            start_new_session=True,
        )
        run = _RunElsewhere(process, self._listener.beside())
        try:
            await run.give(Job.of(plan, self._options).line())
            await run.follow()
        except asyncio.CancelledError:
            run.send(self._stop.received)
            await run.follow()
        finally:
            run.release()
        return await self._outcome(plan, run)

    async def _outcome(self, plan: Plan, run: "_RunElsewhere") -> Found | None:
        name = f"{plan.experiment} {plan.variant or ''}".rstrip()
        if run.exit_code == EXIT_USER_ERROR:
            raise UserError(run.said)
        if run.exit_code == Verdict.ERROR.exit_code:
            raise HarnessBug(f"the run of {name} failed: {run.said}")
        if run.started is None:
            if self._stop.received is not None:
                return None
            raise HarnessBug(
                f"the run of {name} never began: exit code {run.exit_code}. {run.said}"
            )
        folder = self._options.runs / run.started.run
        if run.exit_code == 0:
            with suppress(OSError, msgspec.DecodeError):
                return _result_in(folder), folder
        return await self._judged_here(run.started, folder), folder

    async def _judged_here(self, started: RunStarted, folder: Path) -> Result:
        """From the journal, for a run that was killed; its guardian is given the time to clean up."""
        await in_thread(lambda: end_marked(started.mark, grace=_GUARDIAN))
        judge = folded(read_run(folder).events)
        result = judge.result()
        write_files(folder, self._options.write(result, judge.cases()))
        return result


class _RunElsewhere:
    """A run in its process, followed to its end."""

    def __init__(self, process: Process, hear: Callable[[AnyEvent], None]) -> None:
        self._process = process
        self._hear: Callable[[AnyEvent], None] | None = hear
        self._errors = bytearray()
        self.started: RunStarted | None = None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    @property
    def said(self) -> str:
        """What it wrote on standard error."""
        return self._errors.decode(errors="replace").strip()

    async def give(self, job: bytes) -> None:
        """Hands over the job and keeps its input open: the end of it is the end of the suite."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended: its exit code tells
            self._process.stdin.write(job)
            await self._process.stdin.drain()

    async def follow(self) -> None:
        """Hears it out until it has ended. After a cancellation, call it again: nothing is lost."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear_events())
            group.create_task(self._hear_errors())
        await self._process.wait()

    def send(self, signal_name: str | None) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.Signals[signal_name or "SIGTERM"])

    def release(self) -> None:
        """Ends its input; one that still runs, because we failed, rolls back."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _hear_events(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            # A foreign kind may print: that is no event, and no reason to lose the run.
            with suppress(*lines.UNREADABLE):
                self._take(lines.decode(line))

    def _take(self, event: AnyEvent) -> None:
        if isinstance(event, RunStarted):
            self.started = event
        if self._hear is not None:
            try:
                self._hear(event)
            except Exception:  # who only watches must not change what comes of a run
                self._hear = None

    async def _hear_errors(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(4096):
            self._errors += piece


def _result_in(folder: Path) -> Result:
    data = (folder / "result.json").read_bytes()
    return msgspec.json.decode(data, type=Result, dec_hook=from_builtin)
