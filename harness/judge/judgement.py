"""What one invariant says of one round, and the words that several rounds make together.

Shared by all kinds of invariants; what a kind looks at in a round is in ``invariants/``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from harness.expressions.values import is_number
from harness.judge.evidence import Lack, RoundEvidence
from harness.model.plan import InvariantPlan
from harness.model.units import Duration
from harness.model.verdicts import Counterexample, InvariantFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A violation. The most telling has the fewest unknown outcomes, then the largest distance."""

    counterexample: Counterexample
    unknown: int
    distance: Any = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundJudgement:
    """``lack`` is why the round says nothing for this invariant, or does not count as holding."""

    round: int
    finished: bool
    broken: Broken | None = None
    error: str | None = None
    lack: Lack | None = None
    readings: int = 0
    readings_in_flight: int = 0
    readings_broken: int = 0

    @property
    def counts(self) -> bool:
        return self.finished and self.lack is None and self.error is None


class Invariant(Protocol):
    """A kind of invariant, made for one plan. ``judge`` is called once for each round."""

    kind: str
    summary: str
    Params: type
    """With an attribute ``every`` its probes are sampled; without, they are read once it has settled."""
    word: ClassVar[Literal["expression", "operation"]]
    """What stands behind the kind's word. The probe that an operation's kind reads is its ``keys``."""

    def __init__(self, plan: InvariantPlan) -> None: ...

    def judge(self, evidence: RoundEvidence) -> RoundJudgement: ...

    def finding(
        self, judgements: Sequence[RoundJudgement], *, enough: int | None = None
    ) -> InvariantFinding:
        """The finding over all rounds; so many broken ones were ``enough`` to stop, if any were."""


def nothing_of(evidence: RoundEvidence, lack: Lack) -> RoundJudgement:
    """The round says nothing for this invariant."""
    return RoundJudgement(round=evidence.round, finished=evidence.finished, lack=lack)


def apart(one: Any, other: Any) -> Any:
    """How far two values are from each other, as ``distance`` wants it; 0 where that says nothing."""
    if isinstance(one, Duration) and isinstance(other, Duration):
        return abs(one.ns - other.ns)
    return abs(one - other) if is_number(one) and is_number(other) else 0


def most_telling(broken: Iterable[Broken]) -> Broken:
    """The one to show; of equals the first."""
    return min(broken, key=lambda each: (each.unknown, -each.distance))


def plural(number: int, word: str) -> str:
    """``round`` for one, ``rounds`` for any other number."""
    return word if number == 1 else f"{word}s"


def number_of(number: int, word: str) -> str:
    """``1 round``, ``20 rounds``."""
    return f"{number} {plural(number, word)}"


def rounds_named(rounds: Sequence[int]) -> str:
    """``round 3``, ``rounds 3, 5 and 7``, ``rounds 1–20``."""
    if len(rounds) == 1:
        return f"round {rounds[0]}"
    if len(rounds) > 2 and list(rounds) == list(range(rounds[0], rounds[-1] + 1)):
        return f"rounds {rounds[0]}–{rounds[-1]}"
    if len(rounds) > 6:
        return f"{len(rounds)} rounds, first round {rounds[0]}"
    return f"rounds {', '.join(map(str, rounds[:-1]))} and {rounds[-1]}"


def lacks_in_words(lacks: Iterable[tuple[int, Lack]]) -> tuple[str, ...]:
    """One sentence for each reason, with the rounds it concerns and the first one's detail."""
    by_reason: dict[str, list[tuple[int, Lack]]] = {}
    for number, lack in lacks:
        by_reason.setdefault(lack.short, []).append((number, lack))
    return tuple(
        f"{rounds_named([number for number, _ in each])}: {each[0][1].detail}"
        for each in by_reason.values()
    )


def do_not_count(judgements: Sequence[RoundJudgement]) -> str:
    """``3 do not: overlap under 2``; empty if all count."""
    lacks = [judgement.lack for judgement in judgements if judgement.lack is not None]
    if not lacks:
        return ""
    reasons = ", ".join(dict.fromkeys(lack.short for lack in lacks))
    return f"{len(lacks)} {'does' if len(lacks) == 1 else 'do'} not: {reasons}"
