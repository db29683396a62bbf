"""δ of a phase, when it is too much to judge time by, and a clock that contradicts itself (contract §1.2)."""

from harness.judge.breaker.known import MS
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import BreakerHistory, Call, Phase

TIMERS = 2 * MS
"""Node's 1 ms timers and asyncio's early wake-ups."""
TOLERABLE = 10
"""δ may be this part of the shortest declared duration."""


def slack_of(history: BreakerHistory, phase: Phase | None) -> int:
    """δ in nanoseconds; without a phase what holds at all times."""
    lag = 0 if phase is None else phase.lag
    return TIMERS + lag + history.uncertainty + history.declared.reaction.ns


def too_late(history: BreakerHistory, phase: Phase, shortest: int | None) -> str:
    """Why this phase says nothing about time; empty if it does. ``shortest`` declared duration in ns.

    What the breaker itself takes to react is declared, and no lateness of ours.
    """
    late = TIMERS + phase.lag + history.uncertainty
    if shortest is None or late * TOLERABLE <= shortest:
        return ""
    return (
        f"the harness itself was {late / MS:.1f} ms late; at most {shortest / TOLERABLE / MS:.1f} ms, "
        "a tenth of the shortest declared duration"
    )


def shortest_declared(plan: BreakerPlan) -> int | None:
    """The shortest duration that the breaker is declared to keep, in nanoseconds."""
    declared = [
        plan.open.first if plan.open is not None else None,
        plan.call_timeout,
        plan.slow.over if plan.slow is not None else None,
        plan.trials.lost_after,
        plan.window.time if plan.window is not None else None,
    ]
    return min((duration.ns for duration in declared if duration is not None), default=None)


def contradiction(history: BreakerHistory) -> str:
    """How the clock contradicts itself, beyond its known uncertainty; empty if it does not."""
    for call in history.calls:
        found = _backwards(call, history.uncertainty)
        if found:
            return f"the run's clock is broken: {call.rid} {found}"
    return ""


def _backwards(call: Call, uncertainty: int) -> str:
    if call.ended is not None and call.ended < call.sent:
        return f"ended {_ms(call.sent - call.ended)} before it was sent"
    for arrival in call.arrivals:
        if arrival.arrived + uncertainty < call.sent:
            return f"arrived at the hop {_ms(call.sent - arrival.arrived)} before it was sent"
        if arrival.ended is not None and arrival.ended < arrival.arrived:
            return (
                f"ended at the hop {_ms(arrival.arrived - arrival.ended)} before it arrived there"
            )
    return ""


def _ms(span: int) -> str:
    return f"{span / MS:.3f} ms"
