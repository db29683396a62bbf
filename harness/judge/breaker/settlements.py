"""What the breaker learned and when, as the reference replay takes it in: an interval and what it may count as.

Order is unknown where intervals overlap, and where nothing is declared a call may count in more than
one way; the replay tries the kindest and the strictest reading of both.
"""

from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from harness.judge.breaker.classify import longest_wait
from harness.judge.breaker.known import Joined
from harness.judge.breaker.outcome import Outcomes
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import Arrival

FAIL, GOOD, NONE = 1, 2, 4
NEVER = 2**62
"""The upper end of what has none."""

_MASKS = {"failure": FAIL, "success": GOOD, "nothing": NONE}
_CUT = ("cut", "downstream-cut")


class Settlement(Struct, frozen=True, gc=False):
    """Settled within ``lo`` to ``hi``; ``mask`` is the ways it may count: FAIL, GOOD, NONE."""

    lo: int
    hi: int
    mask: int
    joined: Joined

    @property
    def may_fail(self) -> bool:
        return bool(self.mask & FAIL)


def settlements(calls: Iterable[Joined], plan: BreakerPlan, slack: int) -> list[Settlement]:
    """By their lower ends. With retries around the breaker each attempt is a call of it."""
    attempts = plan.retries is not None and plan.retries.around == "breaker"
    outcomes = Outcomes(plan) if attempts else None
    found = []
    for joined in calls:
        if outcomes is not None and len(joined.call.arrivals) > 1:
            found += _attempts(joined, outcomes)
        if joined.settled is not None:
            found.append(_of(joined))
        elif joined.cls == "unknown" and not joined.forwarded:
            found.append(_unseen(joined, slack))
    return sorted(found, key=_lower)


def slow_ones(calls: Iterable[Joined], plan: BreakerPlan) -> list[Settlement]:
    """The same for a share of slow calls of its own: slow ones fail, all others are good."""
    over = plan.slow.over.ns if plan.slow is not None else NEVER
    found = [
        Settlement(
            joined.settled.lo,
            NEVER if joined.settled.hi is None else joined.settled.hi,
            _slow_mask(joined, over),
            joined,
        )
        for joined in calls
        if joined.settled is not None
    ]
    return sorted(found, key=_lower)


def mask_of(joined: Joined) -> int:
    """Undeclared, a departure may be a failure or nothing, an ignored answer nothing or a success.

    A good answer at the limit of slowness may be either.
    """
    if joined.outcome is not None:
        return _MASKS[joined.outcome]
    if joined.cls == "forwarded-ok":
        return FAIL | GOOD
    return FAIL | NONE if joined.cls == "left-forwarded" else GOOD | NONE


def _slow_mask(joined: Joined, over: int) -> int:
    if joined.cls == "forwarded-slow" or _lasted(joined) > over:
        return FAIL
    return FAIL | GOOD if longest_wait(joined.call) > over else GOOD


def _of(joined: Joined) -> Settlement:
    assert joined.settled is not None
    hi = joined.settled.hi
    return Settlement(joined.settled.lo, NEVER if hi is None else hi, mask_of(joined), joined)


def _unseen(joined: Joined, slack: int) -> Settlement:
    """No arrival and no rejection: it may have failed on the way, or its arrival be lost with a good answer."""
    call = joined.call
    mask = FAIL | GOOD | NONE if call.end == "answered" else FAIL | NONE
    return Settlement(call.sent, NEVER if call.ended is None else call.ended + slack, mask, joined)


def _attempts(joined: Joined, outcomes: Outcomes) -> list[Settlement]:
    """All attempts but the last, which settles as the call does."""
    arrivals = joined.call.arrivals
    found = []
    for before, after in pairwise(arrivals):
        lo = before.arrived if before.ended is None else before.ended
        mask = _MASKS.get(_worth(before, outcomes), GOOD | NONE)
        found.append(Settlement(min(lo, after.arrived), after.arrived, mask, joined))
    return found


def _worth(arrival: Arrival, outcomes: Outcomes) -> str:
    if arrival.end in ("abandoned", "open"):
        return outcomes.of(None, timed_out=True)
    return outcomes.of(arrival.status, cut=arrival.end in _CUT)


def _lasted(joined: Joined) -> int:
    arrivals = joined.call.arrivals
    ended = arrivals[-1].ended
    return 0 if ended is None else ended - arrivals[0].arrived


def _lower(settlement: Settlement) -> int:
    return settlement.lo
