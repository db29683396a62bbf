"""What to judge by: each value as declared, or as inferred, or by default, with its source in words."""

from collections.abc import Mapping
from typing import Any

from harness.judge.breaker.known import MS, SECOND, Terms, Value
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import BreakerHistory
from harness.model.units import Duration

MOST_TRIALS = 10
"""The largest default of half-open calls among the libraries: how many trials may decide, undeclared."""
SLOWEST_REJECTION = 50 * MS
LONGEST_LOST = 10 * SECOND

UNDECLARED = "not declared"


def terms_of(
    history: BreakerHistory, own: int | None, found: Mapping[str, Value], shown: Mapping[str, Any]
) -> Terms:
    """The declaration first, then what was ``found`` (by name of the field), then defaults.

    ``own``: what the service itself takes of a good call, in nanoseconds. ``shown`` is what
    ``breaker.inferred`` shows of the findings.
    """
    plan = history.declared
    open_, call_timeout = _open(plan, found), _call_timeout(plan, found)
    permits = _value("trials.permits", plan.trials.permits)
    return Terms(
        threshold=_value("threshold", plan.threshold)
        if plan.threshold is not None or plan.share is not None
        else found.get("threshold", Value(value=None, source=UNDECLARED)),
        share=_value("threshold", plan.share),
        minimum=_value("minimum", plan.minimum),
        window=_window(plan),
        open=open_,
        factor=found.get("factor", Value(value=1.0, source="default"))
        if plan.open is None
        else _value("open.factor", plan.open.factor),
        jitter=Value(value=0.0, source="default")
        if plan.open is None
        else _value("open.jitter", plan.open.jitter),
        permits=permits,
        to_close=_to_close(plan, found),
        to_reopen=_to_reopen(plan, permits),
        lost_after=_lost_after(plan, open_, call_timeout),
        call_timeout=call_timeout,
        slow=_value("slow.over", plan.slow.over if plan.slow is not None else None),
        slow_share=_value("slow.threshold", plan.slow.threshold if plan.slow is not None else None),
        within=_within(plan, own),
        attempts=_value("retries.attempts", plan.retries.attempts if plan.retries else None),
        bulkhead=_value("bulkhead", plan.bulkhead),
        instances=_instances(history),
        reaction=Value(
            value=plan.reaction.ns,
            source=f"declared reaction={plan.reaction}" if plan.reaction.ns else "default",
            declared=bool(plan.reaction.ns),
        ),
        inferred=dict(shown),
    )


def open_time(terms: Terms, plan: BreakerPlan, cycle: int) -> int | None:
    """D of the cycle in nanoseconds, the back-off reached by then included; None where not known.

    How far one that was found goes on growing is not known beyond the cycles that showed it.
    """
    if not terms.open.known:
        return None
    seen = terms.inferred.get("open", {}).get("cycles")
    if terms.factor.number != 1 and isinstance(seen, int) and cycle > seen:
        return None
    lasts = terms.open.number * terms.factor.number**cycle
    if plan.open is not None and plan.open.at_most is not None:
        lasts = min(lasts, plan.open.at_most.ns)
    return round(lasts)


def coarse(terms: Terms, duration: int) -> int:
    """How much longer than ``duration`` an open state of it may be, in ns; 0 where its length is declared.

    It was found from gaps between calls, and is only as fine as these came.
    """
    if terms.open.declared or not terms.open.known or not terms.open.number:
        return 0
    found = terms.inferred.get("open", {}).get("resolution", 0)
    wide = found if isinstance(found, int | float) else 0
    return round(wide * SECOND * max(1.0, duration / terms.open.number))


def _value(key: str, value: Duration | float | None) -> Value:
    if value is None:
        return Value(value=None, source=UNDECLARED)
    number = value.ns if isinstance(value, Duration) else value
    return Value(value=number, source=f"declared {key}={value}", declared=True)


def _window(plan: BreakerPlan) -> Value:
    window = plan.window
    if window is None:
        return Value(value=None, source=UNDECLARED)
    return _value("window", window.calls if window.calls is not None else window.time)


def _open(plan: BreakerPlan, found: Mapping[str, Value]) -> Value:
    if plan.open is not None:
        return _value("open", plan.open.first)
    return found.get("open", Value(value=None, source=UNDECLARED))


def _call_timeout(plan: BreakerPlan, found: Mapping[str, Value]) -> Value:
    if plan.no_call_timeout:
        return Value(value=None, source="declared call_timeout=none", declared=True)
    if plan.call_timeout is not None:
        return _value("call_timeout", plan.call_timeout)
    return found.get("call_timeout", Value(value=None, source=UNDECLARED))


def _to_close(plan: BreakerPlan, found: Mapping[str, Value]) -> Value:
    if plan.trials.to_close is not None:
        return _value("trials.to_close", plan.trials.to_close)
    return found.get("to_close", Value(value=1, source="default"))


def _to_reopen(plan: BreakerPlan, permits: Value) -> Value:
    """Undeclared, one failed trial may be enough, and as many as there are permits must be."""
    if plan.trials.to_reopen is not None:
        return _value("trials.to_reopen", plan.trials.to_reopen)
    if permits.known:
        return Value(value=permits.value, source=f"at most all trials, {permits.source}")
    return Value(value=MOST_TRIALS, source=f"{UNDECLARED}, at most {MOST_TRIALS}")


def _lost_after(plan: BreakerPlan, open_: Value, call_timeout: Value) -> Value:
    if plan.trials.lost_after is not None:
        return _value("trials.lost_after", plan.trials.lost_after)
    if call_timeout.known and call_timeout.declared:
        return Value(value=call_timeout.value, source=call_timeout.source)
    if open_.known:
        bound = max(round(3 * open_.number), LONGEST_LOST)
        return Value(value=bound, source=f"the larger of 10 s and 3 open times, {open_.source}")
    return Value(value=LONGEST_LOST, source=f"{UNDECLARED}, 10 s")


def _within(plan: BreakerPlan, own: int | None) -> Value:
    if plan.rejection.within is not None:
        return _value("rejection.within", plan.rejection.within)
    bound = max(SLOWEST_REJECTION, 5 * (own or 0))
    return Value(value=bound, source="the larger of 50 ms and 5 × the service's own time")


def _instances(history: BreakerHistory) -> Value:
    if history.declared.instances is not None:
        return _value("instances", history.declared.instances)
    seen = history.instances_seen
    if seen > 1:
        return Value(value=seen, source=f"{seen} processes seen behind the hop's connections")
    return Value(value=1, source="default")
