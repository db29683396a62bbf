"""The one module that knows every room: collects the kinds, wires outputs to the journal, runs suites.

It holds no logic of a room. What belongs to one room goes there.
"""

import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import __version__
from harness.experiment.load import load
from harness.faults.known import kinds as fault_kinds
from harness.faults.known import words as fault_words
from harness.journal.reader import read
from harness.judge.invariants import INVARIANTS
from harness.kinds import Kinds
from harness.model.events import AnyEvent, RunStarted
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.model.verdicts import worst_exit_code
from harness.observe import PROBES
from harness.outputs.console import Console, abilities
from harness.outputs.kept import kept_text
from harness.outputs.plan_text import plan_text
from harness.outputs.result_json import result_bytes, suite_bytes
from harness.processes.scratch import scratch_of
from harness.runner.suite import SuiteOptions, run_suite
from harness.services import SERVICES
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
    proxy: str | None = None
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
    return load(
        request.files,
        kinds=vocabulary(),
        variants=request.variants,
        seed=request.seed,
        rounds=request.rounds,
        time_limit=request.time_limit,
        allow_hosts=request.allow_hosts,
    )


def dry_run(request: Request) -> int:
    """Prints the resolved plans; starts nothing."""
    sys.stdout.write(plan_text(plans_of(request), describe=fault_words))
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
        write=result_bytes,
        foreign_proxy=request.proxy,
        keep=request.keep,
        allow_hosts=request.allow_hosts,
    )
    with Console(
        stream=stream, interactive=interactive, color=color, verbose=request.verbose
    ) as console:
        results = await run_suite(plans, options, console)
        console.finish(results)
    if request.keep:
        for _, folder in results:
            events = read(folder / "journal.jsonl").events
            stream.write(kept_text(events, scratch_of(_mark(events))))
    if request.as_json:
        sys.stdout.buffer.write(suite_bytes([result for result, _ in results]))
    return worst_exit_code([result.exit_code for result, _ in results])


def _mark(events: Sequence[AnyEvent]) -> str:
    return next(event.mark for event in events if isinstance(event, RunStarted))


def environment(proxy: str | None) -> dict[str, Any]:
    """What the run ran on, for whoever reads its result later."""
    return {
        "harness": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "proxy": proxy or "embedded",
    }
