"""Verdicts, findings and the result of a run, as ``result.json`` has them."""

from enum import Enum
from typing import Any, Literal

from msgspec import Struct

from harness.model.breaker_findings import BreakerResult
from harness.model.plan import Expected

RESULT_SCHEMA = 1


class Verdict(Enum):
    """What may be said of a run. ``worst`` and the exit code are defined in one place, here."""

    HELD = "held"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"
    ERROR = "error"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    """Files, command line or machine were not as needed: nothing was started or injected."""

    @property
    def exit_code(self) -> int:
        """The exit code when ``held`` was expected (design §6)."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Verdict.HELD: 0,
    Verdict.VIOLATED: 1,
    Verdict.INCONCLUSIVE: 3,
    Verdict.ABORTED: 4,
    Verdict.ERROR: 5,
    Verdict.INTERRUPTED: 130,
    Verdict.REFUSED: 2,
}

EXIT_USER_ERROR = 2
EXIT_NOT_UNDONE = 6

# From the worst to the best. 2 stands before 1: a suite that was not run whole has found nothing final.
EXIT_CODE_ORDER = (6, 130, 5, 4, 2, 1, 3, 0)


def worst_exit_code(codes: "list[int]") -> int:
    """The exit code of a suite; an empty suite judged nothing and is inconclusive (3)."""
    return min(codes, key=EXIT_CODE_ORDER.index) if codes else 3


InvariantVerdict = Literal["held", "violated", "inconclusive", "error"]


class Counterexample(Struct, frozen=True, kw_only=True):
    """One violation that a person can re-derive: the round, the words, the numbers."""

    round: int | None
    summary: str
    values: dict[str, Any] = {}


class InvariantFinding(Struct, frozen=True, kw_only=True):
    """``evidence`` holds plain numbers: rounds, violated_rounds, rounds_with_power, readings, ci."""

    name: str
    kind: str
    verdict: InvariantVerdict
    summary: str
    evidence: dict[str, Any] = {}
    counterexample: Counterexample | None = None


class BurstFinding(Struct, frozen=True, kw_only=True):
    """Over all rounds of one burst step. Overlaps are the medians of the rounds' peaks."""

    id: str
    rounds: int
    concurrency: int
    spread_ms_p50: float | None
    overlap: int | None
    overlap_min: int | None
    hop_overlap: dict[str, int] = {}


class FaultFinding(Struct, frozen=True, kw_only=True):
    """``seen_on_wire``: every finished round was looked at and showed it; ``messages`` were hit."""

    id: str
    kind: str
    on: str
    applied_at: str | None
    undone_at: str | None
    seen_on_wire: bool
    messages: int
    summary: str


class SteadyStateFinding(Struct, frozen=True, kw_only=True):
    before: Literal["held", "not held", "not judged"]
    after: Literal["held", "not held", "not judged"]
    detail: str = ""


class OperationCount(Struct, frozen=True, kw_only=True):
    sent: int
    acknowledged: int
    rejected: int
    unknown: int


class Result(Struct, frozen=True, kw_only=True):
    """The whole outcome of a run; ``result.json`` is this and nothing else."""

    schema: int = RESULT_SCHEMA
    run: str
    experiment: str
    title: str
    target: str
    variant: str | None
    seed: int
    verdict: str
    reason: str
    """One sentence: why this verdict; what was missing when inconclusive."""
    expected: Expected
    as_expected: bool
    exit_code: int
    rounds: int
    planned_rounds: int | None = None
    """More than ``rounds`` where fewer were enough, or the run broke off."""
    run_ms: float | None = None
    round_ms_p50: float | None = None
    steady_state: SteadyStateFinding
    invariants: tuple[InvariantFinding, ...]
    bursts: tuple[BurstFinding, ...]
    faults: tuple[FaultFinding, ...]
    traffic: dict[str, OperationCount]
    missing: tuple[str, ...] = ()
    """What was missing for a stronger verdict, a sentence each."""
    not_undone: tuple[str, ...] = ()
    power: str = ""
    """The sentence about the chance that would have shown; empty unless held."""
    notes: tuple[str, ...] = ()
    environment: dict[str, Any] = {}
    breaker: BreakerResult | None = None
    replay: str | None = None
