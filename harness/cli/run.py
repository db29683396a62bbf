"""``harness run``: runs experiments and says what was found."""

import argparse
from pathlib import Path
from typing import Any

_EXAMPLES = """\
examples:
  harness run experiments/bank-overdraft.yaml
  harness run experiments/bank-overdraft.yaml --variant naive --seed 28474 --json
  harness run experiments/ --jobs 2 --json > suite.json
  harness run experiments/ --dry-run
  harness run mine.yaml --proxy http://127.0.0.1:8474      (your own Toxiproxy)
  harness run experiments/bank-overdraft.yaml --stack compose
"""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser(
        "run",
        help="run experiment files, or all in a folder",
        description="Runs each experiment on each of its variants and judges from the state.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="experiment file or folder"
    )
    _add_what(parser)
    _add_how(parser)


def _add_what(parser: argparse.ArgumentParser) -> None:
    """Options that say what is run."""
    add = parser.add_argument
    add(
        "--variant",
        action="append",
        default=[],
        metavar="NAME",
        help="only this variant; may be repeated",
    )
    add("--seed", type=_whole(0), help="whole number that fixes all draws")
    add("--rounds", type=_whole(1), help="rounds instead of the file's")
    add(
        "--full", action="store_true", help="all rounds, also when an expected bug has shown itself"
    )
    add("--time", type=_duration, metavar="10min", help="time limit of each run")
    add("--proxy", default="embedded", metavar="URL", help="embedded (default) or a Toxiproxy")
    add(
        "--stack",
        choices=["local", "compose"],
        default="local",
        help="where services run: on this machine, or in the containers that compose: names",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="allow a host; may be repeated",
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    """Options that say how, and what is shown of it."""
    add = parser.add_argument
    add(
        "--jobs",
        type=_whole(1),
        metavar="N",
        help="runs that share nothing at a time (half the cores)",
    )
    add("--keep", action="store_true", help="leave the services up, say how to stop them")
    either = parser.add_mutually_exclusive_group().add_argument
    either("--dry-run", action="store_true", help="print the plan, start nothing")
    either("--json", action="store_true", help="print results as JSON on standard output")
    add("--runs", type=Path, default=Path("runs"), metavar="DIR", help="folder of runs (runs)")
    add("-v", "--verbose", action="count", default=0, help="a line each round; -vv more")
    add("--no-color", action="store_true", help="plain lines")


def run(arguments: argparse.Namespace) -> int:
    from harness import assembly

    request = assembly.Request(
        files=tuple(arguments.files),
        variants=tuple(arguments.variant),
        seed=arguments.seed,
        rounds=arguments.rounds,
        time_limit=arguments.time,
        full=arguments.full,
        jobs=arguments.jobs,
        allow_hosts=tuple(arguments.allow_host),
        proxy=None if arguments.proxy == "embedded" else arguments.proxy,
        on_compose=arguments.stack == "compose",
        keep=arguments.keep,
        runs=arguments.runs,
        as_json=arguments.json,
        verbose=arguments.verbose,
        color=not arguments.no_color,
    )
    return assembly.dry_run(request) if arguments.dry_run else assembly.run(request)


def _whole(least: int) -> Any:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} up")
        return int(text)

    return read


def _duration(text: str) -> Any:
    from harness.model.units import Duration, UnitProblem

    try:
        limit = Duration.parse(text)
    except UnitProblem as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    if limit <= Duration.ZERO:
        raise argparse.ArgumentTypeError(f"{text!r} is no time to run; write 10min")
    return limit
