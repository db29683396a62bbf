"""What the fold knows of a run at one moment, as frozen values: the input of verdict and result."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.judge.conclude import Stop
from harness.judge.evidence import Call, Lack, RoundEvidence
from harness.model.breaker_findings import BreakerResult
from harness.model.events import RoundsCutShort, RunFinished, RunStarted, SteadyStateJudged
from harness.model.units import Duration
from harness.model.verdicts import FaultFinding, InvariantFinding, OperationCount


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSummary:
    """What is kept of a round that is over."""

    round: int
    finished: bool
    lacks: tuple[Lack, ...]
    tainted: Lack | None
    settled: bool
    overlaps: Mapping[str, int]
    hop_overlaps: Mapping[str, int]
    spreads: Mapping[str, Duration]
    traffic: Mapping[str, OperationCount]

    @property
    def counts(self) -> bool:
        return self.finished and not self.lacks and self.tainted is None

    @property
    def all_lacks(self) -> tuple[Lack, ...]:
        return (self.tainted, *self.lacks) if self.tainted is not None else self.lacks

    @classmethod
    def of(cls, evidence: RoundEvidence) -> "RoundSummary":
        return cls(
            round=evidence.round,
            finished=evidence.finished,
            lacks=evidence.lacks,
            tainted=evidence.tainted,
            settled=evidence.settled is not None,
            overlaps=evidence.overlaps,
            hop_overlaps=evidence.hop_overlaps,
            spreads=evidence.spreads,
            traffic=traffic_of(evidence.calls),
        )


def traffic_of(calls: Iterable[Call]) -> Mapping[str, OperationCount]:
    """The outcomes of a round by operation; what never returned is unknown."""
    outcomes: dict[str, list[str | None]] = {}
    for call in calls:
        outcomes.setdefault(call.operation, []).append(call.outcome)
    return {
        operation: OperationCount(
            sent=len(each),
            acknowledged=each.count("acknowledged"),
            rejected=each.count("rejected"),
            unknown=len(each) - each.count("acknowledged") - each.count("rejected"),
        )
        for operation, each in outcomes.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    started: RunStarted
    finished: RunFinished | None
    stops: tuple[Stop, ...]
    contradictions: tuple[str, ...]
    rounds: tuple[RoundSummary, ...]
    invariants: tuple[InvariantFinding, ...]
    faults: tuple[FaultFinding, ...]
    steady_before: SteadyStateJudged | None
    steady_after: SteadyStateJudged | None
    not_undone: tuple[str, ...]
    notes: tuple[str, ...]
    breaker: BreakerResult | None = None
    cut_short: RoundsCutShort | None = None
    run_ms: float | None = None
    round_ms_p50: float | None = None

    @property
    def finished_rounds(self) -> tuple[RoundSummary, ...]:
        return tuple(each for each in self.rounds if each.finished)

    @property
    def counted_rounds(self) -> tuple[RoundSummary, ...]:
        return tuple(each for each in self.rounds if each.counts)

    @property
    def traffic(self) -> Mapping[str, OperationCount]:
        """Over all rounds, those that did not finish as well."""
        total: dict[str, OperationCount] = {}
        for each in self.rounds:
            for operation, count in each.traffic.items():
                before = total.get(operation, _NONE)
                total[operation] = OperationCount(
                    sent=before.sent + count.sent,
                    acknowledged=before.acknowledged + count.acknowledged,
                    rejected=before.rejected + count.rejected,
                    unknown=before.unknown + count.unknown,
                )
        return total


_NONE = OperationCount(sent=0, acknowledged=0, rejected=0, unknown=0)
