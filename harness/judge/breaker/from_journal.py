"""From the journal to the joined history: a pure projection of events that bear a phase (contract §1.1).

Joins by request id alone. Times become nanoseconds since the run's first event. What the journal
lacks (a hop's log that was not kept, a phase without an end) stays visible as gaps and open ends.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.model import events as ev
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import (
    Arrival,
    BreakerHistory,
    Call,
    CallEnd,
    FaultSpan,
    Phase,
    Sample,
)
from harness.model.plan import Plan
from harness.model.units import Duration, Instant

# What a phase found out by the journal's clock; all else in ``given`` is kept as it is.
_INSTANTS = ("healed", "second", "straggler_sent")


@dataclass(slots=True)
class _Phase:
    entered: ev.PhaseEntered | None = None
    left: ev.PhaseLeft | None = None
    lag: Duration = Duration.ZERO
    capped: bool = False


@dataclass(slots=True)
class _Fault:
    intended: ev.FaultIntended | None = None
    applied: ev.FaultApplied | None = None
    undone: ev.FaultUndone | None = None
    seen: ev.FaultSeen | None = None


@dataclass(slots=True)
class BreakerCollector:
    """Fed all events of a run, in whatever order; ``history`` may be asked at any moment."""

    declared: BreakerPlan
    started: int = 0
    """Nanoseconds of the run's first event, on the journal's clock."""
    _phases: defaultdict[str, _Phase] = field(default_factory=lambda: defaultdict(_Phase))
    _sent: dict[int, ev.OperationSent] = field(default_factory=dict)
    _returned: dict[int, ev.OperationReturned] = field(default_factory=dict)
    _arrived: dict[tuple[int, int], ev.HopRequestArrived] = field(default_factory=dict)
    _ended: dict[tuple[int, int], ev.HopRequestEnded] = field(default_factory=dict)
    _faults: defaultdict[tuple[str, int], _Fault] = field(
        default_factory=lambda: defaultdict(_Fault)
    )
    _samples: list[Sample] = field(default_factory=list)
    _reads: list[ev.HopRead] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, *, started: int) -> "BreakerCollector":
        assert plan.breaker is not None, "the plan judges no breaker"
        return cls(declared=plan.breaker, started=started)

    def take(self, event: ev.AnyEvent) -> None:  # noqa: C901, PLR0912 - one line for each kind of event
        """Takes one event; those of no phase are passed over."""
        match event:
            case ev.PhaseEntered():
                self._phases[event.phase].entered = event
            case ev.PhaseLeft():
                self._phases[event.phase].left = event
            case ev.OperationSent() if event.phase:
                self._sent[event.op] = event
            case ev.OperationReturned() if event.phase:
                self._returned[event.op] = event
            case ev.HopRequestArrived() if event.phase:
                self._arrived[event.conn, event.seq] = event
            case ev.HopRequestEnded() if event.phase:
                self._ended[event.conn, event.seq] = event
            case ev.HopRead():
                self._reads.append(event)
            case ev.LoopLagged():
                phase = self._phases[event.phase]
                phase.lag = max(phase.lag, event.worst)
            case ev.ArrivalsFinished() if event.phase and event.dropped:
                self._phases[event.phase].capped = True
            case ev.ProcessSampled():
                self._samples.append(self._sample(event))
            case ev.FaultIntended() if event.phase:
                self._faults[event.fault, event.round].intended = event
            case ev.FaultApplied():
                self._faults[event.fault, event.round].applied = event
            case ev.FaultUndone():
                self._faults[event.fault, event.round].undone = event
            case ev.FaultSeen():
                self._faults[event.fault, event.round].seen = event
            case _:
                pass

    def history(self) -> BreakerHistory:
        """Everything so far, joined."""
        by_rid, strays = self._arrivals()
        sent = sorted(self._sent.values(), key=lambda event: (event.sent.ns, event.op))
        calls = tuple(self._call(each, by_rid) for each in sent)
        return BreakerHistory(
            declared=self.declared,
            phases=tuple(self._entered()),
            calls=calls,
            strays=tuple(strays),
            faults=tuple(self._spans()),
            samples=tuple(sorted(self._samples, key=lambda sample: (sample.at, sample.pid))),
            gaps=tuple(sorted(self._gaps(calls))),
            instances_seen=max(1, len(self._instances())),
            readable=self._readable(),
            started=0,
        )

    def _since(self, ns: int) -> int:
        return ns - self.started

    def _at(self, instant: Instant) -> int:
        return instant.ns - self.started

    def _between(self, first: Instant, last: Instant) -> tuple[int, int]:
        return self._at(first), self._at(last)

    def _readable(self) -> bool:
        spoke = any(read.requests for read in self._reads)
        return spoke or not any(read.unreadable for read in self._reads)

    def _gaps(self, calls: Iterable[Call]) -> Iterator[tuple[int, int]]:
        """Where requests were no longer kept, and what came behind the last look at the hop's log.

        A journal that breaks off within a phase has its calls, but not yet what the hop saw of them:
        they would look as if nothing had been passed on.
        """
        for read in self._reads:
            if read.dropped:
                yield self._between(read.since, read.until)
        until = max((self._at(read.until) for read in self._reads), default=0)
        behind = [
            call.ended
            for call in calls
            if not call.arrivals and call.end == "answered" and (call.ended or 0) > until
        ]
        ends = [ended for ended in behind if ended is not None]
        if ends:
            yield until, max(ends)

    def _sample(self, event: ev.ProcessSampled) -> Sample:
        return Sample(
            at=self._at(event.taken),
            phase=event.phase,
            pid=event.process,
            rss=event.memory,
            sockets=event.sockets,
            loop_lag=None if event.loop_lag is None else event.loop_lag.ns,
            rejections=event.rejections,
            warming=event.warming,
        )

    def _arrivals(self) -> tuple[dict[str, list[Arrival]], list[Arrival]]:
        """By the ids that we sent, in order, and those of nobody we know."""
        ours = {sent.rid for sent in self._sent.values()}
        by_rid: dict[str, list[Arrival]] = {}
        strays: list[Arrival] = []
        for event in sorted(self._arrived.values(), key=_when_and_where):
            arrival = self._arrival(event)
            if arrival.rid in ours:
                by_rid.setdefault(arrival.rid, []).append(arrival)
            else:
                strays.append(arrival)
        return by_rid, strays

    def _arrival(self, event: ev.HopRequestArrived) -> Arrival:
        ended = self._ended.get((event.conn, event.seq))
        return Arrival(
            conn=event.conn,
            seq=event.seq,
            arrived=self._at(event.arrived),
            rid=event.rid,
            ended=None if ended is None else self._at(ended.ended),
            end="open" if ended is None else ended.end,
            status=None if ended is None else ended.status,
            began=ended is not None and ended.began,
            method=event.method,
            injected=() if ended is None else ended.injected,
            instance=event.instance,
        )

    def _call(self, sent: ev.OperationSent, by_rid: dict[str, list[Arrival]]) -> Call:
        came = self._returned.get(sent.op)
        end: CallEnd = "open"
        if came is not None:
            end = came.how or ("answered" if came.status is not None else "eof")
        at = self._at(sent.sent)
        return Call(
            rid=sent.rid,
            phase=sent.phase,
            due=at if sent.due is None else self._at(sent.due),
            sent=at,
            key=sent.circuit,
            ended=None if came is None else self._at(came.last),
            end=end,
            status=None if came is None else came.status,
            first=None if came is None or came.first is None else self._at(came.first),
            answer="none" if came is None else came.answer,
            arrivals=tuple(by_rid.get(sent.rid, ())),
        )

    def _entered(self) -> Iterator[Phase]:
        """Those that began; of one that is only told to have ended nothing is known."""
        entered = [phase for phase in self._phases.values() if phase.entered is not None]
        for phase in sorted(entered, key=lambda phase: phase.entered.t if phase.entered else 0):
            if phase.entered is not None:
                yield self._phase(phase, phase.entered)

    def _phase(self, phase: _Phase, entered: ev.PhaseEntered) -> Phase:
        left = phase.left
        return Phase(
            id=entered.phase,
            number=entered.number,
            name=entered.name,
            entered=self._since(entered.t),
            left=None if left is None else self._since(left.t),
            round=entered.repetition,
            rate=entered.rate,
            planned=entered.planned,
            callers=entered.callers,
            fault=entered.fault,
            latency=entered.latency.ns,
            reached=left is not None and left.reached,
            why=left.why if left is not None else "the run ended in it",
            lag=phase.lag.ns,
            capped=phase.capped,
            given=self._given(entered, left),
        )

    def _given(self, entered: ev.PhaseEntered, left: ev.PhaseLeft | None) -> dict[str, Any]:
        given = {**entered.given, **(left.given if left is not None else {})}
        for name in given.keys() & _INSTANTS:
            found = given[name]
            given[name] = (
                [self._since(ns) for ns in found]
                if isinstance(found, list | tuple)
                else self._since(found)
            )
        return given

    def _spans(self) -> list[FaultSpan]:
        """Faults of phases that were applied, as they came into force."""
        spans = [self._span(fault) for fault in self._faults.values()]
        known = [span for span in spans if span is not None]
        return sorted(known, key=lambda span: (span.applied, span.phase, span.kind))

    def _span(self, fault: _Fault) -> FaultSpan | None:
        intended, applied, undone, seen = fault.intended, fault.applied, fault.undone, fault.seen
        if intended is None or applied is None:
            return None
        return FaultSpan(
            phase=intended.phase,
            kind=intended.outage or intended.kind,
            params=intended.params,
            applied=self._between(applied.asked, applied.confirmed),
            undone=None if undone is None else self._between(undone.asked, undone.confirmed),
            injected=0 if seen is None else seen.hit,
            needs_seen=seen is None or not seen.unseen,
        )

    def _instances(self) -> set[str]:
        return {event.instance for event in self._arrived.values() if event.instance}


def _when_and_where(event: ev.HopRequestArrived) -> tuple[int, int, int]:
    return event.arrived.ns, event.conn, event.seq
