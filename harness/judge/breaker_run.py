"""A run that judges a breaker: its findings in the form of all findings, and what the run concludes from them.

Each of a breaker's invariants says itself what it needed and whether it was there; the rounds of
other experiments have no part in it.
"""

from harness.judge.conclude import Conclusion, Evidence, Missing, Shown, conclude
from harness.judge.judgement import number_of
from harness.judge.run_evidence import steady, undone
from harness.judge.run_view import RunView
from harness.model.breaker_findings import BreakerFinding, BreakerResult
from harness.model.verdicts import Counterexample, InvariantFinding


def as_findings(result: BreakerResult) -> tuple[InvariantFinding, ...]:
    """Those that were judged; what does not apply here takes no part in the verdict."""
    return tuple(
        _as_finding(finding) for finding in result.invariants if finding.verdict != "not-applicable"
    )


def _as_finding(finding: BreakerFinding) -> InvariantFinding:
    assert finding.verdict != "not-applicable", finding.id
    counterexample = None
    if finding.counterexample is not None:
        counterexample = Counterexample(round=None, summary=finding.counterexample.text)
    return InvariantFinding(
        name=finding.id,
        kind="breaker",
        verdict=finding.verdict,
        summary=finding.summary,
        evidence={"title": finding.name, "severity": finding.severity, "power": finding.power},
        counterexample=counterexample,
    )


def conclusion_of_breaker(view: RunView, result: BreakerResult) -> Conclusion:
    """The same conclusion as of any run, from the same pieces of evidence."""
    each = Shown("each invariant judged it by its own needs")
    return conclude(
        stops=view.stops,
        consistent=_consistent(view, result),
        finished=None if view.finished is None else Shown("the script was played to its end"),
        steady_before=steady(view, view.steady_before, "before the method"),
        steady_after=steady(view, view.steady_after, "after the last undo"),
        traffic=_traffic(result),
        overlap=each,
        faults=each,
        settled=each,
        rounds_counted=_judged(result),
        undone=undone(view),
        invariants=view.invariants,
    )


def _consistent(view: RunView, result: BreakerResult) -> Evidence:
    said = [f"the evidence contradicts itself: {each}" for each in view.contradictions]
    if result.error is not None:
        said.append(result.error)
    return Missing(tuple(said)) if said else Shown("no two events contradict each other")


def _traffic(result: BreakerResult) -> Evidence:
    sent = sum(each["sent"] for each in result.load)
    return Shown(number_of(sent, "call")) if sent else Missing(("no call was sent",))


def _judged(result: BreakerResult) -> Evidence:
    judged = [each for each in result.invariants if each.verdict != "not-applicable"]
    if judged:
        return Shown(f"{len(judged)} of {len(result.invariants)} invariants were judged")
    return Missing(("no invariant was judged",))
