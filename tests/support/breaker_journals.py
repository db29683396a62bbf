"""A breaker's history as the journal of a run, event by event: what ``from_journal`` is the inverse of.

The run's first event stands at ``START`` on the journal's clock; times of a history count from there.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from harness.model import events as ev
from harness.model.breaker_history import Arrival, BreakerHistory, Call, FaultSpan, Phase, Sample
from harness.model.plan import Plan
from harness.model.units import Duration, Instant
from tests.support.journals import a_plan, an_outcome

START = 7_000_000_000_000
HOP = "downstream"
# Written by the runner as instants of the journal's clock.
_INSTANTS = ("healed", "second", "straggler_sent")


def a_breaker_plan(history: BreakerHistory, *, variant: str | None = "sound") -> Plan:
    """A plan whose run could have this history; no steady state, and nothing else to judge."""
    bare = a_plan(rounds=0, invariants=(), method=(), steady_state=(), variant=variant)
    return msgspec.structs.replace(bare, experiment="checkout", breaker=history.declared)


def a_breaker_run(
    history: BreakerHistory, *, plan: Plan | None = None, finished: bool = True
) -> list[ev.AnyEvent]:
    """The whole run, in the order in which a journal would have it, numbered."""
    started = ev.RunStarted(
        run="2026-11-25T10-12-31-checkout",
        mark="m1",
        pid=4711,
        plan=plan or a_breaker_plan(history),
        environment={},
        t=START,
    )
    events = [started, *sorted(script_of(history), key=lambda event: event.t)]
    if finished:
        events.append(ev.RunFinished(t=events[-1].t))
    return [msgspec.structs.replace(event, n=n) for n, event in enumerate(events, 1)]


def script_of(history: BreakerHistory) -> list[ev.AnyEvent]:
    """The events of the script alone; each is written at the moment that it tells of."""
    events = [event for phase in history.phases for event in _phase(phase)]
    for op, call in enumerate(history.calls):
        events += _call(op, call)
    for arrival in history.strays:
        events += _arrival(arrival, "")
    for number, span in enumerate(history.faults):
        events += _fault(f"fault-{number}", span)
    events += map(_sampled, history.samples)
    events += [_read(since, until, dropped=1) for since, until in history.gaps]
    last = max((event.t for event in events), default=START) - START
    events.append(_read(last, last))
    return events


def at(ns: int) -> Instant:
    """A moment of a history on the journal's clock."""
    return Instant.of_ns(START + ns)


def _phase(phase: Phase) -> Iterator[ev.AnyEvent]:
    found = {name: value for name, value in phase.given.items() if name in _INSTANTS}
    planned = {name: value for name, value in phase.given.items() if name not in _INSTANTS}
    yield ev.PhaseEntered(
        phase=phase.id,
        number=phase.number,
        name=phase.name,
        repetition=phase.round,
        rate=phase.rate,
        planned=phase.planned,
        callers=phase.callers,
        fault=phase.fault,
        latency=Duration.of_ns(phase.latency),
        given=planned,
        t=START + phase.entered,
    )
    lag = Duration.of_ns(phase.lag)
    half = Duration.of_ns(phase.lag // 2)
    yield ev.LoopLagged(phase=phase.id, worst=lag, where="hop", t=START + phase.entered)
    yield ev.LoopLagged(phase=phase.id, worst=half, where="callers", t=START + phase.entered)
    if phase.left is None:
        return
    yield ev.ArrivalsFinished(
        round=0,
        step="load",
        sent=1,
        dropped=int(phase.capped),
        late_p99=Duration.ZERO,
        late_max=Duration.ZERO,
        most=1,
        cap=1,
        phase=phase.id,
        t=START + phase.left,
    )
    yield ev.PhaseLeft(
        phase=phase.id,
        reached=phase.reached,
        why=phase.why,
        given={name: _absolute(value) for name, value in found.items()},
        t=START + phase.left,
    )


def _absolute(value: Any) -> Any:
    return [START + ns for ns in value] if isinstance(value, list) else START + value


def _call(op: int, call: Call) -> Iterator[ev.AnyEvent]:
    yield ev.OperationSent(
        op=op,
        operation="fetch",
        round=0,
        burst="",
        rid=call.rid,
        request=op,
        sent=at(call.sent),
        due=at(call.due),
        phase=call.phase,
        circuit=call.key,
        t=START + call.sent,
    )
    for arrival in call.arrivals:
        yield from _arrival(arrival, call.phase)
    if call.ended is not None and call.end != "open":
        yield ev.OperationReturned(
            op=op,
            operation="fetch",
            round=0,
            status=call.status,
            outcome=an_outcome("unknown"),
            first=None if call.first is None else at(call.first),
            last=at(call.ended),
            phase=call.phase,
            how=call.end,
            answer=call.answer,
            t=START + call.ended,
        )


def _arrival(arrival: Arrival, phase: str) -> Iterator[ev.AnyEvent]:
    where: dict[str, Any] = {"hop": HOP, "conn": arrival.conn, "seq": arrival.seq}
    where["phase"] = phase or "of-nobody"
    yield ev.HopRequestArrived(
        arrived=at(arrival.arrived),
        rid=arrival.rid,
        method=arrival.method,
        instance=arrival.instance,
        t=START + arrival.arrived,
        **where,
    )
    if arrival.ended is not None and arrival.end != "open":
        yield ev.HopRequestEnded(
            end=arrival.end,
            ended=at(arrival.ended),
            injected=arrival.injected,
            status=arrival.status,
            began=arrival.began,
            t=START + arrival.ended,
            **where,
        )


def _fault(name: str, span: FaultSpan) -> Iterator[ev.AnyEvent]:
    begins = START + span.applied[0]
    yield ev.FaultIntended(
        fault=name,
        kind=f"toxic-of-{span.kind}",
        on=HOP,
        round=0,
        params=span.params,
        undo={},
        phase=span.phase,
        outage=span.kind,
        t=begins,
    )
    asked, confirmed = map(at, span.applied)
    yield ev.FaultApplied(fault=name, round=0, asked=asked, confirmed=confirmed, t=begins)
    if span.undone is None:
        return
    asked, confirmed = map(at, span.undone)
    ends = START + span.undone[1]
    yield ev.FaultUndone(fault=name, round=0, asked=asked, confirmed=confirmed, found=True, t=ends)
    yield ev.FaultSeen(
        fault=name,
        round=0,
        messages=span.injected,
        hit=span.injected,
        missed=0,
        median=None,
        summary="",
        unseen="" if span.needs_seen else "none may come",
        t=ends,
    )


def _sampled(sample: Sample) -> ev.ProcessSampled:
    return ev.ProcessSampled(
        service="app",
        process=sample.pid,
        phase=sample.phase,
        taken=at(sample.at),
        memory=sample.rss,
        sockets=sample.sockets,
        loop_lag=None if sample.loop_lag is None else Duration.of_ns(sample.loop_lag),
        rejections=sample.rejections,
        warming=sample.warming,
        t=START + sample.at,
    )


def _read(since: int, until: int, *, dropped: int = 0) -> ev.HopRead:
    return ev.HopRead(
        hop=HOP,
        phase="outage",
        since=at(since),
        until=at(until),
        requests=1,
        connections=1,
        dropped=dropped,
        t=START + until,
    )


def fed(collector: Any, events: Iterable[ev.AnyEvent]) -> BreakerHistory:
    """The history of a collector that took these events in their order."""
    for event in events:
        collector.take(event)
    history: BreakerHistory = collector.history()
    return history
