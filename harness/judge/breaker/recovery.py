"""When a breaker must be good again after its fault was undone, and when it was (contract §3, BRK-12).

R = D in force · (1 + jitter) + T + to_close · max(1/λ, L₀) + 1/λ + δ, or what is declared as
``recovers_within``. T is in it because a trial may have begun just before the fault was undone.
What is neither declared nor found stands with the bound that every breaker keeps (contract §2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.overshoot import instances
from harness.judge.breaker.stretches import (
    HIDES_ARRIVALS,
    coarseness,
    gap_of,
    said,
    sent_within,
)
from harness.judge.breaker.terms import open_time
from harness.judge.breaker.times_in_words import in_seconds

IN_A_ROW = 20
"""Good calls, one after the other, that count as recovered."""
LONGEST_OPEN = 300 * SECOND
_ENDLESS = ("open", "abandoned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One summand of the bound; nanoseconds."""

    name: str
    value: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryBound:
    parts: Sequence[Part]

    @property
    def value(self) -> int:
        return sum(part.value for part in self.parts)

    @property
    def closing(self) -> int:
        """What closing takes once the trials begin."""
        return sum(
            part.value for part in self.parts if part.name in ("closing", "1 / rate", "slack")
        )

    @property
    def words(self) -> str:
        """``2.15 s (open 1.50 + call time-out 0.60 + …)``"""
        parts = " + ".join(f"{part.name} {in_seconds(part.value)[:-2]}" for part in self.parts)
        return f"{said(self.value)} ({parts})"


def recovery_bound(known: Known, view: PhaseView, healed: int) -> RecoveryBound:
    """R for a fault that was undone by ``healed``, under the load of the phase ``view`` that follows."""
    declared = known.history.declared.recovers_within
    if declared is not None:
        return RecoveryBound(
            parts=(Part(name="recovers_within", value=declared.ns, why="declared"),)
        )
    # Each of several instances gets its part of the calls.
    gap = gap_of(view) * instances(known)
    life = _in_force(known, healed)
    opened = _open(known, life, _unseen_cycle(known, healed))
    return RecoveryBound(
        parts=(
            opened,
            _timeout(known, life, opened.value),
            _closing(known, gap),
            Part(name="1 / rate", value=gap, why="the next call comes only then"),
            Part(name="slack", value=view.slack, why="when the breaker decides is not seen"),
        )
    )


def _in_force(known: Known, healed: int) -> Outage | None:
    """The life of the longest open time that had begun, of those that were not over.

    What was let through before the healing may fail after it, and opens it once more.
    """
    begun = [o for o in known.outages if o.tau.lo <= healed or _sent_by(o.because, healed)]
    last = {(outage.key, outage.instance): outage for outage in begun}
    lives = [o for o in last.values() if o.closed is None or o.closed.lo > healed]
    return max(lives, key=_lasts, default=None)


def _lasts(outage: Outage) -> float:
    return inf if outage.duration is None else outage.duration


def _sent_by(calls: Sequence[Joined], moment: int) -> bool:
    return bool(calls) and all(one.call.sent <= moment for one in calls)


def _unseen_cycle(known: Known, healed: int) -> int:
    """How often it may have reopened under a fault that hides its trials; 0 where the last fault hid none."""
    spans = [span for span in known.history.faults if span.undone and span.undone[0] <= healed]
    last = max(spans, key=lambda span: span.undone or (0, 0), default=None)
    if last is None or last.kind != HIDES_ARRIVALS:
        return 0
    jitter = known.terms.jitter.number if known.terms.jitter.known else 0.0
    now, cycle, lasts = last.applied[0], 0, 0
    while True:
        longer = open_time(known.terms, known.history.declared, cycle)
        if longer is None or longer <= lasts or now + longer * (1 - jitter) > healed:
            return cycle
        now, lasts, cycle = now + round(longer * (1 - jitter)), longer, cycle + 1


def _open(known: Known, life: Outage | None, unseen: int) -> Part:
    terms = known.terms
    duration = terms.open.value if life is None else life.duration
    hidden = open_time(terms, known.history.declared, unseen) if unseen else None
    if unseen and isinstance(duration, int | float):
        duration = None if hidden is None else max(duration, hidden)
    if not isinstance(duration, int | float):
        return Part(
            name="open", value=LONGEST_OPEN, why="neither declared nor found: at most 300 s"
        )
    jitter = terms.jitter.number if terms.jitter.known else 0.0
    why = terms.open.source
    if life is not None and life.cycle and life.duration == duration != terms.open.value:
        why += f", in its reopening {life.cycle}"
    elif unseen and duration == hidden != terms.open.value:
        why += f", in its reopening {unseen} at most, for its trials were hidden"
    lasts = round(duration * (1 + jitter)) + coarseness(known, round(duration))
    return Part(name="open", value=lasts, why=why)


def _timeout(known: Known, life: Outage | None, opened: int) -> Part:
    """T; where there is none, as long as a trial takes: as the failing calls did, or until it is lost."""
    value = known.terms.call_timeout
    if value.known:
        return Part(name="call time-out", value=round(value.number), why=value.source)
    if life is None:
        return Part(name="call time-out", value=0, why="no circuit was open")
    view = known.by_id[life.phase]
    if all(one.call.arrivals[-1].end not in _ENDLESS for one in view.calls if one.forwarded):
        return Part(name="failing call", value=view.latency, why="no call time-out is known")
    lost = known.terms.lost_after
    if lost.known:
        return Part(name="lost trial", value=round(lost.number), why=lost.source)
    return Part(
        name="lost trial",
        value=max(3 * opened, 10 * SECOND),
        why="neither call_timeout nor lost_after is known: max(3 · open, 10 s)",
    )


def _closing(known: Known, gap: int) -> Part:
    terms = known.terms
    each = max(gap, known.baseline_latency or 0)
    trials = round(terms.to_close.number) if terms.to_close.known else 1
    why = "to_close not declared" if not terms.to_close.known else terms.to_close.source
    return Part(name="closing", value=trials * each, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The calls after a fault was undone, up to the next fault.

    ``good`` are the longest-awaited ones: the first twenty in a row that were all forwarded and
    answered well, or as many as the load ended with.
    """

    calls: Sequence[Joined]
    good: Sequence[Joined]

    @property
    def reached(self) -> bool:
        return len(self.good) >= IN_A_ROW


def recovery(known: Known, healed: int) -> Recovery:
    faults = [span.applied[0] for span in known.history.faults if span.applied[0] > healed]
    calls = sent_within(known.calls, healed, min(faults, default=None))
    run: list[Joined] = []
    for index, one in enumerate(calls):
        if one.cls != "forwarded-ok":
            run = []
            continue
        run.append(one)
        if len(run) == IN_A_ROW:
            return Recovery(calls=calls[: index + 1], good=run)
    return Recovery(calls=calls, good=run)


def healed_at(known: Known, view: PhaseView) -> int | None:
    """When the fault was certainly undone whose end this phase shows; None where no fault ended.

    The script's own word for it, else the last fault that had been undone before the phase was left.
    """
    given = view.phase.given.get("healed")
    if given:
        return int(given[-1])
    left = view.phase.left
    undone = [
        span.undone[1]
        for span in known.history.faults
        if span.undone is not None and (left is None or span.undone[0] <= left)
    ]
    return max(undone, default=None)
