"""The command line: thin entry points, one file a command. Parse, call, exit; no logic.

Heavy imports stay inside the commands' ``run``, so that ``--help`` is quick.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

_COMMANDS = ("run", "report", "validate", "schema", "proxy")

# How long a slow reader of our output is waited for at the end.
_DRAIN_S = 5.0

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
    """Runs one command and returns its exit code, whatever happens, also to its output."""
    from harness.outputs.patient import PatientStream, drained_within

    given = sys.argv[1:] if argv is None else list(argv)
    # Before and after a run, which has its own way: a service manager's signal is no crash.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = streams = PatientStream.of(sys.stdout), PatientStream.of(sys.stderr)
    try:
        code = _run(given)
        drained = [drained_within(_DRAIN_S, stream) for stream in streams]
    finally:
        sys.stdout, sys.stderr = before
    if not all(drained):
        os._exit(code)  # a thread is stuck in a write that nobody reads; it must not keep us
    return code


def _run(given: Sequence[str]) -> int:
    try:
        arguments = build_parser().parse_args(given)
        command = import_module(f"harness.cli.{arguments.command}")
        return int(command.run(arguments))
    except SystemExit as leaving:
        # argparse has said on standard error what is wrong, or printed what was asked for.
        code = int(leaving.code or 0)
        return (
            _envelope(given, "REFUSED", "the command line is wrong; see standard error")
            if code
            else 0
        )
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return _envelope(given, "INTERRUPTED", "interrupted")
    except Exception as problem:
        return _failed(given, problem)


def _failed(given: Sequence[str], problem: Exception) -> int:
    """Never exit code 1: what we did not foresee is no violation."""
    from harness.journal.writer import JournalLost
    from harness.model.errors import UserError

    if isinstance(problem, UserError):
        sys.stderr.write(f"{problem}\n")
        return _envelope(given, "REFUSED", str(problem))
    if isinstance(problem, JournalLost):  # the disk was full before the first event
        sys.stderr.write(f"{problem}\n")
        return _envelope(given, "ERROR", str(problem))
    import traceback

    traceback.print_exception(problem)
    sys.stderr.write("\nThis is a fault of the harness; please report it with the lines above.\n")
    return _envelope(given, "ERROR", repr(problem))


def _envelope(given: Sequence[str], name: str, problem: str) -> int:
    """Who asked for JSON gets JSON, also of a failure. Returns the exit code."""
    from harness.model.verdicts import Verdict

    verdict = Verdict[name]
    if "--json" in given:
        from harness.outputs.result_json import failed_bytes

        sys.stdout.buffer.write(failed_bytes(verdict, problem))
    return verdict.exit_code
