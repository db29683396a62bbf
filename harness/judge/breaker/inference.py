"""What is not declared, as found: T̂, D̂, the call time-out, how many good trials close (contract §2).

What was found in different places must agree; where it does not, the value stays unknown and its
source says what was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

from harness.judge.breaker.known import SECOND, Joined, Outage, PhaseView, Terms, Value
from harness.judge.breaker.opening import LONGEST, MOST_FAILURES
from harness.judge.breaker.terms import MOST_TRIALS, terms_of
from harness.judge.breaker.timeline import timeline_of
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import BreakerHistory

EXACT_TRIP, OUTAGE = 4, 5
BURSTS = (8, 9)


@dataclass(slots=True)
class _Found:
    values: dict[str, Value] = field(default_factory=dict)
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, value: float, source: str, shown: dict[str, Any]) -> None:
        self.values[name] = Value(value=value, source=source)
        self.shown[name] = shown

    def nothing(self, name: str, because: str) -> None:
        self.values[name] = Value(value=None, source=because)


def infer(history: BreakerHistory, views: Sequence[PhaseView], own: int | None) -> Terms:
    """The terms to judge by: as declared, and as found where nothing is."""
    plan, found = history.declared, _Found()
    if plan.call_timeout is None and not plan.no_call_timeout:
        _call_timeout(views, found)
    if plan.kind != "in-flight" and _open_to_learn(plan):
        first = terms_of(history, own, found.values, {})
        lives = timeline_of(plan, views, first, learning=True).outages
        by_id = {view.phase.id: view for view in views}
        if plan.threshold is None and plan.share is None:
            _threshold(lives, by_id, found)
        if plan.open is None:
            _open(lives, by_id, found)
        if plan.trials.to_close is None:
            _to_close(lives, found)
        if plan.trials.permits is None:
            _permits(lives, by_id, found)
    return terms_of(history, own, found.values, found.shown)


def _open_to_learn(plan: BreakerPlan) -> bool:
    undeclared = plan.threshold is None and plan.share is None
    trials = plan.trials
    return undeclared or plan.open is None or trials.to_close is None or trials.permits is None


def _threshold(lives: Sequence[Outage], by_id: dict[str, PhaseView], found: _Found) -> None:
    """T̂: so many failures had settled before the first rejection, in each sequential outage."""
    own = [view for view in by_id.values() if view.number == EXACT_TRIP]
    trips: dict[str, Outage] = {}
    for life in lives:
        if by_id[life.phase].number == EXACT_TRIP and life.first_rejection is not None:
            trips.setdefault(life.phase, life)
    counts = [life.threshold for life in trips.values()]
    words = ", ".join(map(str, counts))
    if not own:
        found.nothing("threshold", "not declared, and no exact trip was run")
    elif len(trips) < len(own):
        found.nothing("threshold", f"{len(trips)} of {len(own)} sequential outages were answered")
    elif max(counts) > MOST_FAILURES or any(map(_too_long, trips.values())):
        found.nothing("threshold", f"tripped after {words} failures, later than any default")
    elif max(counts) - min(counts) > max(1, 0.2 * median_low(counts)):
        found.nothing("threshold", f"the trips disagree: after {words} failures")
    else:
        value = median_low(counts)
        source = f"inferred from {len(counts)} trips: after {words} failures"
        found.add("threshold", value, source, {"value": value, "from": counts})


def _too_long(life: Outage) -> bool:
    settled = [joined.settled.lo for joined in life.because if joined.settled is not None]
    return bool(settled) and life.tau.lo - min(settled) > LONGEST


@dataclass(frozen=True, slots=True)
class _Gap:
    """From the trip to the first call let through: D lies within ``lo`` to ``hi`` in nanoseconds."""

    lo: int
    hi: int
    cycle: int
    resolution: int

    def agrees(self, other: "_Gap", factor: float = 1.0) -> bool:
        tolerance = max(self.resolution, other.resolution) * factor
        return other.lo - tolerance <= self.hi * factor and self.lo * factor - tolerance <= other.hi


def _open(lives: Sequence[Outage], by_id: dict[str, PhaseView], found: _Found) -> None:
    """D̂ from the first gap under steady load; later ones agree, or grow by one factor."""
    gaps = [gap for life in lives if (gap := _gap(life, by_id[life.phase])) is not None]
    if not gaps:
        found.nothing("open", "no trial was seen after a rejection under steady load")
        return
    first = next((gap for gap in gaps if gap.cycle == 0), gaps[0])
    words = ", ".join(f"{gap.lo / SECOND:.2f}" for gap in gaps[:10])
    factor = _factor(first, gaps)
    if factor is None:
        found.nothing("open", f"the open times found disagree: {words} s")
        return
    # Each of them bounds it: no shorter than the shortest, no longer than the longest.
    value = min(round(gap.lo / factor**gap.cycle) for gap in gaps)
    longest = max(round(gap.hi / factor**gap.cycle) for gap in gaps)
    found.add(
        "open",
        value,
        f"inferred from {len(gaps)} gaps under steady load: {words} s",
        {
            "seconds": round(value / SECOND, 3),
            "resolution": round((longest - value) / SECOND, 3),
            "factor": factor,
            "cycles": max(gap.cycle for gap in gaps),
            "from": [round(gap.lo / SECOND, 3) for gap in gaps],
        },
    )
    found.values["factor"] = Value(value=factor, source=f"inferred from {len(gaps)} gaps")


def _factor(first: _Gap, gaps: Sequence[_Gap]) -> float | None:
    if all(first.agrees(gap) for gap in gaps) and _one_length(gaps, 1.0):
        return 1.0
    second = next((gap for gap in gaps if gap.cycle == first.cycle + 1), None)
    if second is None or first.cycle:
        return None
    factor = round((second.lo + second.hi) / (first.lo + first.hi), 2)
    grown = all(first.agrees(gap, factor**gap.cycle) for gap in gaps)
    return factor if factor > 1 and grown and _one_length(gaps, factor) else None


def _one_length(gaps: Sequence[_Gap], factor: float) -> bool:
    """Whether one open time explains all of them: with jitter it is another each time, and not known."""
    longest = max(gap.lo / factor**gap.cycle for gap in gaps)
    shortest = min(gap.hi / factor**gap.cycle for gap in gaps)
    return longest <= shortest + min(gap.resolution for gap in gaps)


def _gap(life: Outage, view: PhaseView) -> _Gap | None:
    rate = view.phase.rate
    if view.number != OUTAGE or not rate or not life.trials or life.first_rejection is None:
        return None
    trial = life.trials[0].call
    last = _last_rejection(view, trial.sent) or life.first_rejection
    resolution = round(SECOND / rate) + view.slack
    if trial.sent - last.call.sent > 2 * resolution:
        return None
    tripped = life.tau.lo if life.tau.hi is None else life.tau.hi
    lo = last.call.sent - tripped
    return _Gap(max(0, lo), trial.arrivals[0].arrived - life.tau.lo, life.cycle, resolution)


def _last_rejection(view: PhaseView, before: int) -> Joined | None:
    rejected = (j for j in reversed(view.calls) if j.rejected and j.call.sent < before)
    return next(rejected, None)


def _to_close(lives: Sequence[Outage], found: _Found) -> None:
    """So many trials had succeeded before calls were let through for good."""
    counts = [
        sum(
            trial.outcome == "success"
            and trial.settled is not None
            and trial.settled.lo <= life.closed.lo
            for trial in life.trials
        )
        for life in lives
        if life.ended == "closed" and life.closed is not None and life.trials
    ]
    if counts:
        value = min(MOST_TRIALS, max(1, *counts))
        source = f"inferred from {len(counts)} closings"
        found.add("to_close", value, source, {"value": value, "from": counts})


def _permits(lives: Sequence[Outage], by_id: dict[str, PhaseView], found: _Found) -> None:
    """How many callers at once were let through before any of them had settled. Only shown."""
    most = 0, 0
    for life in lives:
        callers = by_id[life.phase].phase.callers
        if by_id[life.phase].number not in BURSTS or callers is None or not life.trials:
            continue
        settled = [trial.settled.lo for trial in life.trials if trial.settled is not None]
        first = min(settled, default=life.until)
        through = sum(trial.call.arrivals[0].arrived < first for trial in life.trials)
        most = max(most, (through, callers))
    if most[1]:
        found.shown["permits"] = {"value": most[0], "of": most[1]}


def _call_timeout(views: Sequence[PhaseView], found: _Found) -> None:
    """From calls that the service gave up while their caller still waited."""
    waits = []
    for view in views:
        for joined in view.calls:
            if joined.cls != "timed-out-forwarded":
                continue
            last = joined.call.arrivals[-1]
            ends = [joined.call.ended, last.ended if last.end == "abandoned" else None]
            waits.append(min(end for end in ends if end is not None) - last.arrived)
    if not waits:
        found.nothing("call_timeout", "no call time-out seen")
        return
    value = median_low(waits)
    source = f"inferred from {len(waits)} calls that the service gave up"
    shown = {"seconds": round(value / SECOND, 3), "from": len(waits)}
    found.add("call_timeout", value, source, shown)
