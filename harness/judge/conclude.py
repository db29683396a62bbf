"""The one function that makes a ``held``. It takes each piece of evidence by name, and each may be withheld.

No other module builds a held verdict of a run. Whoever adds a kind of evidence adds an argument here;
the test withholds each in turn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.judge.told import first_few
from harness.model.events import (
    HarnessFailed,
    Interrupted,
    LimitReached,
    SetupRefused,
    TargetFailed,
)
from harness.model.verdicts import InvariantFinding, Verdict


@dataclass(frozen=True, slots=True)
class Shown:
    """This piece of evidence is there. ``what`` says what was shown."""

    what: str


@dataclass(frozen=True, slots=True)
class Missing:
    """This piece of evidence is not there, or speaks against it; a sentence for each reason."""

    sentences: tuple[str, ...]


# None: nobody brought this evidence at all.
Evidence = Shown | Missing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What ended a run before its end, and the verdict that follows from it."""

    verdict: Verdict
    because: str


def stop_of(
    event: LimitReached | Interrupted | TargetFailed | HarnessFailed | SetupRefused,
) -> Stop:
    """What an event that ends a run means for its verdict."""
    match event:
        case LimitReached(limit=limit, during=during):
            because = f"the limit of {limit} was reached during {during}"
            return Stop(verdict=Verdict.ABORTED, because=because)
        case Interrupted(signal=signal, during=during):
            return Stop(
                verdict=Verdict.INTERRUPTED, because=f"interrupted by {signal} during {during}"
            )
        case TargetFailed(what=what, detail=detail):
            return Stop(verdict=Verdict.ERROR, because=f"{what}: {detail}")
        case HarnessFailed(what=what, detail=detail):
            return Stop(verdict=Verdict.ERROR, because=f"{what}: {_last_line(detail)}")
        case SetupRefused(message=message):
            return Stop(verdict=Verdict.REFUSED, because=message)


def _last_line(traceback: str) -> str:
    """What was raised; where is for whoever mends it. A group's lines have a margin of ``|`` and ``+``."""
    lines = [line.strip(" |+-") for line in traceback.splitlines()]
    return next((line for line in reversed(lines) if line), traceback)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    verdict: Verdict
    missing: tuple[str, ...]


def conclude(
    *,
    stops: tuple[Stop, ...] | None,
    consistent: Evidence,
    finished: Evidence,
    steady_before: Evidence,
    steady_after: Evidence,
    traffic: Evidence,
    overlap: Evidence,
    faults: Evidence,
    settled: Evidence,
    rounds_counted: Evidence,
    undone: Evidence,
    invariants: tuple[InvariantFinding, ...] | None,
) -> Conclusion:
    """The verdict of a run.

    The worst comes first: what stopped the run, what makes its evidence worthless, what is broken,
    what is missing. Only what passes all of that is held.
    """
    pieces = {
        "steady state before the method": steady_before,
        "traffic": traffic,
        "faults": faults,
        "settling": settled,
        "overlap": overlap,
        "rounds": rounds_counted,
        "steady state after the last undo": steady_after,
        "undoing of the faults": undone,
        "end of the run": finished,
        "consistency": consistent,
    }
    missing = _missing(pieces, invariants or ())
    if stops is None:
        missing = (*missing, "nothing is known of what stopped the run")
    verdicts = {finding.verdict for finding in invariants or ()}
    if not verdicts:
        missing = (*missing, "no invariant was judged")

    # A run that was refused never began: whatever else its journal says follows from that. An
    # interruption ends things half-way, so what fails after it is its doing and no news. An error
    # stands before a limit, for a target that failed explains why the time ran out.
    for verdict in (Verdict.REFUSED, Verdict.INTERRUPTED, Verdict.ERROR, Verdict.ABORTED):
        if any(stop.verdict is verdict for stop in stops or ()):
            return Conclusion(verdict=verdict, missing=missing)
    if isinstance(consistent, Missing) or "error" in verdicts:
        return Conclusion(verdict=Verdict.ERROR, missing=missing)
    if "violated" in verdicts:
        return Conclusion(verdict=Verdict.VIOLATED, missing=missing)
    if missing or verdicts != {"held"}:
        return Conclusion(verdict=Verdict.INCONCLUSIVE, missing=missing)
    return Conclusion(verdict=Verdict.HELD, missing=())


def _missing(
    pieces: Mapping[str, Evidence], invariants: Iterable[InvariantFinding]
) -> tuple[str, ...]:
    before = pieces["steady state before the method"]
    if isinstance(before, Missing) and before.sentences:
        # Nothing was done after that, so nothing else was there to be shown.
        return before.sentences
    sentences: list[str] = []
    for name, evidence in pieces.items():
        if evidence is None:
            sentences.append(f"nothing is known of the {name}")
        elif isinstance(evidence, Missing):
            sentences += evidence.sentences or (f"the {name} was not shown",)
    by_summary: dict[str, list[str]] = {}
    for finding in invariants:
        # What was said of the run already is not said again for each of its invariants.
        said = any(sentence in finding.summary for sentence in sentences)
        if finding.verdict == "inconclusive" and not said:
            by_summary.setdefault(finding.summary, []).append(finding.name)
    sentences += [f"{first_few(names)}: {summary}" for summary, names in by_summary.items()]
    return tuple(dict.fromkeys(sentences))
