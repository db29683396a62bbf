"""Every order in which a few calls may have settled, tried one by one: the replay's bounds, by brute force."""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product

from hypothesis import strategies as st

from harness.judge.breaker.known import Joined
from harness.judge.breaker.settlements import FAIL, GOOD, NONE, Settlement
from harness.model.breaker_history import Call

Course = list[tuple[int, int]]
"""(instant, FAIL or GOOD or NONE), in the order of settling."""


def settlement(lo: int, hi: int, mask: int, *, rid: str = "r", sent: int = 0) -> Settlement:
    call = Call(rid=rid, phase="outage", due=sent, sent=sent)
    return Settlement(lo, hi, mask, Joined(call=call, cls="forwarded-failed"))


@st.composite
def few(draw: st.DrawFn, masks: Sequence[int], most: int = 5) -> list[Settlement]:
    """Up to ``most`` settlements within short, overlapping intervals, by their lower ends."""
    spans = draw(
        st.lists(
            st.tuples(st.integers(0, 8), st.integers(0, 2), st.sampled_from(masks)),
            min_size=1,
            max_size=most,
        )
    )
    made = [
        settlement(lo, lo + width, mask, rid=f"r{index}", sent=lo)
        for index, (lo, width, mask) in enumerate(sorted(spans))
    ]
    return sorted(made, key=lambda one: one.lo)


def courses(settled: Sequence[Settlement]) -> Iterator[Course]:
    """All courses: each call at each instant of its interval, each way it may count, ties in any order."""
    instants = [range(one.lo, one.hi + 1) for one in settled]
    kinds = [[kind for kind in (FAIL, GOOD, NONE) if one.mask & kind] for one in settled]
    for counted in product(*kinds):
        for times in product(*instants):
            events = list(zip(times, counted, strict=True))
            yield from _ties(events)


def first_and_last(
    settled: Sequence[Settlement], trip: Callable[[Course], int | None]
) -> tuple[int | None, int | None]:
    """The earliest trip of any course, and the latest; the latter None if some course never trips."""
    found = [trip(course) for course in courses(settled)]
    trips = [one for one in found if one is not None]
    return min(trips, default=None), None if len(trips) < len(found) else max(trips)


def _ties(events: Course) -> Iterator[Course]:
    """Those at one instant in either order: failures first, failures last, and as drawn."""
    seen = set()
    same = {instant: [one for one in events if one[0] == instant] for instant, _ in events}
    ordered = [set(permutations(same[instant])) for instant in sorted(same)]
    for chosen in product(*ordered):
        course = [one for group in chosen for one in group]
        key = tuple(course)
        if key not in seen:
            seen.add(key)
            yield course
