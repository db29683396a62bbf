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
        for other in other_values(values.get(name)):
            try:
                if not truth(expression, {**values, name: other}, {}):
                    return True
            except EvaluationProblem:
                continue
    return False


def other_values(value: Any) -> Iterator[Any]:
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
            for other in other_values(inner):
                yield {**value, key: other}
    yield None


def hidden_by_unknowns(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> bool:
    """True if the unknown outcomes may hide an error that would show if all outcomes were known.

    Asked of an expression that some assignment fits. It must fit whichever way they went: ten that were
    acknowledged, one unknown that took effect and one effect lost look like ten that are right. And of
    each operation, both upwards and downwards, the least number that need have ended otherwise to break
    it with the unknown ones resolved must break it with them unknown, too. Also true when it takes too
    long to tell.
    """
    if not any(count.unknown for count in counts.values()):
        return False
    try:
        number_of_assignments(expression, counts)
        ways = list(assignments(expression, counts))
        if not all(truth(expression, values, way) for way in ways):
            return True
    except EvaluationProblem:
        return True
    resolved = [_resolved(expression, way, counts) for way in ways]
    trials = 0
    for name, direction in product(counts, (1, -1)):
        for size in range(1, counts[name].sent + 1):
            moved = [each for way in resolved if (each := _moved(way, name, direction * size))]
            trials += len(moved) + len(ways)
            if trials > MAX_TRIALS:
                return True
            if not all(_fits(expression, values, each, {}) for each in moved):
                seen = _moved(counts, name, direction * size)
                if seen is None or _any_fits(expression, values, seen):
                    return True
                break
    return False


def _resolved(
    expression: Expression, way: Mapping[str, Count], counts: Mapping[str, Count]
) -> Mapping[str, Count]:
    return {
        name: Count(
            acknowledged=way[name].acknowledged,
            rejected=way[name].rejected
            if expression.counts_rejected(name)
            else count.sent - way[name].acknowledged,
            unknown=0,
        )
        for name, count in counts.items()
    }


def _moved(counts: Mapping[str, Count], name: str, by: int) -> Mapping[str, Count] | None:
    """The counts with ``by`` more of ``name`` acknowledged that were rejected; None if it had not as many."""
    count = counts[name]
    acknowledged, rejected = count.acknowledged + by, count.rejected - by
    if acknowledged < 0 or rejected < 0:
        return None
    moved = Count(acknowledged=acknowledged, rejected=rejected, unknown=count.unknown)
    return {**counts, name: moved}


def _any_fits(
    expression: Expression, values: Mapping[str, Any], counts: Mapping[str, Count]
) -> bool:
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
