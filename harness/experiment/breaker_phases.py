"""The phases of the fault script up to the healed downstream: from warm-up to the outages (contract §4.3).

What follows is ``breaker_trials.py``. Pure: quantities in, phases out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any, get_args

from harness.experiment.breaker_quantities import BEYOND, MOST_SEARCH, Quantities
from harness.experiment.breaker_statuses import failing_status
from harness.model.breaker_script import FaultKind, PhaseName, ScriptPhase
from harness.model.units import Duration

NUMBER: dict[str, int] = {name: number for number, name in enumerate(get_args(PhaseName))}

_TRANSPARENT = 20
_AFTER = 5
_HOLD = 0.1
_FEWEST_BASELINE = {"quick": 100, "full": 200}


def seconds(value: float) -> Duration:
    """A duration in whole milliseconds; what is above zero stays so."""
    return Duration.of_ms(ceil(value * 1000 - 1e-6))


def feeds(*numbers: int) -> tuple[str, ...]:
    return tuple(f"BRK-{number:02}" for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What all phases are made of. ``trip`` is how the downstream fails where a phase needs a trip."""

    q: Quantities
    full: bool

    @property
    def status(self) -> int:
        return failing_status(self.q.declared) or 500

    @property
    def trip(self) -> FaultKind:
        """A status, or where no status counts as a failure a reset."""
        return "status" if failing_status(self.q.declared) is not None else "reset"

    @property
    def failing(self) -> dict[str, Any]:
        """The keys of a phase that trips the breaker by itself."""
        return {"status": self.status, "given": {} if self.trip == "status" else {"trip": "reset"}}


def phase(scope: Scope, name: PhaseName, lasts: float, **keys: Any) -> ScriptPhase:
    """One phase, with what trips it where it needs that."""
    both = {**scope.failing, **keys}
    both["given"] = {**scope.failing["given"], **keys.get("given", {})}
    return ScriptPhase(number=NUMBER[name], name=name, lasts=seconds(lasts), **both)


def warm_up(scope: Scope) -> Iterator[ScriptPhase]:
    yield phase(
        scope,
        "warm-up",
        30,
        title="good calls, which are not judged",
        load="open",
        rate=20.0,
        until="3 seconds in a row are alike, after 5 to 30 s",
    )


def baseline(scope: Scope) -> Iterator[ScriptPhase]:
    rate = scope.q.rate
    calls = _FEWEST_BASELINE["full" if scope.full else "quick"]
    calls = max(calls, ceil(5 * rate)) if scope.full else calls
    yield phase(
        scope,
        "baseline",
        calls / rate + scope.q.learnt.latency.in_s,
        title="good calls; each must reach the downstream with its id",
        load="open",
        rate=rate,
        calls=calls,
        until=f"{calls} are sent",
        feeds=feeds(25),
    )


def transparent(scope: Scope) -> Iterator[ScriptPhase]:
    """Three bursts, and one of four times the bulkhead where there is one."""
    q = scope.q
    bulkhead = q.declared.bulkhead
    bursts = [_TRANSPARENT] * 3 + ([] if bulkhead is None else [4 * bulkhead])
    yield phase(
        scope,
        "transparent",
        q.start + len(bursts) * (3 * q.good_latency + _HOLD) + _AFTER * q.sequential,
        title=f"{len(bursts)} bursts on a healthy downstream that takes its time",
        load="burst",
        calls=sum(bursts) + _AFTER,
        callers=_TRANSPARENT,
        fault="latency",
        latency=seconds(q.good_latency),
        until=f"all are answered, and {_AFTER} calls after them",
        feeds=feeds(22),
        given={"bursts": bursts},
    )


def exact_trip(scope: Scope) -> Iterator[ScriptPhase]:
    q = scope.q
    times = 3 if scope.full else 1
    declared = q.declared.threshold is not None or q.declared.share is not None
    # What was found is looked at once more, and so are the calls behind it.
    known = declared or q.learnt.threshold is not None
    calls = q.failures + BEYOND if known else q.failures
    for number in range(1, times + 1):
        yield phase(
            scope,
            "exact-trip",
            q.start + min(MOST_SEARCH, calls * q.sequential) + q.closing,
            title="failing calls",
            load="sequential",
            repetition=number,
            of=times,
            calls=calls,
            fault=scope.trip,
            until=f"the first rejection, or {calls} calls",
            feeds=feeds(1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outage:
    """One kind of it. ``settles``: when the service knows how a call ended, in seconds."""

    fault: FaultKind
    title: str
    latency: float
    settles: float
    hold: float


def outages(scope: Scope, *, only: FaultKind | None = None) -> Iterator[ScriptPhase]:
    """Each outage with its healing; ``only`` one kind where just the open time is looked for."""
    q = scope.q
    kinds = [outage for outage in _outages(scope) if only in (None, outage.fault)]
    for number, outage in enumerate(kinds, 1):
        yield phase(
            scope,
            "outage",
            q.start + q.trip_under_load(outage.settles) + outage.hold,
            title=outage.title,
            load="open",
            rate=q.rate,
            fault=outage.fault,
            latency=seconds(outage.latency),
            hold=seconds(outage.hold),
            until=f"{seconds(outage.hold)} after it has opened",
            feeds=feeds(1, 3, 4, 5, 6, 7, 9, 15, 23, 26),
        )
        yield _heal(scope, outage, number, len(kinds))


def _outages(scope: Scope) -> Iterator[_Outage]:
    q = scope.q
    failing, late = q.failing_latency, q.late
    hangs = q.timeout if q.timeout is not None else q.lost
    # Without a time-out of the service's own, 30 s show whether what is pending stops to grow.
    hung = q.hold(hangs) if q.timeout is not None else max(q.hold(0), 30.0, 3 * q.open)
    made = {
        "status": (f"the downstream answers {scope.status}", failing, failing, q.hold(failing)),
        "reset": ("the downstream resets", 0.0, 0.0, q.hold(0)),
        "blackhole": ("the downstream does not answer", 0.0, hangs, hung),
        "latency": ("the downstream answers late", late, q.noticed, q.hold(q.noticed)),
        "trickle": (
            "the downstream answers the head at once, the body late",
            late,
            q.noticed,
            q.hold(q.noticed),
        ),
        "refuse": ("the downstream refuses connections", 0.0, 0.0, q.hold(0)),
    }
    quick = (scope.trip, "latency")
    for fault in get_args(FaultKind):
        if not scope.full and fault not in quick:
            continue
        if fault == "status" and scope.trip != "status":
            continue
        title, latency, settles, hold = made[fault]
        yield _Outage(fault=fault, title=title, latency=latency, settles=settles, hold=hold)


def _heal(scope: Scope, outage: _Outage, number: int, of: int) -> ScriptPhase:
    q = scope.q
    watched = scope.full and number == 1
    recovery = q.recovery(outage.settles)
    lasts = recovery + 50 / q.rate + (max(5 * q.open, 10.0) if watched else 0.0)
    return phase(
        scope,
        "heal",
        lasts,
        title="healthy again, and the load goes on",
        load="open",
        repetition=number,
        of=of,
        rate=q.rate,
        calls=ceil(lasts * q.rate),
        until=f"{seconds(lasts)} are over",
        feeds=feeds(7, 10, 12, 25, *([26] if watched else [])),
        given={"outage": outage.fault, "recovery": seconds(recovery).ns},
    )
