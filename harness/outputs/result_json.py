"""Results as JSON: ``result.json`` of one run, and what ``--json`` prints of all. Same results, same bytes."""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from harness.model.units import to_builtin
from harness.model.verdicts import (
    EXIT_CODE_ORDER,
    RESULT_SCHEMA,
    Result,
    Verdict,
    worst_exit_code,
)


def result_bytes(result: Result) -> bytes:
    """``result.json``: indented, keys in the order of ``Result``, one newline at the end.

    Maps keep the order in which the judge met their keys, which is that of the journal.
    """
    return _pretty(result)


def suite_bytes(results: Sequence[Result]) -> bytes:
    """What ``--json`` prints: the verdict of the run that decides the exit code, and every result."""
    code = worst_exit_code([result.exit_code for result in results])
    deciding = [result.verdict for result in results if result.exit_code == code]
    return _pretty(
        {
            "schema": RESULT_SCHEMA,
            "verdict": _worst(deciding),
            "exit_code": code,
            "runs": list(results),
        }
    )


def refused_bytes(problem: str) -> bytes:
    """What ``--json`` prints when nothing was started: no run, and what to mend."""
    return failed_bytes(Verdict.REFUSED, problem)


def failed_bytes(verdict: Verdict, problem: str) -> bytes:
    """What ``--json`` prints when there is no result of any run to print."""
    return _pretty(
        {
            "schema": RESULT_SCHEMA,
            "verdict": verdict.value,
            "exit_code": verdict.exit_code,
            "runs": [],
            "problem": problem,
        }
    )


def _worst(verdicts: Sequence[str]) -> str:
    """The worst in the order of exit codes; without any run nothing was judged."""
    by_code = {verdict.exit_code: verdict.value for verdict in Verdict}
    worst_first = [by_code[code] for code in EXIT_CODE_ORDER if code in by_code]
    known = [verdict for verdict in worst_first if verdict in verdicts]
    return (known or list(verdicts) or [Verdict.INCONCLUSIVE.value])[0]


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=_written), indent=2) + b"\n"


def _written(value: object) -> object:
    """Exact numbers have no JSON form of their own; as text they lose nothing."""
    return str(value) if isinstance(value, Fraction) else to_builtin(value)
