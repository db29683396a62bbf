"""One round's evidence, put together from calls and readings, for judges to look at."""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.judge.evidence import Call, Lack, Reading, RoundEvidence
from harness.judge.judgement import RoundJudgement
from harness.model.events import NeverSettled, Purpose, Settled
from harness.model.outcomes import OutcomeWord
from harness.model.plan import InvariantPlan
from harness.model.units import Duration
from tests.support.journals import a_reading, at

EVERY = Duration.of_ms(20)
SETTLED = Settled(round=1, after=Duration.of_ms(200))
LACK = Lack(short="overlap under 2", detail="one at a time")
TAINTED = Lack(short="no reset", detail="the state was not put back", withheld=True)
MOVING = NeverSettled(round=1, probes=("it",), in_flight=0, limit=Duration.of_s(10))

# Requests of a test are in flight from here to there, unless it says otherwise; in milliseconds.
SENT, RETURNED = 100, 200


def an_invariant(kind: str, expression: str, probe: str = "it", **params: Any) -> InvariantPlan:
    """The plan of an invariant over one probe."""
    sampled = kind in ("always", "monotonic", "bounded")
    return InvariantPlan(
        name="promise",
        kind=kind,
        expression=expression,
        probes=(probe,),
        every=EVERY if sampled else None,
        params=params,
    )


def a_call(
    op: int,
    outcome: OutcomeWord | None = "acknowledged",
    *,
    key: str | None = None,
    operation: str = "pay",
    span: tuple[float, float | None] = (SENT, RETURNED),
) -> Call:
    """A call whose rid is ``r1``, ``r2``, …; one without an end never returned."""
    sent, last = span
    return Call(
        op=op,
        operation=operation,
        burst="b",
        sent=at(sent),
        first=None if last is None or outcome == "unknown" else at(last),
        last=None if last is None else at(last),
        outcome=outcome if last is not None else None,
        rid=f"r{op}",
        key=key,
    )


def read(
    value: Any,
    asked: float,
    answered: float,
    *,
    purpose: Purpose = "always",
    probe: str = "it",
    exact: bool = False,
) -> Reading:
    """One reading, from so many milliseconds to so many."""
    event = a_reading(
        value,
        purpose=purpose,
        round=1,
        asked=at(asked),
        answered=at(answered),
        probe=probe,
        exact=exact,
    )
    return Reading.of(event)


def in_turn(values: Iterable[Any]) -> tuple[Reading, ...]:
    """Readings one after the other, all while requests are in flight."""
    return tuple(read(value, SENT + 2 * i, SENT + 2 * i + 1) for i, value in enumerate(values))


def at_the_end(value: Any, *, before: Any = None, probe: str = "it") -> tuple[Reading, ...]:
    """What was read after the reset, and once the round had settled."""
    return (
        read(before, 10, 11, purpose="reset", probe=probe),
        read(value, 300, 301, purpose="at-end", probe=probe),
    )


def holds(judgement: RoundJudgement) -> bool:
    """It counts, and nothing is wrong in it; a broken round counts, too."""
    return judgement.counts and judgement.broken is None


_OF_TWO = (a_call(1), a_call(2))


def evidence(
    readings: Iterable[Reading],
    calls: Iterable[Call] = _OF_TWO,
    **changes: Any,
) -> RoundEvidence:
    """A round that finished, settled and lacks nothing, but for what ``changes`` says."""
    known: Mapping[str, Any] = {
        "round": 1,
        "finished": True,
        "calls": tuple(calls),
        "readings": tuple(readings),
        "settled": SETTLED,
        "never_settled": None,
        "lacks": (),
        "tainted": None,
        "overlaps": {"b": 2},
        "hop_overlaps": {},
        "spreads": {},
    }
    return RoundEvidence(**{**known, **changes})
