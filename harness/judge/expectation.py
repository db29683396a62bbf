"""What was expected against what was found: whether they agree, and the exit code of the run."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.plan import Expected
from harness.model.verdicts import EXIT_NOT_UNDONE, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """``remark`` says what differs; empty where nothing does."""

    as_expected: bool
    exit_code: int
    remark: str = ""


def agree(
    verdict: Verdict, violated: Sequence[str], expected: Expected, *, not_undone: bool
) -> Agreement:
    """Compares strictly: a target marked as broken that holds has lost its mark, and that is exit 1."""
    agreement = _agree(verdict, violated, expected)
    if not_undone:
        return Agreement(
            as_expected=agreement.as_expected,
            exit_code=EXIT_NOT_UNDONE,
            remark=agreement.remark,
        )
    return agreement


def _agree(verdict: Verdict, violated: Sequence[str], expected: Expected) -> Agreement:
    if verdict not in (Verdict.HELD, Verdict.VIOLATED):
        return Agreement(as_expected=False, exit_code=verdict.exit_code)
    if expected.verdict == "held":
        return Agreement(as_expected=verdict is Verdict.HELD, exit_code=verdict.exit_code)
    if verdict is Verdict.HELD:
        named = f" of {', '.join(expected.invariants)}" if expected.invariants else ""
        remark = f"a violation{named} was expected"
        return Agreement(as_expected=False, exit_code=1, remark=remark)
    remark = _difference(violated, expected.invariants)
    return Agreement(as_expected=not remark, exit_code=1 if remark else 0, remark=remark)


def _difference(violated: Sequence[str], expected: Sequence[str]) -> str:
    if not expected:
        return ""
    extra = [name for name in violated if name not in expected]
    absent = [name for name in expected if name not in violated]
    told = []
    if extra:
        told.append(f"{', '.join(extra)} was not expected to be violated")
    if absent:
        told.append(f"{', '.join(absent)} was expected to be violated and was not")
    return "; ".join(told)
