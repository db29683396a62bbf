"""Evidence that contradicts itself. One contradiction and the run is ``error``: no verdict rests on it.

Each check takes what it looks at and a function to report to; the sentence says which two facts
exclude each other.
"""

from collections.abc import Callable, Iterable

from harness.judge.evidence import Call, Reading, RoundEvidence
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    BurstReleased,
    BurstWritten,
    FaultApplied,
    FaultSeen,
    FaultUndone,
    OperationReturned,
    ProbeRead,
)

Report = Callable[[str], None]


def check_call(call: Call, event: OperationReturned, report: Report) -> None:
    """An answer lies behind its request, begins before it ends, and belongs to it."""
    name = f"operation {call.op} ({call.operation})"
    if event.operation != call.operation:
        report(f"{name} was answered as {event.operation}")
    if event.first is not None and event.first < call.sent:
        report(f"{name} was answered before it was sent")
    elif event.last < (event.first or call.sent):
        report(f"{name} ended before it began")
    if call.outcome in ("acknowledged", "rejected") and event.first is None:
        report(f"{name} is {call.outcome} without an answer")


def check_reading(event: ProbeRead, report: Report) -> None:
    if event.answered < event.asked:
        report(f"probe {event.probe} was answered before it was asked")


def check_released(event: BurstReleased, report: Report) -> None:
    if event.last < event.first:
        report(f"burst {event.burst} of round {event.round} ended before it began")


def check_requests(
    event: BurstWritten | BurstReleased, calls: Iterable[Call], report: Report
) -> None:
    """What was released was sent; a request that is not known would make every count wrong."""
    known = sum(call.burst == event.burst for call in calls)
    if event.requests > known:
        report(
            f"burst {event.burst} of round {event.round} had {event.requests} requests, "
            f"and only {known} of them are known"
        )


def check_offered(
    event: ArrivalsFinished,
    started: ArrivalsStarted | None,
    calls: Iterable[Call],
    report: Report,
) -> None:
    """What an open loop sent is known, and with what it dropped is no more than what it planned."""
    name = f"arrivals {event.step} of round {event.round}"
    if started is None:
        report(f"{name} came to their end without having begun")
    elif event.sent + event.dropped > started.planned:
        report(
            f"{name}: {started.planned} requests were planned, {event.sent} sent and {event.dropped} dropped"
        )
    known = sum(call.burst == event.step for call in calls)
    if event.sent != known:
        report(f"{name}: {event.sent} requests were sent, and {known} of them are known")


def check_confirmed(event: FaultApplied | FaultUndone, report: Report) -> None:
    if event.confirmed < event.asked:
        report(f"fault {event.fault} of round {event.round} was confirmed before it was asked for")


def check_seen(event: FaultSeen, report: Report) -> None:
    for what, number in (("hit", event.hit), ("missed", event.missed)):
        if not 0 <= number <= event.messages:
            report(
                f"fault {event.fault} of round {event.round} {what} {number} of {event.messages} messages"
            )


def check_settled(evidence: RoundEvidence, report: Report) -> None:
    """Settled means that all requests had ended before the state was read at the end."""
    if not evidence.finished or evidence.settled is None:
        return
    outstanding = [call.op for call in evidence.calls if call.last is None]
    if outstanding:
        report(
            f"round {evidence.round} settled, yet {len(outstanding)} of its requests never ended "
            f"(operation {outstanding[0]})"
        )
    late = _still_running(evidence.calls, evidence.readings)
    if late is not None:
        report(
            f"operation {late.op} ended after the state was read at the end of round {evidence.round}"
        )


def _still_running(calls: Iterable[Call], readings: Iterable[Reading]) -> Call | None:
    asked = [reading.asked for reading in readings if reading.purpose == "at-end"]
    if not asked:
        return None
    first = min(asked)
    return next((call for call in calls if call.last is not None and call.last > first), None)
