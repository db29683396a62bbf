"""BRK-12: it recovers, under load that never stops, and after silence.

Measured from when the fault was certainly undone to the first of twenty good calls in a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import SECOND, Joined, Known, PhaseView
from harness.judge.breaker.lives import log_lost
from harness.judge.breaker.recovery import (
    IN_A_ROW,
    Recovery,
    RecoveryBound,
    healed_at,
    recovery,
    recovery_bound,
)
from harness.judge.breaker.stretches import lacks_of, largest_gap, said, sent_within, steady_gap
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

SUBJECT = Subject(
    id="BRK-12",
    name="recovers",
    severity="critical",
    condition=(
        f"{IN_A_ROW} consecutive calls are forwarded-ok, starting no later than open in force * (1 + jitter)"
        " + call time-out + to_close * max(1 / rate, good latency) + 1 / rate + slack after the fault"
    ),
    phases=(6, 7),
)

HEAL = 6
SILENT = 7
Load = Literal["under load", "after silence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One recovery; instants in nanoseconds. ``by``: when the good calls must have begun."""

    view: PhaseView
    healed: int
    bound: RecoveryBound
    by: int
    recovery: Recovery

    @property
    def load(self) -> Load:
        return "under load" if self.view.number == HEAL else "after silence"

    @property
    def began(self) -> int | None:
        """When the run of good calls began; None where it has not reached its length."""
        return self.recovery.good[0].call.sent if self.recovery.reached else None

    @property
    def bad(self) -> Sequence[Joined]:
        """The calls after the bound that were not good ones."""
        late = sent_within(self.recovery.calls, self.by + 1)
        return [one for one in late if one.cls != "forwarded-ok"]

    @property
    def broken(self) -> bool:
        return bool(self.bad)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    unjudged = not_judgeable(draft, known, *SUBJECT.phases, opens=False)
    if unjudged is not None:
        return unjudged
    views = known.phases_of(*SUBJECT.phases)
    # Of a phase that was skipped nothing is measured: the fault before it was another one's.
    timed = [view for view in views if not view.timing and view.phase.reached]
    watched = [one for view in timed if (one := _watch(known, view)) is not None]
    draft.rounds = len(watched)
    draft.samples.extend(_sample(one) for one in watched)
    draft.lacks.extend(
        f"{view.phase.id}: no fault was undone before it, so nothing was to recover from"
        for view in timed
        if healed_at(known, view) is None
    )
    broken = [one for one in watched if one.broken]
    if broken:
        return _violated(draft, max(broken, key=lambda one: len(one.bad)))
    draft.lacks.extend(lacks_of(views, timing=True))
    return _held(draft, known, watched)


def _watch(known: Known, view: PhaseView) -> Watched | None:
    healed = healed_at(known, view)
    if healed is None:
        return None
    bound, found = recovery_bound(known, view, healed), recovery(known, healed)
    by = healed + bound.value
    if view.number == SILENT and found.calls:
        # Nobody could recover before the first call: closing begins with it.
        by = max(by, found.calls[0].call.sent + bound.closing)
    return Watched(view=view, healed=healed, bound=bound, by=by, recovery=found)


def _measure(draft: Draft, one: Watched, among: int) -> None:
    draft.limit = Limit(value=seconds(one.bound.value), source=one.bound.words)
    draft.tolerance = Tolerance(
        value=seconds(one.by - one.healed),
        parts=tuple(
            {"name": part.name, "value": seconds(part.value), "why": part.why}
            for part in one.bound.parts
        ),
    )
    draft.observed = Observed(
        value=None if one.began is None else seconds(one.began - one.healed),
        unit="s to the first of 20 good calls",
        per="recovery",
        worst_of=among,
    )


def _violated(draft: Draft, worst: Watched) -> BreakerFinding:
    _measure(draft, worst, draft.rounds)
    calls = worst.recovery.calls
    if worst.began is None:
        lasted = calls[-1].call.sent - worst.healed
        good = sum(one.cls == "forwarded-ok" for one in calls)
        text = (
            f"no {IN_A_ROW} good calls in a row in {said(lasted)} after healing: {good} of"
            f" {len(calls)} calls were good"
        )
    else:
        text = f"{said(worst.began - worst.healed)} from healing to {IN_A_ROW} good calls in a row"
    text += f"; bound {worst.bound.words}"
    if worst.load == "after silence":
        text += ", after silence"
    rejected = sum(one.rejected for one in worst.bad)
    return draft.violated(
        text,
        counterexample(
            text,
            worst.bad[:30],
            around=worst.recovery.good,
            interval=(worst.healed, calls[-1].call.sent),
            expected=f"good calls from {worst.by / SECOND:.3f} s on",
            got=f"{len(worst.bad)} calls after it were not good, {rejected} of them short-circuited",
        ),
    )


def _held(draft: Draft, known: Known, watched: Sequence[Watched]) -> BreakerFinding:
    told = []
    loads: tuple[tuple[Load, int], ...] = (("under load", HEAL), ("after silence", SILENT))
    for load, number in loads:
        mine = [one for one in watched if one.load == load]
        if not known.phases_of(number):
            draft.notes.append(f"{load}: not exercised, phase {number} was not run")
            continue
        reached = [one for one in mine if one.recovery.reached]
        draft.need(f"recoveries {load}", len(reached), at_least=1)
        told += [_told(one, load) for one in reached[:1]]
    for one in watched:
        _needs(draft, known, one)
    slowest = max(
        (one for one in watched if one.began is not None),
        key=lambda one: (one.began or 0) - one.healed,
        default=None,
    )
    if slowest is not None:
        _measure(draft, slowest, len(watched))
    counted = sum(len(one.recovery.calls) for one in watched)
    return draft.held_or_inconclusive(
        "; ".join(told),
        power=f"{counted} calls were sent from healing on; one that was not good after the bound would"
        " have shown",
    )


def _told(one: Watched, load: Load) -> str:
    began = one.began or 0
    return (
        f"{said(began - one.healed)} from healing to {IN_A_ROW} good calls in a row {load}; bound"
        f" {one.bound.words}"
    )


def _needs(draft: Draft, known: Known, one: Watched) -> None:
    calls, name = one.recovery.calls, one.view.phase.id
    good = len(one.recovery.good)
    if not one.recovery.reached:
        draft.need(f"good calls in a row after {name}", good, at_least=IN_A_ROW)
    if one.load == "under load":
        sent = sent_within(known.calls, one.healed, one.by + 1)
        draft.need(f"calls in the bound after healing, in {name}", len(sent), at_least=IN_A_ROW)
        end = min(one.by, calls[-1].call.sent if calls else one.by)
        silent = largest_gap(calls, one.healed, end)
        if silent > steady_gap(one.view, one.bound.value):
            draft.lacks.append(f"{name}: nobody called for {said(silent)} while it should recover")
    if log_lost(known, one.healed, one.by):
        draft.lacks.append(f"the hop's log has a gap after healing, in {name}")


def _sample(one: Watched) -> dict[str, object]:
    good = one.recovery.good
    return {
        "phase": one.view.phase.id,
        "load": one.load,
        "healed": seconds(one.healed),
        "bound": seconds(one.bound.value),
        "by": seconds(one.by),
        "good_from": None if one.began is None else seconds(one.began),
        "first_good": good[0].call.rid if good else None,
        "good_in_a_row": len(good),
        "bad_after_bound": [bad.call.rid for bad in one.bad[:10]],
        "verdict": "violated" if one.broken else "held" if one.began else "inconclusive",
    }
