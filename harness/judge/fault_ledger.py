"""What was injected over a whole run: when, whether the wire saw it, and what was never taken back."""

from collections.abc import Iterable, Sequence
from statistics import median

from harness.judge.contradictions import Report, check_confirmed, check_seen
from harness.judge.judgement import number_of
from harness.model.events import (
    FaultApplied,
    FaultIntended,
    FaultNotUndone,
    FaultSeen,
    FaultUndone,
)
from harness.model.plan import FaultStep
from harness.model.units import Duration, UnitProblem
from harness.model.verdicts import FaultFinding

FaultEvent = FaultIntended | FaultApplied | FaultUndone | FaultNotUndone | FaultSeen


class FaultLedger:
    """One entry for each fault and round. Rounds may be over when a fault is undone."""

    def __init__(self) -> None:
        self._intended: dict[tuple[str, int], FaultIntended] = {}
        self._applied: dict[tuple[str, int], FaultApplied] = {}
        self._undone: dict[tuple[str, int], FaultUndone] = {}
        self._not_undone: dict[tuple[str, int], FaultNotUndone] = {}
        self._seen: dict[tuple[str, int], FaultSeen] = {}

    def take(self, event: FaultEvent, report: Report) -> None:
        """Notes one event, and reports what contradicts the intention that comes before all others."""
        key = (event.fault, event.round)
        if not isinstance(event, FaultIntended) and key not in self._intended:
            report(
                f"{type(event).__name__} of round {event.round}: {event.fault} was never intended"
            )
        match event:
            case FaultIntended():
                self._intended[key] = event
            case FaultApplied():
                check_confirmed(event, report)
                self._applied[key] = event
            case FaultUndone():
                check_confirmed(event, report)
                self._undone[key] = event
            case FaultNotUndone():
                self._not_undone[key] = event
            case FaultSeen():
                check_seen(event, report)
                self._seen[key] = event

    def remaining(self, *, finished: bool) -> tuple[str, ...]:
        """What was never taken back; a later undo makes up for an earlier failure.

        While the run lasts a fault that is in force is no trouble yet.
        """
        told = {
            key: f"{event.remains} ({event.because}); remove it with: {event.command}"
            for key, event in self._not_undone.items()
        }
        if finished:
            for fault, number in self._applied:
                words = f"fault {fault} of round {number} was applied and never undone"
                told.setdefault((fault, number), words)
        return tuple(words for key, words in told.items() if key not in self._undone)

    def finding(self, step: FaultStep, rounds: Iterable[int]) -> FaultFinding:
        """The fault over the ``rounds`` that finished."""
        rounds = list(rounds)
        applied = [each for (fault, _), each in self._applied.items() if fault == step.id]
        undone = [each for (fault, _), each in self._undone.items() if fault == step.id]
        seen = [self._seen.get((step.id, number)) for number in rounds]
        looked = [each for each in seen if each is not None]
        return FaultFinding(
            id=step.id,
            kind=step.kind,
            on=step.on,
            applied_at=applied[0].at if applied else None,
            undone_at=undone[-1].at if undone else None,
            seen_on_wire=bool(rounds)
            and len(looked) == len(rounds)
            and all(each.hit > 0 and each.missed == 0 for each in looked),
            messages=sum(each.hit for each in looked),
            summary=_told(self._words(step), step.on, looked),
        )

    def _words(self, step: FaultStep) -> str:
        """The kind's own, from when it was intended; of one that never was, what the plan says."""
        for (fault, _), event in self._intended.items():
            if fault == step.id and event.words:
                return event.words
        return f"{_strength(step)}{step.kind}"


def _told(what: str, hop: str, looked: Sequence[FaultSeen]) -> str:
    """``40 ms ± 10 ms latency seen on 212 messages of hop db, 41 ms in the median``."""
    hit = sum(each.hit for each in looked)
    if not hit:
        return f"{what} never seen on hop {hop}"
    medians = [each.median.ns for each in looked if each.median is not None]
    middle = f", {Duration.of_ns(round(median(medians)))} in the median" if medians else ""
    of = next(each.of for each in looked if each.hit)
    return f"{what} seen on {number_of(hit, of)} of hop {hop}{middle}"


def _strength(step: FaultStep) -> str:
    """The main attribute stands behind the kind's own word, where it has one."""
    value = step.params.get(step.kind)
    try:
        return f"{Duration.parse(value)} "
    except UnitProblem:
        return "" if value is None or isinstance(value, bool) else f"{value} "
