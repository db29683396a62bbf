"""All that ``breaker`` in ``result.json`` holds beside verdicts: a person can count again from it.

Plain values only (contract §7): numbers, texts, lists and maps. Instants are seconds since the run's
start to the microsecond; intervals stay intervals; what is not known is null.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from harness.judge.breaker.finding import seconds
from harness.judge.breaker.known import MS, Interval, Joined, Known, Outage, PhaseView
from harness.judge.breaker.life import life
from harness.judge.breaker.neighbours import neighbours
from harness.model.breaker import DEFAULT_FAILURE, BreakerPlan
from harness.model.units import Duration

MOST_RIDS = 10
HEAL = 6
"""The phase that goes on from the one before; all others begin with circuits closed for certain."""

# A default that is the same for everybody, not a guess about this service: it stands as declared.
_WITH_DEFAULTS = {"id", "failure", "reaction", "errors_when_healthy", "script"}
# Settings of the run, not of the breaker: their absence is nothing that the judge must infer.
_OF_THE_RUN = {"calls", "behind", "phases", "bursts", "no_call_timeout", "key"}


def parts(known: Known) -> dict[str, Any]:
    """The arguments of ``BreakerResult`` beside verdict, reason, invariants, error and cases."""
    plan, timeline = known.history.declared, timeline_of(known)
    return {
        "front": {"operation": plan.calls, "callers": known.history.callers},
        "back": {"hop": plan.behind, "joined_by": plan.id.words},
        "declared": declared(plan),
        "inferred": _plain(dict(known.terms.inferred)),
        "clock": clock(known),
        "load": tuple(_load(view) for view in known.phases),
        "faults": tuple(faults(known)),
        "classes": {view.phase.id: classes(view) for view in known.phases},
        "timeline": timeline,
        "neighbours": neighbours(known),
        "life": life(known, timeline),
    }


def declared(plan: BreakerPlan) -> dict[str, Any]:
    """The block as resolved; ``undeclared`` names the keys that nobody wrote."""
    kept: dict[str, Any] = {}
    undeclared = []
    for name in plan.__struct_fields__:
        value = _plain(getattr(plan, name))
        if value in (None, [], {}):
            if name not in _OF_THE_RUN:
                undeclared.append(name)
        else:
            kept[name] = value
    kept["failure"] = plan.failure or DEFAULT_FAILURE
    if plan.no_call_timeout:
        kept["call_timeout"] = "none"
    # A count and a share are two ways to say one threshold.
    said = {"threshold", "share"} & kept.keys()
    gone = _WITH_DEFAULTS | ({"share"} if not said else {"threshold", "share"}) | kept.keys()
    kept["undeclared"] = [name for name in undeclared if name not in gone]
    return kept


def clock(known: Known) -> dict[str, Any]:
    """δ of each phase and what it is made of, in milliseconds."""
    lags = [view.phase.lag for view in known.phases]
    return {
        "slack_ms": {view.phase.id: _ms(view.slack) for view in known.phases},
        "loop_lag_ms_max": _ms(max(lags, default=0)),
        "uncertainty_ms": _ms(known.history.uncertainty),
        "reaction_ms": _ms(known.history.declared.reaction.ns),
    }


def _load(view: PhaseView) -> dict[str, Any]:
    load = view.load
    return {
        "phase": view.phase.id,
        "planned_per_s": load.planned_per_s,
        "sent_per_s": round(load.sent_per_s, 3),
        "planned": load.planned,
        "sent": load.sent,
        "on_time": load.on_time,
        "late_p99_ms": _ms(load.late_p99),
        "cap_reached": load.capped,
        **({"lack": view.lack} if view.lack else {}),
        **({"timing": view.timing} if view.timing else {}),
    }


def faults(known: Known) -> Iterable[dict[str, Any]]:
    for span in known.history.faults:
        yield {
            "phase": span.phase,
            "kind": span.kind,
            "params": _plain(span.params),
            "applied": [seconds(instant) for instant in span.applied],
            "undone": None if span.undone is None else [seconds(one) for one in span.undone],
            "injected": span.injected,
        }


def classes(view: PhaseView) -> dict[str, int]:
    """How many calls of each class; ``masked``, strays and transport retries are counted beside them."""
    counts: Counter[str] = Counter(joined.cls for joined in view.calls)
    for flag in ("masked", "fallback-after-failure", "undeclared-rejection", "maybe-bulkhead"):
        if found := sum(flag in joined.flags for joined in view.calls if joined.flags):
            counts[flag] = found
    counts["strays"] = view.strays
    counts["transport_retries"] = sum(joined.transport_retries for joined in view.calls)
    return {name: counts[name] for name in sorted(counts)}


def timeline_of(known: Known) -> tuple[dict[str, Any], ...]:
    """The states of each circuit in order, as far as they are known."""
    circuits: dict[tuple[str, str], list[Outage]] = {}
    for outage in known.outages:
        circuits.setdefault((outage.key, outage.instance or ""), []).append(outage)
    begin, end = ends(known)
    if not circuits:
        return (_span("", "", "closed", (begin, begin), (end, end), "never seen to open"),)
    groups = [
        view.phase.entered
        for view in known.phases
        if view.number != HEAL and not view.phase.given.get("continues")
    ] or [begin]
    return tuple(
        span
        for (key, instance), outages in circuits.items()
        for span in _states(key, instance, outages, groups, end)
    )


def ends(known: Known) -> tuple[int, int]:
    """The first and the last instant of the run that anything is known of."""
    phases = [view.phase for view in known.phases]
    instants = [phase.entered for phase in phases]
    instants += [phase.left for phase in phases if phase.left is not None]
    if known.calls:
        last = known.calls[-1].call
        instants += [known.calls[0].call.sent, last.sent if last.ended is None else last.ended]
    return (min(instants), max(instants)) if instants else (0, 0)


def _states(
    key: str, instance: str, outages: Sequence[Outage], groups: Sequence[int], end: int
) -> Iterable[dict[str, Any]]:
    """``groups``: the instants from which on each circuit was closed for certain."""
    since: tuple[int, int | None] = (groups[0], groups[0])
    rule = "no threshold was reached"
    closing: Sequence[Joined] = ()
    unknown: int | None = None
    for outage, following in zip(outages, [*outages[1:], None], strict=True):
        tau = (outage.tau.lo, outage.tau.hi)
        if unknown is not None:
            begun = next((one for one in groups if unknown <= one <= outage.tau.lo), outage.tau.lo)
            yield _span(key, instance, "unknown", (unknown, unknown), (begun, begun), "")
            since, rule, closing = (begun, begun), "the phase began closed for certain", ()
        if outage.cycle == 0:
            yield _span(key, instance, "closed", since, tau, rule, closing)
        yield from _life(outage, None if following is None else following.tau)
        unknown = outage.until if outage.ended == "unknown" else None
        if outage.closed is not None:
            since, rule = (outage.closed.lo, outage.closed.hi), "trials succeeded"
            closing = tuple(outage.trials)
    if unknown is None:
        yield _span(key, instance, "closed", since, (end, end), rule, closing)
    elif unknown < end:
        yield _span(key, instance, "unknown", (unknown, unknown), (end, end), "")


def _life(outage: Outage, following: Interval | None) -> Iterable[dict[str, Any]]:
    """Its open state and, if a trial came or might have come, its half-open one."""
    key, instance = outage.key, outage.instance or ""
    tau = (outage.tau.lo, outage.tau.hi)
    rule = "a trial failed" if outage.cycle else f"{outage.threshold} failures had settled"
    over: tuple[int, int | None] = (outage.until, outage.until)
    if outage.ended == "closed" and outage.closed is not None:
        over = (outage.closed.lo, outage.closed.hi)
    elif outage.ended == "reopened" and following is not None:
        over = (following.lo, following.hi)
    if outage.first_rejection is None and not outage.trials:
        yield _span(key, instance, "unknown", tau, over, f"{rule}, and nothing was rejected")
        return
    if outage.half_open is None:
        yield _span(key, instance, "open", tau, over, rule, outage.because)
        return
    first = outage.trials[0].admitted if outage.trials else None
    begins = (outage.half_open.lo, outage.until if first is None else first.hi)
    yield _span(key, instance, "open", tau, begins, rule, outage.because)
    tried = f"{len(outage.trials)} trials were let through" if outage.trials else "a trial was due"
    yield _span(key, instance, "half-open", begins, over, tried, outage.trials)


def _span(
    key: str,
    instance: str,
    state: str,
    since: tuple[int, int | None],
    until: tuple[int, int | None],
    rule: str,
    because: Sequence[Joined] = (),
) -> dict[str, Any]:
    return {
        "key": key,
        **({"instance": instance} if instance else {}),
        "state": state,
        "from": _interval(since),
        "to": _interval(until),
        "because": {
            "rule": rule or "nothing shows it",
            "rids": [joined.call.rid for joined in because[:MOST_RIDS]],
            "count": len(because),
        },
    }


def _interval(pair: tuple[int, int | None]) -> list[float | None]:
    return [seconds(pair[0]), None if pair[1] is None else seconds(pair[1])]


def _ms(ns: int) -> float:
    return round(ns / MS, 3)


def _plain(value: Any) -> Any:
    """As JSON holds it; durations in seconds."""
    if isinstance(value, Duration):
        return seconds(value.ns)
    if isinstance(value, msgspec.Struct):
        fields = ((name, _plain(getattr(value, name))) for name in value.__struct_fields__)
        return {name: one for name, one in fields if one not in (None, {}, [])}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value
