"""unique: no value stands twice in a list, once a round has settled. NULLs are values of nothing."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression, parse
from harness.expressions.values import MAX_DEPTH, intake, show, type_name
from harness.judge.asked import a_reading_matters, refused_counts
from harness.judge.effects import listed_before
from harness.judge.evidence import Lack, Reading, RoundEvidence
from harness.judge.judgement import Broken, RoundJudgement, nothing_of
from harness.judge.rounds_in_words import finding_over_rounds
from harness.judge.settled import judged_once_settled, settled_readings
from harness.judge.told import first_few, problem_in, told_of
from harness.kinds import params
from harness.model.plan import InvariantPlan
from harness.model.verdicts import Counterexample, InvariantFinding


@params
class _Params:
    expression: str


class Unique:
    """Broken in a round at whose end one value is listed more than once."""

    kind = "unique"
    summary = "a list in which no value stands twice once a round has settled"
    word: ClassVar[Literal["expression"]] = "expression"
    from_start: ClassVar[bool] = True
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._expression = parse(plan.expression)
        self._refused = refused_counts(self._expression) or _no_probe(self._expression)

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        if self._refused is not None:
            return nothing_of(evidence, self._refused)
        read = settled_readings(evidence, self._expression.names)
        if isinstance(read, Lack):
            return nothing_of(evidence, read)
        values = {probe: reading.exact for probe, reading in read.items()}
        try:
            listed = _listed(self._expression, values)
            times = Counter(one_of(value) for value in listed)
            matters = a_reading_matters(self._expression, values)
        except EvaluationProblem as problem:
            return problem_in(self._expression, problem, evidence, read)
        shown = {one_of(value): show(value) for value in listed}
        twice = [(shown[key], count) for key, count in times.items() if count > 1]
        broken = self._told(evidence.round, read, twice) if twice else None
        before = self._before(evidence)
        if isinstance(before, Lack):
            if broken is None:
                return nothing_of(evidence, before)
            before = Counter()
        powerless = _too_few(len(listed)) or _nothing_added(times - before)
        if listed and not matters:
            powerless = "no other reading would have made another list of it"
        return judged_once_settled(evidence, read, broken=broken, powerless=powerless)

    def _before(self, evidence: RoundEvidence) -> "Counter[Hashable] | Lack":
        """What it listed before anything was sent; what had no list then had no values."""
        values: dict[str, Any] = {}
        for probe in self._expression.names:
            reading = listed_before(evidence, probe)
            if isinstance(reading, Lack):
                return reading
            values[probe] = reading.exact
        try:
            return Counter(one_of(value) for value in _listed(self._expression, values))
        except EvaluationProblem:
            return Counter()

    def _told(
        self, number: int, read: Mapping[str, Reading], twice: Sequence[tuple[str, int]]
    ) -> Broken:
        named = first_few([f"{name} {count} times" for name, count in twice])
        return Broken(
            counterexample=Counterexample(
                round=number,
                summary=f"round {number}: {self._expression} lists {named}",
                values={
                    "round": number,
                    "expression": self._expression.source,
                    "repeated": [{"value": name, "times": count} for name, count in twice],
                    "readings": [told_of(reading) for reading in read.values()],
                },
            ),
            unknown=0,
            distance=sum(count - 1 for _, count in twice),
        )

    def finding(
        self, judgements: Sequence[RoundJudgement], *, enough: int | None = None
    ) -> InvariantFinding:
        return finding_over_rounds(self._plan, judgements, enough=enough)


def _no_probe(expression: Expression) -> Lack | None:
    if expression.names:
        return None
    detail = "it reads no probe, so its list is always the same"
    return Lack(short="no probe", detail=detail, withheld=True)


def _listed(expression: Expression, values: Mapping[str, Any]) -> list[Any]:
    """The values of the list but for the NULLs, of which SQL lets a unique column hold many.

    A null in the place of the list is one without values, as some languages write it.

    Raises:
        EvaluationProblem: the expression has no value, or one that is no list.
    """
    found = evaluate(expression, values)
    if found is None:
        return []
    if not isinstance(found, list | tuple):
        raise EvaluationProblem(f"it is {show(found)}, and a list is needed")
    return [value for value in found if value is not None]


def _too_few(values: int) -> str:
    if values > 1:
        return ""
    return f"it lists {'one value' if values else 'no value'}, and two are needed to be alike"


def _nothing_added(new: "Counter[Hashable]") -> str:
    return "" if new else "it lists no value that was not listed before the first request"


def one_of(value: Any, depth: int = 0) -> Hashable:
    """The same for two values that are equal in expressions: numbers by what they are worth, and no
    text is a number.

    Raises:
        EvaluationProblem: a value that expressions do not know, or one nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise EvaluationProblem("the values are nested too deeply to compare")
    value = intake(value)
    match value:
        case list() | tuple():
            return "list", tuple(one_of(item, depth + 1) for item in value)
        case Mapping():
            return "map", frozenset((key, one_of(item, depth + 1)) for key, item in value.items())
        case _:
            return type_name(value), value
