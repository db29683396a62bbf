"""All invariants over one history, and the verdict that follows from them (contract §7)."""

from collections.abc import Sequence
from typing import Any

from harness.expressions.evaluate import EvaluationProblem
from harness.expressions.parse import ExpressionProblem
from harness.judge.breaker import evidence
from harness.judge.breaker.finding import Draft, exercised
from harness.judge.breaker.know import know
from harness.judge.breaker.known import Known
from harness.judge.breaker.registry import Invariant, invariants
from harness.judge.breaker.slack import contradiction
from harness.model.breaker import BreakerKind
from harness.model.breaker_findings import BreakerFinding, BreakerResult, BreakerVerdict
from harness.model.breaker_history import BreakerHistory

JUDGED_BY_KIND: dict[BreakerKind, frozenset[int]] = {
    "in-flight": frozenset({5, 21, 22, 23, 25}),
    "eject": frozenset({1, 3, 4, 6, 7, 12, 18, 19, 25, 26}),
}
"""Kinds of which only some invariants speak; of the others all do."""

_WORST: tuple[BreakerVerdict, ...] = ("violated", "inconclusive", "held")


def judge(history: BreakerHistory) -> BreakerResult:
    """One finding for each invariant; or the error that lets nothing be judged."""
    broken = contradiction(history)
    if broken:
        return _error(broken)
    try:
        known = know(history)
    except (ExpressionProblem, EvaluationProblem) as problem:
        return _error(f"what the experiment declares as failure or ignored: {problem}")
    findings = tuple(finding_of(one, known) for one in invariants())
    verdict, reason = conclude(findings, history.declared.script)
    return BreakerResult(
        verdict=verdict, reason=reason, invariants=findings, **evidence.parts(known)
    )


def finding_of(one: Invariant, known: Known) -> BreakerFinding:
    """One invariant's finding; one whose judge fails is inconclusive and hides no other."""
    kind = known.history.declared.kind
    spoken = JUDGED_BY_KIND.get(kind) if kind is not None else None
    draft = Draft(subject=one.subject)
    if spoken is not None and int(one.subject.id.removeprefix("BRK-")) not in spoken:
        return draft.not_applicable(f"kind {kind} has nothing that this invariant speaks of")
    try:
        return exercised(one.judge(known), known.history.declared.script)
    except Exception as failure:
        return draft.inconclusive(f"its judge failed: {type(failure).__name__}: {failure}")


def conclude(findings: Sequence[BreakerFinding], script: str) -> tuple[BreakerVerdict, str]:
    """The worst verdict of those that took part, and one sentence why."""
    judged = [one for one in findings if one.verdict != "not-applicable"]
    if not judged:
        return "inconclusive", "no invariant was judged"
    worst = next(verdict for verdict in _WORST if any(one.verdict == verdict for one in judged))
    concerned = [one for one in judged if one.verdict == worst]
    if worst != "held":
        first = concerned[0]
        others = f", and {len(concerned) - 1} more" if len(concerned) > 1 else ""
        return worst, f"{first.id} {worst}: {first.summary}{others}"
    left_out = len(findings) - len(judged)
    reason = f"held on {len(judged)} of {len(findings)}"
    if left_out:
        why = "not exercised by the quick script" if script == "quick" else "not applicable"
        reason += f"; {left_out} {why}"
    return worst, reason


def _error(problem: str) -> BreakerResult:
    parts: dict[str, Any] = {name: {} for name in ("front", "back", "declared", "inferred")}
    return BreakerResult(
        verdict="inconclusive",
        reason=f"error: {problem}",
        clock={},
        load=(),
        faults=(),
        classes={},
        timeline=(),
        invariants=(),
        error=problem,
        **parts,
    )
