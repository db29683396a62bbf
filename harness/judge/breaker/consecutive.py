"""The replay of so many failures in a row: the earliest instant some order reaches it, and the last one any does.

Settling intervals overlap, so the order is not known. ``earliest`` lets each call settle where that
helps to trip, ``latest`` where it hinders. Both in O(n log n).
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from harness.judge.breaker.settlements import FAIL, GOOD, NEVER, Settlement


def earliest(settled: Sequence[Settlement], failures: int, *, broken: bool = True) -> int | None:
    """The first instant at which ``failures`` in a row are possible; None if they never are.

    ``settled`` by lower ends. A success stands between two instants only if it must have settled
    strictly between them. ``broken`` false: successes interrupt nothing (they may be another instance's).
    """
    good = _by_upper([one for one in settled if one.mask == GOOD]) if broken else []
    since, at = -NEVER, 0
    row: list[int] = []
    for one in settled:
        if not one.mask & FAIL:
            continue
        now = one.lo
        while at < len(good) and good[at].hi < now:
            since = max(since, good[at].lo)
            at += 1
        heappush(row, one.hi)
        while row and row[0] < since:
            heappop(row)
        if len(row) >= failures:
            return now
    return None


def latest(settled: Sequence[Settlement], failures: int) -> tuple[int, list[Settlement]] | None:
    """The instant by which every order has so many in a row, and which they are; None if none must.

    Sound, and exact in a total outage: only rows count that no success can have interrupted.
    """
    good = [one for one in settled if one.mask & GOOD]
    since, at = -NEVER, 0
    row: list[tuple[int, int, Settlement]] = []
    for number, one in enumerate(_by_upper([one for one in settled if one.mask == FAIL])):
        now = one.hi
        if now >= NEVER:
            return None
        while at < len(good) and good[at].lo <= now:
            since = max(since, good[at].hi)
            at += 1
        heappush(row, (one.lo, number, one))
        while row and row[0][0] <= since:
            heappop(row)
        if len(row) >= failures:
            return now, _by_upper([each for _, _, each in row])
    return None


def _by_upper(settled: list[Settlement]) -> list[Settlement]:
    return sorted(settled, key=lambda one: (one.hi, one.lo))
