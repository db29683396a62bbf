"""One line a round for ``-v``, gathered from the round's events. It counts; whether what it counts is
enough is judged elsewhere.
"""

from collections import Counter
from dataclasses import replace

from harness.judge.evidence import Call
from harness.judge.overlap import front_overlaps
from harness.model.events import (
    AnyEvent,
    ArrivalsFinished,
    BurstReleased,
    FaultSeen,
    HopCounted,
    NeverSettled,
    OperationReturned,
    OperationSent,
    ProbeRead,
    RoundStarted,
    Settled,
)
from harness.model.outcomes import Acknowledged, Rejected
from harness.model.units import Duration


class RoundLine:
    """Fed with a run's events; ``text()`` is the line of the round that is under way."""

    def __init__(self) -> None:
        self._begin(0)

    def _begin(self, number: int) -> None:
        self._number = number
        self._calls: dict[int, Call] = {}
        self._outcomes: Counter[str] = Counter()
        self._spreads: list[Duration] = []
        self._readings: Counter[str] = Counter()
        self._said: list[str] = []

    def feed(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - a case an event is the point
        """Takes in what the line tells; every other event is none of its business."""
        if getattr(event, "phase", ""):
            return
        match event:
            case OperationSent(op=op, operation=operation, burst=burst, sent=sent):
                self._calls[op] = Call(op=op, operation=operation, burst=burst, sent=sent)
            case OperationReturned(op=op, outcome=outcome, first=first, last=last):
                self._outcomes[_word(outcome)] += 1
                if op in self._calls:
                    self._calls[op] = replace(self._calls[op], first=first, last=last)
            case ProbeRead(probe=probe):
                self._readings[probe] += 1
            case BurstReleased(first=first, last=last):
                self._spreads.append(last - first)
            case ArrivalsFinished(step=step, late_p99=late, dropped=dropped, cap=cap):
                lost = f", {dropped} dropped at {cap} in flight" if dropped else ""
                self._said.append(f"99 % of {step} sent within {late} of when they were due{lost}")
            case RoundStarted(round=number):
                self._begin(number)
            case FaultSeen(summary=summary):
                self._said.append(summary)
            case Settled(after=after):
                self._said.append(f"settled after {after}")
            case NeverSettled(probes=probes, in_flight=in_flight, limit=limit):
                self._said.append(_never_settled(probes, in_flight, limit))
            case HopCounted(hop=hop, connections=0, bytes_up=0, bytes_down=0):
                self._said.append(f"nothing moved through hop {hop}")
            case _:
                pass

    def text(self) -> str:
        """``round 3: 50 of 50 in flight together, …``."""
        parts: list[str] = []
        for burst, overlap in front_overlaps(self._calls.values()).items():
            sent = sum(call.burst == burst for call in self._calls.values())
            parts.append(f"{overlap} of {sent} in flight together")
        if self._spreads:
            parts.append(f"released within {max(self._spreads)}")
        parts += [f"{count} {word}" for word, count in sorted(self._outcomes.items())]
        parts += [f"{count} readings of {probe}" for probe, count in sorted(self._readings.items())]
        return f"round {self._number}: {', '.join((*parts, *self._said)) or 'nothing seen'}"


def _word(outcome: object) -> str:
    if isinstance(outcome, Acknowledged):
        return "acknowledged"
    return "rejected" if isinstance(outcome, Rejected) else "unknown"


def _never_settled(probes: tuple[str, ...], in_flight: int, limit: Duration) -> str:
    flight = f", {in_flight} requests still in flight" if in_flight else ""
    changing = f": {', '.join(probes)} kept changing" if probes else ""
    return f"not settled within {limit}{changing}{flight}"
