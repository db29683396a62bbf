"""All invariants of a run, asked one by one. One that raises is an error and hides no other's finding."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.expressions.parse import ExpressionProblem
from harness.judge.evidence import RoundEvidence
from harness.judge.judgement import Invariant, RoundJudgement, most_telling
from harness.model.plan import InvariantPlan
from harness.model.verdicts import InvariantFinding


class InvariantJudges:
    """Holds what each invariant said of each round; the rounds themselves are not kept."""

    def __init__(
        self, plans: Sequence[InvariantPlan], kinds: Mapping[str, type[Invariant]]
    ) -> None:
        self._plans = plans
        self._made: dict[str, Invariant] = {}
        self._failed: dict[str, str] = {}
        self._said: dict[str, list[RoundJudgement]] = {plan.name: [] for plan in plans}
        for plan in plans:
            made = self._guarded(plan, kinds)
            if made is not None:
                self._made[plan.name] = made

    def judge(self, evidence: RoundEvidence) -> Mapping[str, RoundJudgement]:
        """What each invariant says of a round; nothing is remembered, for a round may still go on."""
        said: dict[str, RoundJudgement] = {}
        for name, invariant in self._made.items():
            try:
                said[name] = _doubted(invariant.judge(evidence), evidence)
            # Foreign kinds may raise anything; that is no verdict, and not the end of the others.
            except Exception as problem:
                said[name] = RoundJudgement(
                    round=evidence.round,
                    finished=evidence.finished,
                    error=f"its judge failed in round {evidence.round}: {problem!r}",
                )
        return said

    def add(self, said: Mapping[str, RoundJudgement]) -> None:
        for name, judgement in said.items():
            self._said[name].append(judgement)

    def broken_rounds(self, name: str) -> int:
        """In how many of the rounds that count the invariant was broken; 0 for one that is not judged."""
        return sum(each.counts and each.broken is not None for each in self._said.get(name, ()))

    def findings(
        self, last: Mapping[str, RoundJudgement] | None, *, enough: int | None = None
    ) -> tuple[InvariantFinding, ...]:
        """One finding for each invariant, ``last`` being what is said of a round not closed yet.

        ``enough`` broken rounds ended the run before all its rounds were run, if they did.
        """
        return tuple(self._finding(plan, last or {}, enough) for plan in self._plans)

    def _finding(
        self, plan: InvariantPlan, last: Mapping[str, RoundJudgement], enough: int | None
    ) -> InvariantFinding:
        judgements = [*self._said[plan.name], *([last[plan.name]] if plan.name in last else [])]
        broken = [each.broken for each in judgements if each.broken is not None]
        made = self._made.get(plan.name)
        problem = self._failed.get(plan.name, "it was never made")
        if made is not None:
            try:
                return made.finding(judgements, enough=enough)
            except Exception as raised:
                problem = f"its judge failed: {raised!r}"
        return InvariantFinding(
            name=plan.name,
            kind=plan.kind,
            verdict="error",
            summary=problem,
            counterexample=most_telling(broken).counterexample if broken else None,
        )

    def _guarded(
        self, plan: InvariantPlan, kinds: Mapping[str, type[Invariant]]
    ) -> Invariant | None:
        try:
            return _make(plan, kinds)
        except ExpressionProblem as problem:
            self._failed[plan.name] = f"its expression cannot be read: {problem}"
        except Exception as problem:
            self._failed[plan.name] = f"its judge failed: {problem!r}"
        return None


def _doubted(judgement: RoundJudgement, evidence: RoundEvidence) -> RoundJudgement:
    """A violation that an effect from an earlier round may explain is none."""
    if judgement.broken is None or evidence.late is None:
        return judgement
    return replace(judgement, broken=None, readings_broken=0, lack=evidence.late)


def _make(plan: InvariantPlan, kinds: Mapping[str, type[Invariant]]) -> Invariant:
    if plan.kind not in kinds:
        raise LookupError(f"no invariant is called {plan.kind}; known are {', '.join(kinds)}")
    return kinds[plan.kind](plan)
