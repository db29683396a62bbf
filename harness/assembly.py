"""The one module that knows every room: collects the kinds, wires outputs to the journal, runs suites.

It holds no logic of a room. What belongs to one room goes there.
"""

import asyncio
import itertools
import os
import platform
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

from harness import __version__
from harness.experiment.load import load
from harness.journal.reader import read
from harness.journal.writer import Journal, JournalLost
from harness.judge.fold import Judge
from harness.judge.invariants import INVARIANTS
from harness.kinds import Kinds, to_params
from harness.model.errors import HarnessBug, UserError
from harness.model.plan import FaultStep, Plan
from harness.model.units import Duration
from harness.model.verdicts import Result, worst_exit_code
from harness.observe import PROBES
from harness.outputs.console import Console, abilities
from harness.outputs.kept import kept_text
from harness.outputs.plan_text import plan_text
from harness.outputs.result_json import refused_bytes, result_bytes, suite_bytes
from harness.processes.scratch import scratch_of
from harness.proxy.toxics import TOXICS
from harness.runner.run import Run, RunOptions
from harness.services import SERVICES
from harness.services.resets import RESETS
from harness.services.target_lock import lock_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for."""

    files: tuple[Path, ...]
    variants: tuple[str, ...] = ()
    seed: int | None = None
    rounds: int | None = None
    time_limit: Duration | None = None
    allow_hosts: tuple[str, ...] = ()
    proxy: str | None = None
    keep: bool = False
    runs: Path = Path("runs")
    as_json: bool = False
    verbose: int = 0
    color: bool = True


def vocabulary() -> Kinds:
    """All kinds of YAML words, built-in and foreign."""
    return Kinds(
        faults=dict(TOXICS.items()),
        services=dict(SERVICES.items()),
        probes=dict(PROBES.items()),
        resets=dict(RESETS.items()),
        invariants=dict(INVARIANTS.items()),
    )


def plans_of(request: Request) -> list[Plan]:
    """Every experiment on every variant asked for; all problems of all files at once.

    Raises:
        UserError: with one problem for each mistake found.
    """
    seed = request.seed
    return load(
        request.files,
        kinds=vocabulary(),
        variants=request.variants,
        seed=seed if seed is not None else SystemRandom().randrange(100_000),
        rounds=request.rounds,
        time_limit=request.time_limit,
        allow_hosts=request.allow_hosts,
    )


def dry_run(request: Request) -> int:
    """Prints the resolved plans; starts nothing."""
    sys.stdout.write(plan_text(plans_of(request), describe=fault_words))
    return 0


def fault_words(step: FaultStep) -> str:
    """A fault in words, from its own kind."""
    kind = TOXICS[step.kind]
    return str(kind.words(to_params(kind.Params, step.params)))


def run(request: Request) -> int:
    """Runs the suite, prints what was found, returns the exit code.

    Raises:
        UserError: files, command line or machine are not as needed.
    """
    try:
        plans = plans_of(request)
        return asyncio.run(_suite(plans, request))
    except UserError as problem:
        if request.as_json:
            sys.stdout.buffer.write(refused_bytes(str(problem)))
        raise


async def _suite(plans: Sequence[Plan], request: Request) -> int:
    stream = sys.stderr if request.as_json else sys.stdout
    interactive, color = abilities(stream, os.environ, no_color=not request.color)
    results: list[tuple[Result, Path]] = []
    with Console(
        stream=stream, interactive=interactive, color=color, verbose=request.verbose
    ) as console:
        for plan in plans:
            results.append(await _one(plan, request, console))
            if results[-1][0].exit_code in _ENDS_THE_SUITE:
                break
        console.finish(results)
    if request.keep:
        for _, folder in results:
            events = read(folder / "journal.jsonl").events
            stream.write(kept_text(events, scratch_of(folder.name)))
    if request.as_json:
        sys.stdout.buffer.write(suite_bytes([result for result, _ in results]))
    return worst_exit_code([result.exit_code for result, _ in results])


# Interrupted: the user wants it to end. Refused: the machine is not as needed, nor for the next one.
_ENDS_THE_SUITE = (130, 2)


async def _one(plan: Plan, request: Request, console: Console) -> tuple[Result, Path]:
    with lock_target(Path(plan.target.file)):
        run_id, folder = new_run_folder(request.runs, plan, datetime.now(UTC))
        judge = Judge()
        journal = Journal(folder / "journal.jsonl", subscribers=[judge.feed, console.handle])
        options = RunOptions(
            run_id=run_id,
            folder=folder.absolute(),
            environment=environment(request.proxy),
            foreign_proxy=request.proxy,
            keep=request.keep,
            allow_hosts=request.allow_hosts,
        )
        try:
            await Run(plan, journal, options).execute()
        except JournalLost as lost:
            sys.stderr.write(f"{lost}\n")
        finally:
            with suppress(JournalLost):
                journal.close()
        _must_have_followed(judge, journal)
        result = judge.result()
        console.judged(result)
        with suppress(OSError):  # a full disk has been reported above
            (folder / "result.json").write_bytes(result_bytes(result))
        return result, folder


def _must_have_followed(judge: Judge, journal: Journal) -> None:
    """A verdict must not rest on a judge that missed events; a console that failed is only said.

    Raises:
        HarnessBug: the judge raised at an event.
    """
    for failure in journal.failures:
        if failure.subscriber == judge.feed:
            raise HarnessBug(f"the judge failed at {failure.event}") from failure.error
        sys.stderr.write(f"the console failed: {failure.error!r}\n")


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
            continue
        except OSError as problem:
            raise UserError(
                f"{runs / run_id}: the run's folder cannot be made: {problem.strerror}.",
                hint="Name another folder with --runs.",
            ) from problem
        return run_id, runs / run_id
    raise AssertionError  # pragma: no cover - count() does not end


def environment(proxy: str | None) -> dict[str, Any]:
    """What the run ran on, for whoever reads its result later."""
    return {
        "harness": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "proxy": proxy or "embedded",
    }
