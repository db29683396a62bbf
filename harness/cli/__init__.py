"""The command line: thin entry points, one file a command. Parse, call, exit; no logic.

Heavy imports stay inside the commands' ``run``, so that ``--help`` is quick.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

_COMMANDS = ("run", "report", "validate", "schema", "proxy")

_EXAMPLES = """\
examples:
  harness validate experiments/
  harness run experiments/bank-overdraft.yaml --variant naive
  harness run experiments/ --json > result.json
  harness report runs/2026-11-25T10-12-31-bank-overdraft-naive

exit codes: 0 as expected, 1 not as expected, 2 files or machine not as needed, 3 inconclusive,
4 aborted, 5 error, 6 a fault could not be undone, 130 interrupted
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole parser; importing it loads no room but this one."""
    from harness import __version__

    parser = argparse.ArgumentParser(
        prog="harness",
        description="Chaos tests for live services: bursts and network faults, judged from state.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        import_module(f"harness.cli.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    from harness.model.errors import UserError

    arguments = build_parser().parse_args(argv)
    command = import_module(f"harness.cli.{arguments.command}")
    try:
        return int(command.run(arguments))
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except Exception as problem:
        return _unforeseen(problem)


def _unforeseen(problem: Exception) -> int:
    """Never exit code 1: what we did not foresee is no violation."""
    import traceback

    from harness.journal.writer import JournalLost

    if isinstance(problem, JournalLost):  # the disk was full before the first event
        sys.stderr.write(f"{problem}\n")
        return 5
    traceback.print_exception(problem)
    sys.stderr.write("\nThis is a fault of the harness; please report it with the lines above.\n")
    return 5
