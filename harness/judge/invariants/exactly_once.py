"""exactly_once: what was acknowledged took effect once, what is unknown at most once, what was
rejected never; and nothing took effect that nobody asked for.

Requests with one key are tries of one thing, judged together, whatever operation they are of. Their
effects are what the probe lists once the round has settled, less what it listed before anything was
sent: rows that a reset puts there are nobody's effects. Keys are compared as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from harness.expressions.values import EvaluationProblem
from harness.judge.effects import Effects, effects_of, listed_before
from harness.judge.evidence import Lack, Reading, RoundEvidence
from harness.judge.judgement import Broken, RoundJudgement, nothing_of, number_of
from harness.judge.rounds_in_words import finding_over_rounds
from harness.judge.settled import judged_once_settled, settled_readings
from harness.judge.told import first_few
from harness.kinds import params, to_params
from harness.model.plan import InvariantPlan
from harness.model.verdicts import Counterexample, InvariantFinding


@params
class _Params:
    operation: str
    keys: str
    """The probe that lists the keys of the operation's effects."""


class ExactlyOnce:
    """Broken in a round at whose end an effect is missing, doubled, or of no request that may have one."""

    kind = "exactly_once"
    summary = "an operation whose every acknowledged request takes effect just once"
    word: ClassVar[Literal["operation"]] = "operation"
    from_start: ClassVar[bool] = True
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._operation = plan.expression
        given = to_params(_Params, {**plan.params, "operation": plan.expression})
        self._probe = given.keys

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        read = settled_readings(evidence, (self._probe,))
        if isinstance(read, Lack):
            return nothing_of(evidence, read)
        before = listed_before(evidence, self._probe)
        if isinstance(before, Lack):
            return nothing_of(evidence, before)
        try:
            effects = effects_of(evidence, self._operation, before, read[self._probe])
        except EvaluationProblem as problem:
            error = f"probe {self._probe} gave no keys in round {evidence.round}: {problem}"
            return RoundJudgement(
                round=evidence.round, finished=True, error=error, readings=len(read)
            )
        if isinstance(effects, Lack):
            return nothing_of(evidence, effects)
        wrong = wrong_in(effects)
        if not wrong.number and (lack := _shared(effects, self._operation)):
            return nothing_of(evidence, lack)
        broken = self._told(evidence, effects, wrong, read) if wrong.number else None
        return judged_once_settled(
            evidence, read, broken=broken, powerless=_powerless(effects, self._operation)
        )

    def _told(
        self,
        evidence: RoundEvidence,
        effects: Effects,
        wrong: "Wrong",
        read: Mapping[str, Reading],
    ) -> Broken:
        said = "; ".join(_in_words(self._operation, effects, wrong))
        reading = read[self._probe]
        return Broken(
            counterexample=Counterexample(
                round=evidence.round,
                summary=f"round {evidence.round}: {said}",
                values={
                    "round": evidence.round,
                    "operation": self._operation,
                    **_values(effects, wrong),
                    "readings": [
                        {
                            "probe": reading.probe,
                            "asked": reading.asked.ns,
                            "answered": reading.answered.ns,
                        }
                    ],
                },
            ),
            unknown=sum(tries.unknown for tries in effects.tries.values()),
            distance=wrong.number,
        )

    def finding(
        self, judgements: Sequence[RoundJudgement], *, enough: int | None = None
    ) -> InvariantFinding:
        return finding_over_rounds(self._plan, judgements, enough=enough)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """The keys that are wrong, each under its reason, in the order in which they were sent or listed."""

    missing: tuple[str, ...]
    repeated: tuple[str, ...]
    rejected: tuple[str, ...]
    unasked: tuple[str, ...]
    nameless: int

    @property
    def number(self) -> int:
        named = (self.missing, self.repeated, self.rejected, self.unasked)
        return sum(map(len, named)) + self.nameless


def wrong_in(effects: Effects) -> Wrong:
    """What no way in which the unknown outcomes may have gone explains."""
    tries, listed = effects.tries, effects.listed
    return Wrong(
        missing=tuple(
            key for key, each in tries.items() if each.acknowledged and key not in listed
        ),
        repeated=tuple(
            key
            for key, each in tries.items()
            if each.most and not each.shared and listed.get(key, 0) > each.most
        ),
        rejected=tuple(key for key, each in tries.items() if not each.most and key in listed),
        unasked=tuple(key for key in listed if key not in tries),
        nameless=effects.nameless,
    )


def _shared(effects: Effects, operation: str) -> Lack | None:
    """Listed once, a key may hide that one of two effects was lost; listed twice, each may be there."""
    keys = [key for key, tries in effects.tries.items() if tries.shared]
    if not keys:
        return None
    detail = (
        f"{first_few(keys)} {'was' if len(keys) == 1 else 'were'} acknowledged to {operation} and to "
        "another operation, and nobody can tell whose effect is listed; "
        "give each operation keys of its own"
    )
    return Lack(short="key acknowledged by two operations", detail=detail, withheld=True)


def _powerless(effects: Effects, operation: str) -> str:
    if any(tries.acknowledged for tries in effects.tries.values()):
        return ""
    return f"no {operation} was acknowledged, so none had to take effect"


def _in_words(operation: str, effects: Effects, wrong: Wrong) -> list[str]:
    acknowledged = sum(tries.acknowledged > 0 for tries in effects.tries.values())
    said: list[str] = []
    if wrong.missing:
        of = f"{len(wrong.missing)} of {acknowledged} acknowledged {operation}"
        said.append(f"{of} took no effect: {first_few(wrong.missing)}")
    if wrong.repeated:
        times = [f"{key} {effects.listed[key]} times" for key in wrong.repeated]
        said.append(f"{len(times)} {operation} took effect more than once: {first_few(times)}")
    if wrong.rejected:
        of = f"{len(wrong.rejected)} rejected {operation} took effect"
        said.append(f"{of}: {first_few(wrong.rejected)}")
    if wrong.unasked:
        of = number_of(len(wrong.unasked), "effect")
        said.append(f"{of} that nobody asked for: {first_few(wrong.unasked)}")
    if wrong.nameless:
        said.append(f"{number_of(wrong.nameless, 'effect')} without a key")
    return said


def _values(effects: Effects, wrong: Wrong) -> dict[str, Any]:
    return {
        "missing": list(wrong.missing),
        "repeated": [{"key": key, "times": effects.listed[key]} for key in wrong.repeated],
        "rejected": list(wrong.rejected),
        "unasked": list(wrong.unasked),
        "nameless": wrong.nameless,
    }
