"""From a history to what is known of it: joined once, folded once, for all invariants to ask."""

from collections.abc import Sequence
from dataclasses import replace

from harness.judge.breaker.baseline import baseline_of
from harness.judge.breaker.circuit import HEAL
from harness.judge.breaker.classify import classify
from harness.judge.breaker.inference import infer
from harness.judge.breaker.known import Joined, Known, PhaseView, Terms
from harness.judge.breaker.load import lack_of, load_of
from harness.judge.breaker.settlements import FAIL, mask_of
from harness.judge.breaker.slack import shortest_declared, slack_of, too_late
from harness.judge.breaker.timeline import timeline_of
from harness.model.breaker_history import BreakerHistory


def know(history: BreakerHistory) -> Known:
    """Everything an invariant may ask of this history, whose clock does not contradict itself.

    Raises:
        ExpressionProblem, EvaluationProblem: what is declared as failure or ignored has no value.
    """
    slack = {phase.id: slack_of(history, phase) for phase in history.phases}
    calls = classify(history, slack, slack_of(history, None))
    views = _views(history, slack, calls)
    baseline = baseline_of(history, views)
    terms = infer(history, views, baseline.own)
    views = _timed(history, views, terms)
    timeline = timeline_of(history.declared, views, terms)
    return Known(
        history=history,
        terms=terms,
        phases=views,
        calls=calls,
        outages=timeline.outages,
        baseline_latency=baseline.latency,
        baseline_own=baseline.own,
        baseline_strays_per_s=baseline.strays_per_s,
        barred=baseline.barred,
        by_id={view.phase.id: view for view in views},
        unexplained=timeline.unexplained,
    )


def _views(
    history: BreakerHistory, slack: dict[str, int], calls: Sequence[Joined]
) -> list[PhaseView]:
    by_phase: dict[str, list[Joined]] = {phase.id: [] for phase in history.phases}
    for joined in calls:
        if joined.call.phase in by_phase:
            by_phase[joined.call.phase].append(joined)
    views: list[PhaseView] = []
    for phase in history.phases:
        own = by_phase[phase.id]
        faults = [span for span in history.faults if span.phase == phase.id]
        load = load_of(phase, own)
        goes_on = phase.number == HEAL and views
        until = phase.left if phase.left is not None else None
        views.append(
            PhaseView(
                phase=phase,
                calls=own,
                load=load,
                slack=slack[phase.id],
                lack=lack_of(history, phase, load, faults, views[-1].lack if goes_on else ""),
                faults=faults,
                latency=max(map(_latency, own), default=0),
                strays=sum(
                    phase.entered <= stray.arrived and (until is None or stray.arrived <= until)
                    for stray in history.strays
                ),
            )
        )
    return views


def _timed(history: BreakerHistory, views: Sequence[PhaseView], terms: Terms) -> list[PhaseView]:
    """With what the harness's own lateness forbids, beside the open time found as well as declared ones."""
    shortest = shortest_declared(history.declared)
    if terms.open.known:
        found = round(terms.open.number)
        shortest = found if shortest is None else min(shortest, found)
    return [replace(view, timing=too_late(history, view.phase, shortest)) for view in views]


def _latency(joined: Joined) -> int:
    """How long a failing call took at the hop; 0 for all others."""
    if joined.settled is None or not mask_of(joined) & FAIL or not joined.forwarded:
        return 0
    last = joined.call.arrivals[-1]
    return 0 if last.ended is None else last.ended - last.arrived
