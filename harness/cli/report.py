"""``harness report``: judges a run again from its journal alone and says what was found."""

import argparse
import sys
from pathlib import Path
from typing import Any

_EXAMPLES = """\
examples:
  harness report runs/2026-11-25T10-12-31-bank-overdraft-naive
  harness report 2026-11-25T10-12-31-bank-overdraft-naive --json
"""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser(
        "report",
        help="judge a run again from its journal",
        description="Reads a run's journal, judges it, rewrites its result.json, prints the verdict.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run's folder, or its id under the folder of runs")
    add("--runs", type=Path, default=Path("runs"), metavar="DIR", help="folder of run folders")
    add("--json", action="store_true", help="print the result as JSON on standard output")
    add("--no-color", action="store_true", help="plain text")


def run(arguments: argparse.Namespace) -> int:
    import os

    from harness.journal.reader import read_run
    from harness.judge.fold import folded
    from harness.outputs.console import Console, abilities
    from harness.outputs.result_json import suite_bytes
    from harness.outputs.run_files import run_files

    folder = find_run(arguments.run, arguments.runs)
    reading = read_run(folder)
    if reading.torn is not None:
        sys.stderr.write(f"{folder}: {reading.torn}; judged from what is there.\n")
    judge = folded(reading.events)
    result = judge.result()
    for name, content in run_files(result, judge.cases()).items():
        try:
            (folder / name).write_bytes(content)
        except OSError as problem:  # a read-only copy of a run is still worth reading
            sys.stderr.write(f"{folder / name}: not rewritten: {problem.strerror}.\n")
    if arguments.json:
        sys.stdout.buffer.write(suite_bytes([result]))
        return result.exit_code
    _, color = abilities(sys.stdout, os.environ, no_color=arguments.no_color)
    console = Console(stream=sys.stdout, interactive=False, color=color, quiet=True)
    for event in reading.events:
        console.handle(event)
    console.finish([(result, folder)])
    return result.exit_code


def find_run(name: str, runs: Path) -> Path:
    """The folder meant by ``name``.

    Raises:
        UserError: neither a folder nor a run's id; names the nearest.
    """
    from difflib import get_close_matches

    from harness.model.errors import UserError

    for folder in (Path(name), runs / name):
        if (folder / "journal.jsonl").is_file():
            return folder
    known = sorted((path.parent.name for path in runs.glob("*/journal.jsonl")), reverse=True)
    near = get_close_matches(Path(name).name, known, n=3, cutoff=0.3) or known[:3]
    hint = f"The nearest: {', '.join(near)}." if near else f"There are no runs in {runs}/ yet."
    raise UserError(f"{name!r} is no run: no journal.jsonl there, nor in {runs / name}.", hint=hint)
