"""How well a phase was driven, and why nothing in it may be called held (contract §3, load needed by all)."""

from collections.abc import Sequence

from harness.judge.breaker.known import SECOND, Joined, Load
from harness.model.breaker_history import BreakerHistory, FaultSpan, Phase

ENOUGH = 0.9
"""Of the planned calls that must be sent within half a gap of their due time."""


def load_of(phase: Phase, calls: Sequence[Joined]) -> Load:
    """``calls`` in the order of ``sent``."""
    late = sorted(joined.call.sent - joined.call.due for joined in calls)
    half_gap = _half_gap(phase)
    return Load(
        planned=phase.planned,
        sent=len(calls),
        on_time=len(calls)
        if half_gap is None
        else sum(-half_gap <= behind <= half_gap for behind in late),
        planned_per_s=phase.rate,
        sent_per_s=_rate(calls),
        late_p99=max(0, late[max(0, -(-len(late) * 99 // 100) - 1)]) if late else 0,
        capped=phase.capped,
    )


def lack_of(
    history: BreakerHistory, phase: Phase, load: Load, faults: Sequence[FaultSpan], before: str
) -> str:
    """Why nothing in this phase may be called held; empty if it may.

    ``before`` is the same of the phase that it goes on from, if it goes on from one.
    """
    reasons = [
        _start(phase),
        before and f"the phase before it lacks what it needs: {before}",
        _driven(phase, load),
        _seen(phase, faults),
        _kept(history, phase),
    ]
    return "; ".join(f"{phase.id}: {reason}" for reason in reasons if reason)


def _start(phase: Phase) -> str:
    if phase.reached:
        return ""
    return phase.why or "the circuit was not closed for certain when it was to begin"


def _driven(phase: Phase, load: Load) -> str:
    if load.capped:
        return "the harness's own cap on calls in flight was reached"
    if _half_gap(phase) is None:
        return ""
    planned = load.sent if load.planned is None else load.planned
    if load.on_time >= ENOUGH * planned:
        return ""
    return (
        f"{load.on_time} of {planned} planned calls were sent within half a gap of their due time, "
        f"{ENOUGH:.0%} are needed"
    )


def _seen(phase: Phase, faults: Sequence[FaultSpan]) -> str:
    if phase.fault is not None and phase.reached and not faults:
        return f"the fault {phase.fault} was not applied"
    unseen = [span.kind for span in faults if span.needs_seen and span.injected < 1]
    return f"the fault {unseen[0]} was not seen on the wire" if unseen else ""


def _kept(history: BreakerHistory, phase: Phase) -> str:
    until = phase.entered if phase.left is None else phase.left
    lost = sum(
        min(until, end) - max(phase.entered, start)
        for start, end in history.gaps
        if start <= until and end >= phase.entered
    )
    touched = any(start <= until and end >= phase.entered for start, end in history.gaps)
    return f"{lost / SECOND:.2f} s of the hop's log were lost" if touched else ""


def _half_gap(phase: Phase) -> int | None:
    """Half a gap in nanoseconds; None where calls are not sent at a rate, or many at once."""
    if not phase.rate or phase.callers is not None:
        return None
    return round(SECOND / phase.rate / 2)


def _rate(calls: Sequence[Joined]) -> float:
    """Calls a second, from the first one sent to the last."""
    if len(calls) < 2:
        return 0.0
    span = calls[-1].call.sent - calls[0].call.sent
    return (len(calls) - 1) * SECOND / span if span > 0 else 0.0
