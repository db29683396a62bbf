"""Several arrivals of one id: which the client library repeated by itself, and which were meant.

A transport retry is exactly one repeat of an idempotent request, less than 50 ms after an attempt that
was cut before any byte of a response. HTTP clients do that silently, below any breaker (contract §1.4).
"""

from collections.abc import Sequence
from itertools import pairwise

from harness.judge.breaker.known import MS
from harness.model.breaker_history import Arrival

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
AT_ONCE = 50 * MS
_CUT = ("cut", "downstream-cut")


def transport_retries(arrivals: Sequence[Arrival]) -> int:
    """How many of the arrivals are transport retries; the others are attempts.

    Two in quick succession are one attempt and its repeat; three or more are tries of somebody who
    does not wait between them.
    """
    if len(arrivals) < 2:
        return 0
    found, row = 0, 1
    for before, after in pairwise(arrivals):
        if _repeats(before, after):
            row += 1
            continue
        found += row == 2
        row = 1
    return found + (row == 2)


def _repeats(before: Arrival, after: Arrival) -> bool:
    return (
        before.end in _CUT
        and not before.began
        and before.ended is not None
        and after.method in IDEMPOTENT
        and 0 <= after.arrived - before.ended < AT_ONCE
    )
