"""Events of one round to its evidence. Raw events are kept while the round lasts and dropped after.

What contradicts itself is put on the list it is given; whether the evidence suffices is in ``lacks.py``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from harness.judge.contradictions import (
    Report,
    check_call,
    check_offered,
    check_reading,
    check_released,
    check_requests,
)
from harness.judge.evidence import Call, Lack, Reading, RoundEvidence
from harness.judge.lacks import HopTurns, RoundFacts, lacks_of
from harness.judge.offered import OfferedLoad, offered_load
from harness.judge.overlap import front_overlaps, peak
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    BurstReleased,
    BurstWritten,
    FaultApplied,
    FaultIntended,
    FaultNotUndone,
    FaultSeen,
    FaultUndone,
    HopCounted,
    HopRequestArrived,
    HopRequestEnded,
    NeverSettled,
    OperationReturned,
    OperationSent,
    ProbeRead,
    Settled,
)
from harness.model.outcomes import Acknowledged, Outcome, OutcomeWord, Rejected
from harness.model.plan import Plan
from harness.model.units import Instant

RoundEvent = (
    ArrivalsFinished
    | ArrivalsStarted
    | BurstReleased
    | BurstWritten
    | FaultApplied
    | FaultIntended
    | FaultNotUndone
    | FaultSeen
    | FaultUndone
    | HopCounted
    | HopRequestArrived
    | HopRequestEnded
    | NeverSettled
    | OperationReturned
    | OperationSent
    | ProbeRead
    | Settled
)


def word_of(outcome: Outcome) -> OutcomeWord:
    """The word that an outcome is counted under."""
    match outcome:
        case Acknowledged():
            return "acknowledged"
        case Rejected():
            return "rejected"
        case _:
            return "unknown"


class RoundCollector:
    """One round while it lasts."""

    def __init__(
        self,
        number: int,
        plan: Plan,
        *,
        reset: bool,
        tainted: Lack | None,
        late: Lack | None = None,
    ) -> None:
        self.number = number
        self._plan = plan
        self._reset = reset
        self._tainted = tainted
        self._late = late
        self._calls: dict[int, Call] = {}
        self._readings: list[Reading] = []
        self._written: dict[str, BurstWritten] = {}
        self._released: dict[str, BurstReleased] = {}
        self._planned: dict[str, ArrivalsStarted] = {}
        self._offered: dict[str, ArrivalsFinished] = {}
        self._arrived: dict[tuple[str, int, int], Instant] = {}
        self._turns: dict[str, list[tuple[Instant, Instant]]] = {}
        self._began: Counter[str] = Counter()
        self._served: Counter[str] = Counter()
        self._applied: dict[str, FaultApplied] = {}
        self._seen: dict[str, FaultSeen] = {}
        self._undone: dict[str, FaultUndone] = {}
        self._hops: dict[str, HopCounted] = {}
        self._settled: Settled | None = None
        self._never_settled: NeverSettled | None = None
        self._not_back: tuple[str, ...] = ()

    def mark_reset(self, failing: tuple[str, ...] = ()) -> None:
        """The state was put back within the round, before anything was sent.

        ``failing`` are the expressions of the steady state that did not hold all the same.
        """
        self._reset = self._reset or not self._calls
        self._not_back = self._not_back or failing

    def take(self, event: RoundEvent, report: Report) -> None:  # noqa: C901, PLR0912 - a line for each kind
        """Notes one event of this round."""
        match event:
            case OperationSent():
                self._sent(event, report)
            case OperationReturned():
                self._returned(event, report)
            case ProbeRead():
                self._read(event, report)
            case BurstReleased():
                check_released(event, report)
                self._released[event.burst] = event
            case FaultApplied():
                self._applied[event.fault] = event
            case FaultSeen():
                self._seen[event.fault] = event
            case FaultUndone():
                self._undone[event.fault] = event
            case HopRequestArrived():
                self._arrived[event.hop, event.conn, event.seq] = event.arrived
                self._began[event.hop] += 1
            case HopRequestEnded():
                self._ended(event, report)
            case HopCounted():
                self._hops[event.hop] = event
            case Settled():
                self._settled = event
            case NeverSettled():
                self._never_settled = event
            case BurstWritten():
                self._written[event.burst] = event
            case ArrivalsStarted():
                self._planned[event.step] = event
            case ArrivalsFinished():
                self._offered[event.step] = event
            case FaultIntended() | FaultNotUndone():
                pass
            case _:
                assert_never(event)

    def _sent(self, event: OperationSent, report: Report) -> None:
        if event.op in self._calls:
            report(f"operation {event.op} was sent twice")
            return
        written = self._written.get(event.burst)
        self._calls[event.op] = Call(
            op=event.op,
            operation=event.operation,
            burst=event.burst,
            sent=event.sent,
            rid=event.rid,
            key=event.key,
            # Of an open loop `sent` is that moment already.
            began=written.began if written is not None else None,
            due=event.due,
        )

    def _returned(self, event: OperationReturned, report: Report) -> None:
        call = self._calls.get(event.op)
        if call is None:
            report(f"operation {event.op} was answered and never sent")
        elif call.last is not None:
            report(f"operation {event.op} was answered twice")
        else:
            call = replace(
                call,
                first=event.first,
                last=event.last,
                outcome=word_of(event.outcome),
                because=getattr(event.outcome, "because", ""),
            )
            check_call(call, event, report)
            self._calls[event.op] = call

    def _read(self, event: ProbeRead, report: Report) -> None:
        check_reading(event, report)
        # Readings for settling were used by whoever settled; keeping them would show nothing more.
        if event.purpose in ("reset", "always", "at-end"):
            self._readings.append(Reading.of(event))

    def _ended(self, event: HopRequestEnded, report: Report) -> None:
        # A turn may have begun before the round did; then its overlap is nobody's.
        arrived = self._arrived.pop((event.hop, event.conn, event.seq), None)
        if arrived is None:
            return
        if event.ended < arrived:
            report(
                f"turn {event.seq} of connection {event.conn} on hop {event.hop} ended before it began"
            )
        self._turns.setdefault(event.hop, []).append((arrived, event.ended))
        self._served[event.hop] += event.upstream is not None

    def evidence(self, *, finished: bool) -> RoundEvidence:
        """The round as far as it came. May be asked for while it lasts."""
        overlaps = front_overlaps(self._calls.values())
        # A refusal at the door (503, a cut) overlaps with nothing that the service does.
        decided = front_overlaps(
            call for call in self._calls.values() if call.outcome in ("acknowledged", "rejected")
        )
        facts = RoundFacts(
            finished=finished,
            reset=self._reset,
            settled=self._settled,
            never_settled=self._never_settled,
            calls=tuple(self._calls.values()),
            overlap=self._overlap(overlaps, decided),
            arrivals=self._arrivals(),
            applied=self._applied,
            seen=self._seen,
            undone=self._undone,
            hops=self._hops,
            turns={
                hop: HopTurns(served=self._served[hop], unserved=began - self._served[hop])
                for hop, began in self._began.items()
            },
        )
        return RoundEvidence(
            round=self.number,
            finished=finished,
            calls=facts.calls,
            readings=tuple(self._readings),
            settled=self._settled,
            never_settled=self._never_settled,
            lacks=lacks_of(self._plan, facts),
            late=self._late,
            tainted=self._tainted or self._not_reset() or (self._no_burst() if finished else None),
            overlaps=overlaps,
            hop_overlaps={hop: peak(turns) for hop, turns in self._turns.items()},
            spreads={burst: each.last - each.first for burst, each in self._released.items()},
        )

    def _overlap(self, overlaps: Iterable[str], decided: Mapping[str, int]) -> int:
        """The least of the bursts, for each is there to overlap; without one, the most of the arrivals."""
        arrivals = {step.id for step in self._plan.arrivals}
        bursts = [name for name in overlaps if name not in arrivals]
        if bursts:
            return min(decided.get(name, 0) for name in bursts)
        return max((decided.get(name, 0) for name in overlaps), default=0)

    def _arrivals(self) -> tuple[OfferedLoad, ...]:
        return tuple(
            offered_load(self._planned[step.id], self._offered[step.id], self._calls.values())
            for step in self._plan.arrivals
            if step.id in self._planned and step.id in self._offered
        )

    def _not_reset(self) -> Lack | None:
        if self._not_back:
            detail = (
                f"the state was not back after the reset of round {self.number}: "
                f"{' and '.join(self._not_back)} did not hold"
            )
            return Lack(short="not put back", detail=detail, withheld=True)
        if self._reset or not self._plan.target.resets:
            return None
        return Lack(
            short="no reset",
            detail="the state was not put back before the round began",
            withheld=True,
        )

    def _no_burst(self) -> Lack | None:
        """Without a burst's release its requests may be missing too, and then every count is wrong.

        The same of an open loop that never said how many it sent.
        """
        for burst in self._plan.bursts:
            if burst.id not in self._released:
                detail = f"burst {burst.id} was never released"
                return Lack(short="no burst", detail=detail, withheld=True, about="traffic")
        for step in self._plan.arrivals:
            if step.id not in self._offered:
                detail = f"arrivals {step.id} never came to their end"
                return Lack(short="no arrivals", detail=detail, withheld=True, about="traffic")
        return None

    def check_whole(self, report: Report) -> None:
        """Of a round that finished every request is known."""
        for written in self._written.values():
            check_requests(written, self._calls.values(), report)
        for released in self._released.values():
            check_requests(released, self._calls.values(), report)
        for offered in self._offered.values():
            check_offered(offered, self._planned.get(offered.step), self._calls.values(), report)

    def taints_the_next(self) -> Lack | None:
        """Why the next round may bear effects of this one: something was still moving at its end."""
        outstanding = sum(call.outcome is None for call in self._calls.values())
        if outstanding:
            detail = (
                f"{outstanding} requests of round {self.number} were still in flight when it began"
            )
            return Lack(short="effects of an earlier round", detail=detail)
        if self._settled is None:
            detail = f"round {self.number} had not settled when it began"
            return Lack(short="effects of an earlier round", detail=detail)
        return None
