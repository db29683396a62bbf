"""How many things went on at the same time, at most. Intervals in, one number out."""

from collections.abc import Iterable, Mapping

from harness.judge.evidence import Call
from harness.model.units import Instant


def peak(intervals: Iterable[tuple[Instant, Instant]]) -> int:
    """The largest number of intervals that share a moment.

    One that ends at the moment at which another begins does not overlap with it: what is only
    possible is not shown.
    """
    steps: list[tuple[Instant, int]] = []
    for start, end in intervals:
        if start < end:
            steps += [(start, 1), (end, -1)]
    # At one moment ends come before starts, since -1 sorts before 1.
    now = most = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def front_overlaps(calls: Iterable[Call]) -> Mapping[str, int]:
    """The peak for each burst, from the last byte sent to the first byte of the answer.

    Without an answer the interval ends with the operation; one that never returned shows no overlap.
    """
    intervals: dict[str, list[tuple[Instant, Instant]]] = {}
    for call in calls:
        end = call.first or call.last or call.sent
        intervals.setdefault(call.burst, []).append((call.sent, end))
    return {burst: peak(each) for burst, each in intervals.items()}
