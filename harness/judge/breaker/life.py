"""The numbers of the picture of a breaker's life: little enough for a page, plain enough for JSON.

In buckets of equal width, at most 240: outcomes in front by class, arrivals behind, the most in flight
on either side, resident memory. Beside them the states as inferred, and the phases with their faults.
Whoever draws it, in a terminal or as SVG, needs nothing else. Times in seconds since the run's start.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from harness.judge.breaker.finding import seconds
from harness.judge.breaker.known import MS, Known
from harness.judge.breaker.trends import InFlight
from harness.model.breaker_history import BreakerHistory

MOST_BUCKETS = 240


def life(known: Known, timeline: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """``timeline``: as ``evidence.timeline_of`` makes it. An empty map where there was no call.

    ``buckets`` of ``width`` seconds begin at ``start``; each series has one number for each. Calls count
    where they were sent. ``front`` holds a series for each class that occurs. ``rss`` is in bytes, the
    most in the bucket of all processes together; null where nothing was sampled.
    """
    if not known.calls:
        return {}
    begin, end = _run(known)
    width = _width(end - begin)
    count = (end - begin) // width + 1
    grid = _Grid(begin, width, count)
    history = known.history
    front = InFlight.of((joined.call.sent, joined.call.ended) for joined in known.calls)
    arrivals = [arrival for call in history.calls for arrival in call.arrivals]
    arrivals += history.strays
    back = InFlight.of((arrival.arrived, arrival.ended) for arrival in arrivals)
    return {
        "start": seconds(begin),
        "width": seconds(width),
        "buckets": count,
        "front": _classes(known, grid),
        "arrivals": grid.counts(arrival.arrived for arrival in arrivals),
        "in_flight": {"front": grid.peaks(front), "behind": grid.peaks(back)},
        "rss": _rss(history, grid),
        "states": [_state(span) for span in timeline],
        "phases": [_phase(known, index) for index in range(len(known.phases))],
    }


class _Grid:
    def __init__(self, begin: int, width: int, count: int) -> None:
        self.begin, self.width, self.count = begin, width, count

    def bucket(self, instant: int) -> int:
        return min(max((instant - self.begin) // self.width, 0), self.count - 1)

    def counts(self, instants: Iterable[int]) -> list[int]:
        counts = [0] * self.count
        for instant in instants:
            counts[self.bucket(instant)] += 1
        return counts

    def peaks(self, under_way: InFlight) -> list[int]:
        """The most at one moment in each bucket."""
        starts = range(self.begin, self.begin + self.count * self.width, self.width)
        return [under_way.peak(start, start + self.width - 1)[0] for start in starts]


def _run(known: Known) -> tuple[int, int]:
    begins = [known.calls[0].call.sent, *(view.phase.entered for view in known.phases)]
    ends = [joined.call.ended or joined.call.sent for joined in known.calls]
    ends += [view.phase.left for view in known.phases if view.phase.left is not None]
    return min(begins), max(ends)


def _width(span: int) -> int:
    """A whole number of milliseconds, so that at most 240 of them cover the run."""
    return max(MS, -(-(span + 1) // MOST_BUCKETS // MS) * MS)


def _classes(known: Known, grid: _Grid) -> dict[str, list[int]]:
    series: dict[str, list[int]] = {}
    for joined in known.calls:
        counts = series.get(joined.cls)
        if counts is None:
            counts = series[joined.cls] = [0] * grid.count
        counts[grid.bucket(joined.call.sent)] += 1
    return {name: series[name] for name in sorted(series)}


def _rss(history: BreakerHistory, grid: _Grid) -> list[int | None]:
    seen: list[dict[int, int]] = [{} for _ in range(grid.count)]
    for sample in history.samples:
        if sample.rss is not None:
            processes = seen[grid.bucket(sample.at)]
            processes[sample.pid] = max(processes.get(sample.pid, 0), sample.rss)
    return [sum(processes.values()) if processes else None for processes in seen]


def _state(span: dict[str, Any]) -> dict[str, Any]:
    names = ("key", "instance", "state", "from", "to")
    return {name: span[name] for name in names if name in span}


def _phase(known: Known, index: int) -> dict[str, Any]:
    view = known.phases[index]
    phase = view.phase
    return {
        "id": phase.id,
        "number": phase.number,
        "name": phase.name,
        "from": seconds(phase.entered),
        "to": None if phase.left is None else seconds(phase.left),
        "faults": [
            {
                "kind": span.kind,
                "from": seconds(span.applied[0]),
                "to": None if span.undone is None else seconds(span.undone[1]),
            }
            for span in view.faults
        ],
    }
