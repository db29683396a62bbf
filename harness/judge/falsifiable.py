"""Could it have failed? Whether other outcomes of the same requests would have broken an invariant.

A round in which every outcome fits, because so many are unknown or because the expression is always
true, shows nothing. The readings stay as they were, and so does the number of unknown outcomes: only
how the others ended is imagined differently.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from harness.expressions.evaluate import (
    Count,
    EvaluationProblem,
    TooManyAssignments,
    assignments,
    number_of_assignments,
    truth,
)
from harness.expressions.parse import Expression

MAX_TRIALS = 200_000


def could_break(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> bool:
    """True if some other split into acknowledged and rejected would have broken the expression.

    False also when that cannot be shown, for want of time or of a value: then the round does not count.
    """
    known: dict[tuple[Count, ...], bool] = {}
    trials = 0
    for split in _splits(expression, counts):
        try:
            trials += number_of_assignments(expression, split)
        except TooManyAssignments:
            return False
        if trials > MAX_TRIALS:
            return False
        if not any(
            _fits(expression, values, each, known) for each in assignments(expression, split)
        ):
            return True
    return False


def other_readings_could_break(expression: Expression, values: Mapping[str, Any]) -> bool:
    """True if some other value of one probe would have broken an expression that counts nothing.

    ``value == value`` and ``stock >= 0 or stock < 0`` hold whatever is read, and so show nothing. Tried
    are a little more and less, much more and less, nothing, another text, the other truth.
    """
    for name in expression.names:
        for other in _other_values(values.get(name)):
            try:
                if not truth(expression, {**values, name: other}, {}):
                    return True
            except EvaluationProblem:
                continue
    return False


def _other_values(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | Decimal | Fraction):
        for step in (1, -1, 1_000_000_007, -1_000_000_007):
            yield value + step
        yield 0
    elif isinstance(value, str):
        yield from (f"{value}?", "")
    elif isinstance(value, list):
        yield from ([], [*value, None], value[:-1])
    elif isinstance(value, dict):
        yield {}
        for key, inner in value.items():
            for other in _other_values(inner):
                yield {**value, key: other}
    yield None


def hidden_by_unknowns(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> bool:
    """True if the unknown outcomes hide an error that would show if all outcomes were known.

    Asked of an expression that some assignment fits: what is the least number of operations of one
    name that need have ended otherwise to break it, with the unknown ones resolved so that it fits,
    and is as small a change seen with them unknown? Nine unknown among thirty let a count that is
    wrong by up to nine pass, and a race is often wrong by less. True also when it takes too long.
    """
    if not any(count.unknown for count in counts.values()):
        return False
    clear: int | None = None
    try:
        for way in assignments(expression, counts):
            if truth(expression, values, way):
                nearest = _nearest(expression, values, _resolved(way, counts), clear)
                clear = nearest if nearest is not None else clear
    except (EvaluationProblem, TooManyAssignments):
        return True
    return clear is None or _nearest(expression, values, counts, clear + 1) is None


def _resolved(way: Mapping[str, Count], counts: Mapping[str, Count]) -> Mapping[str, Count]:
    return {
        name: Count(
            acknowledged=way[name].acknowledged,
            rejected=count.sent - way[name].acknowledged,
            unknown=0,
        )
        for name, count in counts.items()
    }


def _nearest(
    expression: Expression,
    values: Mapping[str, Any],
    counts: Mapping[str, Count],
    below: int | None,
) -> int | None:
    """The least shift of one operation's outcomes, under ``below``, that breaks the expression."""
    furthest = max(count.acknowledged + count.rejected for count in counts.values())
    for shift in range(1, furthest + 1 if below is None else min(furthest + 1, below)):
        for name, count in counts.items():
            for acknowledged in (count.acknowledged - shift, count.acknowledged + shift):
                rejected = count.acknowledged + count.rejected - acknowledged
                if acknowledged < 0 or rejected < 0:
                    continue
                moved = Count(acknowledged=acknowledged, rejected=rejected, unknown=count.unknown)
                if not _any_fits(expression, values, {**counts, name: moved}):
                    return shift
    return None


def _any_fits(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> bool:
    number_of_assignments(expression, counts)
    return any(_fits(expression, values, way, {}) for way in assignments(expression, counts))


def _fits(
    expression: Expression,
    values: Mapping[str, Any],
    counts: Mapping[str, Count],
    known: dict[tuple[Count, ...], bool],
) -> bool:
    key = tuple(counts.values())
    if key not in known:
        try:
            known[key] = truth(expression, values, counts)
        except EvaluationProblem:
            # No value is not a violation: this outcome would not have shown one.
            known[key] = True
    return known[key]


def _splits(expression: Expression, counts: Mapping[str, Count]) -> Iterator[Mapping[str, Count]]:
    ways = [list(_others(expression, name, counts[name])) for name in expression.counted]
    for chosen in product(*ways):
        yield dict(zip(expression.counted, chosen, strict=True))


def _others(expression: Expression, operation: str, count: Count) -> Iterator[Count]:
    """The extremes first: they break most invariants at once."""
    if not any(expression.counts(each, operation) for each in ("acknowledged", "rejected")):
        # Only unknown(operation) is counted, so how many are unknown is the outcome itself.
        for unknown in _from_both_ends(count.sent):
            yield Count(acknowledged=count.sent - unknown, rejected=0, unknown=unknown)
        return
    decided = count.acknowledged + count.rejected
    for acknowledged in _from_both_ends(decided):
        yield Count(
            acknowledged=acknowledged,
            rejected=decided - acknowledged,
            unknown=count.unknown,
            rejecting=count.rejecting,
        )


def _from_both_ends(last: int) -> Iterator[int]:
    for i in range(last // 2 + 1):
        yield i
        if i != last - i:
            yield last - i
