"""Runs one plan after another, each with a lock, a folder and a journal of its own.

Several at a time are side_by_side.py's business; each of them is one run of here, too. What listens to
the events and what a result looks like on disk come in as arguments: outputs are no business of this
room.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from harness.journal.writer import Journal, JournalLost
from harness.judge.fold import Judge
from harness.model.errors import HarnessBug, UserError
from harness.model.events import AnyEvent
from harness.model.plan import Plan
from harness.model.verdicts import EXIT_USER_ERROR, Result, Verdict
from harness.runner.foreign import require_extensions
from harness.runner.run import Run, RunOptions
from harness.runner.stop import StopSignals
from harness.services.target_lock import lock_target

# Interrupted: the user wants it to end. Refused: the machine is not as needed, nor for the next one.
ENDS_THE_SUITE = (Verdict.INTERRUPTED.exit_code, EXIT_USER_ERROR)


Write = Callable[[Result, Iterable[Mapping[str, Any]]], Mapping[str, bytes]]
"""A result, and the joined calls of a breaker's run, to files by their names."""


class Listener(Protocol):
    """Who follows a suite live. One whose ``handle`` raises hears no more of that run."""

    def handle(self, event: AnyEvent) -> None: ...
    def judged(self, result: Result) -> None: ...
    def beside(self) -> Callable[[AnyEvent], None]:
        """What hears the events of one more run, where several go on at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOptions:
    """``runs`` is the folder of run folders; ``write`` makes the files of a result, by their names."""

    runs: Path
    environment: Mapping[str, Any]
    write: Write
    foreign_proxy: str | None = None
    keep: bool = False
    allow_hosts: tuple[str, ...] = ()


async def run_suite(
    plans: Sequence[Plan], options: SuiteOptions, listener: Listener
) -> list[tuple[Result, Path]]:
    """The result and the folder of each run; stops early once going on makes no sense.

    Raises:
        UserError: another run holds a target, no folder can be made, or a fault needs more than the
            foreign proxy has.
        HarnessBug: the judge failed at an event.
        KeyboardInterrupt: interrupted between two runs.
    """
    results: list[tuple[Result, Path]] = []
    if options.foreign_proxy is not None:
        await require_extensions(plans, options.foreign_proxy, options.allow_hosts)
    with StopSignals() as stop:
        for plan in plans:
            result, folder = await run_one(plan, options, listener, stop)
            results.append((result, folder))
            if result.exit_code in ENDS_THE_SUITE:
                break
    return results


async def run_one(
    plan: Plan, options: SuiteOptions, listener: Listener, stop: StopSignals
) -> tuple[Result, Path]:
    """One run, from its lock to its ``result.json``; raises as ``run_suite`` does."""
    with lock_target(Path(plan.target.file)):
        run_id, folder = new_run_folder(options.runs, plan, datetime.now(UTC))
        judge = Judge()
        journal = Journal(folder / "journal.jsonl", subscribers=[judge.feed, listener.handle])
        run = Run(
            plan,
            journal,
            RunOptions(
                run_id=run_id,
                mark=f"{run_id}-{token_hex(4)}",
                folder=folder.absolute(),
                environment=options.environment,
                foreign_proxy=options.foreign_proxy,
                keep=options.keep,
                allow_hosts=options.allow_hosts,
            ),
            enough=judge.enough_broken,
        )
        try:
            # A lost journal is told by the last event that judge and listener got.
            with suppress(JournalLost):
                await run.execute(stop)
        finally:
            with suppress(JournalLost):
                journal.close()
        _must_have_followed(judge, journal)
        result = judge.result()
        write_files(folder, options.write(result, judge.cases()))
        listener.judged(result)
        return result, folder


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Into the run's folder. A full disk has been told by the journal already."""
    for name, content in files.items():
        with suppress(OSError):
            (folder / name).write_bytes(content)


def _must_have_followed(judge: Judge, journal: Journal) -> None:
    """A verdict must not rest on a judge that missed events; other listeners may fail alone."""
    for failure in journal.failures:
        if failure.subscriber == judge.feed:
            raise HarnessBug(f"the judge failed at {failure.event}") from failure.error


def new_run_folder(runs: Path, plan: Plan, at: datetime) -> tuple[str, Path]:
    """Makes ``runs/<id>/``; the id is the time (UTC), the experiment and the variant.

    Raises:
        UserError: the folder cannot be made.
    """
    parts = [at.strftime("%Y-%m-%dT%H-%M-%S"), plan.experiment, *filter(None, [plan.variant])]
    base = re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(parts))
    for attempt in itertools.count(1):
        run_id = base if attempt == 1 else f"{base}-{attempt}"
        try:
            (runs / run_id).mkdir(parents=True)
        except FileExistsError:
            if not runs.is_dir():
                raise UserError(
                    f"{runs}: there is a file where the folder of runs should be.",
                    hint="Name another folder with --runs.",
                ) from None
        except OSError as problem:
            raise UserError(
                f"{runs / run_id}: the run's folder cannot be made: {problem.strerror}.",
                hint="Name another folder with --runs.",
            ) from problem
        else:
            return run_id, runs / run_id
    raise AssertionError  # pragma: no cover - count() does not end
