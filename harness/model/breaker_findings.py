"""What is said of a breaker: one object for each invariant, and all beside it (contract §7)."""

from typing import Any, Literal

from msgspec import Struct

BREAKER_SCHEMA = 1

BreakerVerdict = Literal["held", "violated", "inconclusive", "not-applicable"]
Severity = Literal["critical", "major", "minor"]


class Need(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the verdict needs; one of ``at_least`` and ``at_most``."""

    what: str
    had: float | int
    at_least: float | int | None = None
    at_most: float | int | None = None
    by_script: bool = False
    """How many there are is the script's choice: the quick one may have too few for ``held``."""

    @property
    def met(self) -> bool:
        if self.at_least is not None and self.had < self.at_least:
            return False
        return self.at_most is None or self.had <= self.at_most

    @property
    def words(self) -> str:
        """``8 of 20 calls after the threshold`` or ``spread / latency is 0.75, at most 0.25``."""
        if self.at_least is not None:
            return f"{_short(self.had)} of {_short(self.at_least)} {self.what}"
        return f"{self.what} is {_short(self.had)}, at most {_short(self.at_most or 0)}"


class Limit(Struct, frozen=True, kw_only=True):
    """``value`` and where it comes from: a declared key, or an inference."""

    value: float | int | str | None
    source: str = ""


class Observed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    value: float | int | str | None
    unit: str
    per: str = ""
    worst_of: int | None = None


class Tolerance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    value: float | int = 0
    parts: tuple[dict[str, Any], ...] = ()
    """Each with ``name``, ``value`` and ``why``."""


class Statistics(Struct, frozen=True, kw_only=True, omit_defaults=True):
    method: str = "none"
    x: int | None = None
    m: int | None = None
    bound: float | None = None
    confidence: float | None = None


class BreakerCounterexample(Struct, frozen=True, kw_only=True):
    """``rows`` are the joined calls, the deciding ones first, at most 50; times in seconds."""

    text: str
    rows: tuple[dict[str, Any], ...] = ()
    rows_left_out: int = 0
    interval: tuple[float, float] | None = None
    expected: str = ""
    got: str = ""
    events: tuple[int, ...] = ()


class BreakerFinding(Struct, frozen=True, kw_only=True):
    """One invariant, judged. ``summary`` is its line in the report, without number and verdict."""

    id: str
    name: str
    verdict: BreakerVerdict
    severity: Severity
    condition: str
    summary: str
    limit: Limit | None = None
    observed: Observed | None = None
    tolerance: Tolerance = Tolerance()
    needs: tuple[Need, ...] = ()
    missing: tuple[str, ...] = ()
    power: str = ""
    statistics: Statistics = Statistics()
    samples: tuple[dict[str, Any], ...] = ()
    counterexample: BreakerCounterexample | None = None
    phases: tuple[int, ...] = ()
    rounds: int = 0
    seed: int | None = None
    notes: tuple[str, ...] = ()


class BreakerResult(Struct, frozen=True, kw_only=True):
    """``breaker`` in ``result.json``; times are seconds since the run's start."""

    schema: int = BREAKER_SCHEMA
    verdict: BreakerVerdict
    reason: str
    front: dict[str, Any]
    back: dict[str, Any]
    declared: dict[str, Any]
    inferred: dict[str, Any]
    clock: dict[str, Any]
    load: tuple[dict[str, Any], ...]
    faults: tuple[dict[str, Any], ...]
    classes: dict[str, dict[str, int]]
    timeline: tuple[dict[str, Any], ...]
    invariants: tuple[BreakerFinding, ...]
    neighbours: tuple[dict[str, Any], ...] = ()
    """Retry amplification, order of time-outs, exhausted pools: beside the numbered ones, not judged."""
    life: dict[str, Any] = {}
    """The picture's numbers: fronts, arrivals, states, in flight, memory."""
    cases: str | None = None
    error: str | None = None
    """The history contradicts itself, as by a broken clock: nothing was judged."""


def _short(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
