"""The view of a run to its ``Result``: the verdict in one sentence, and all findings beside it."""

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec.structs import replace

from harness.judge.breaker_run import conclusion_of_breaker
from harness.judge.conclude import Conclusion
from harness.judge.expectation import agree
from harness.judge.judgement import number_of
from harness.judge.run_evidence import conclusion_of, steady_in_words
from harness.judge.run_view import RoundSummary, RunView
from harness.model.plan import ArrivalsStep, BurstStep
from harness.model.verdicts import (
    BurstFinding,
    InvariantFinding,
    Result,
    SteadyStateFinding,
    Verdict,
)

CASES = "breaker-calls.csv"
"""The joined table of a breaker's run, beside its journal."""


def result_of(view: RunView) -> Result:
    """All that can be said of the run so far."""
    plan, breaker = view.started.plan, view.breaker
    conclusion = conclusion_of(view) if breaker is None else conclusion_of_breaker(view, breaker)
    violated = [finding.name for finding in view.invariants if finding.verdict == "violated"]
    agreement = agree(conclusion.verdict, violated, plan.expected, not_undone=bool(view.not_undone))
    reason = _reason(view, conclusion)
    return Result(
        run=view.started.run,
        experiment=plan.experiment,
        title=plan.title,
        target=plan.target.name,
        variant=plan.variant,
        seed=plan.seed,
        verdict=conclusion.verdict.value,
        reason=f"{reason}; {agreement.remark}" if agreement.remark else reason,
        expected=plan.expected,
        as_expected=agreement.as_expected,
        exit_code=agreement.exit_code,
        rounds=len(view.finished_rounds),
        planned_rounds=plan.rounds,
        run_ms=view.run_ms,
        round_ms_p50=view.round_ms_p50,
        steady_state=_steady_state(view),
        invariants=view.invariants,
        bursts=(
            *(_burst(view, step) for step in plan.bursts),
            *(_arrivals(view, step) for step in plan.arrivals),
        ),
        faults=view.faults,
        traffic=dict(view.traffic),
        missing=_missing(conclusion),
        not_undone=view.not_undone,
        power=_power(view, conclusion.verdict),
        notes=_notes(view, conclusion),
        environment=view.started.environment,
        breaker=None if breaker is None else replace(breaker, cases=CASES),
    )


def _missing(conclusion: Conclusion) -> tuple[str, ...]:
    """After a stop everything behind it is missing, and that says nothing."""
    judged = conclusion.verdict in (Verdict.INCONCLUSIVE, Verdict.VIOLATED)
    return conclusion.missing if judged else ()


def _reason(view: RunView, conclusion: Conclusion) -> str:
    broken = _first(view.invariants, "violated")
    told = f"{broken.name}: {broken.summary}" if broken is not None else ""
    match conclusion.verdict:
        case Verdict.HELD if view.breaker is not None:
            return view.breaker.reason
        case Verdict.HELD:
            rounds = number_of(len(view.counted_rounds), "round")
            return f"every invariant held, tested in {rounds}"
        case Verdict.VIOLATED:
            return told
        case Verdict.INCONCLUSIVE:
            more = len(conclusion.missing) - 1
            return conclusion.missing[0] + (f" (and {more} more)" if more > 0 else "")
        case _:
            found = f"; {told}" if told else _broken_beside_an_error(view)
            return _stopped(view, conclusion.verdict) + found


def _stopped(view: RunView, verdict: Verdict) -> str:
    for stop in view.stops:
        if stop.verdict is verdict:
            return stop.because
    if view.contradictions:
        return f"the evidence contradicts itself: {view.contradictions[0]}"
    if view.breaker is not None and view.breaker.error is not None:
        return view.breaker.error
    failed = _first(view.invariants, "error")
    return f"{failed.name}: {failed.summary}" if failed is not None else verdict.value


def _broken_beside_an_error(view: RunView) -> str:
    """An invariant without a value in one round may be broken in another."""
    failed = _first(view.invariants, "error")
    if (
        failed is None
        or failed.counterexample is None
        or failed.summary in _stopped(view, Verdict.ERROR)
    ):
        return ""
    return f"; {failed.name}: {failed.counterexample.summary}"


def _first(invariants: Iterable[InvariantFinding], verdict: str) -> InvariantFinding | None:
    return next((finding for finding in invariants if finding.verdict == verdict), None)


def _steady_state(view: RunView) -> SteadyStateFinding:
    before, after = view.steady_before, view.steady_after
    failed = after if after is not None and not after.held else before
    return SteadyStateFinding(
        before="not judged" if before is None else "held" if before.held else "not held",
        after="not judged" if after is None else "held" if after.held else "not held",
        detail=steady_in_words(failed) if failed is not None and not failed.held else "",
    )


def _burst(view: RunView, step: BurstStep) -> BurstFinding:
    rounds = [each for each in view.finished_rounds if step.id in each.spreads]
    spreads = [each.spreads[step.id].in_ms for each in rounds]
    spread = round(median(spreads), 4) if spreads else None
    return _together(rounds, step.id, of=step.concurrency, spread=spread)


def _arrivals(view: RunView, step: ArrivalsStep) -> BurstFinding:
    """As of a burst: how many of how many were in flight together. Nothing releases them together."""
    rounds = [each for each in view.finished_rounds if step.id in each.overlaps]
    return _together(rounds, step.id, of=step.requests, spread=None)


def _together(
    rounds: Sequence[RoundSummary], step: str, *, of: int, spread: float | None
) -> BurstFinding:
    overlaps = [each.overlaps[step] for each in rounds if step in each.overlaps]
    hops = dict.fromkeys(hop for each in rounds for hop in each.hop_overlaps)
    return BurstFinding(
        id=step,
        rounds=len(rounds),
        concurrency=of,
        spread_ms_p50=spread,
        overlap=_middle(overlaps),
        overlap_min=min(overlaps, default=None),
        hop_overlap={
            hop: _middle([each.hop_overlaps.get(hop, 0) for each in rounds]) or 0 for hop in hops
        },
    )


def _middle(numbers: list[int]) -> int | None:
    """The lower median, so that it is a number that was seen."""
    return sorted(numbers)[(len(numbers) - 1) // 2] if numbers else None


def _power(view: RunView, verdict: Verdict) -> str:
    """That of the invariant with the fewest rounds that count; what is sampled has no such sentence."""
    if verdict is not Verdict.HELD:
        return ""
    tried = [finding for finding in view.invariants if "ci" in finding.evidence]
    weakest = min(tried, key=lambda each: each.evidence["rounds_with_power"], default=None)
    return weakest.summary if weakest is not None else ""


def _notes(view: RunView, conclusion: Conclusion) -> tuple[str, ...]:
    notes = list(view.notes)
    if conclusion.verdict is Verdict.VIOLATED and any(
        not each.seen_on_wire for each in view.faults
    ):
        notes.append(
            "the violation stands, shown by the state itself, though a fault was not seen whole"
        )
    return tuple(notes)
