"""A call let through before the open time was over: a leak of an open state, or a trial that came too early.

Both break a promise (BRK-04, BRK-06), and on the wire a call that failed may have been either: then both
say so. One that succeeded tells by what followed: a trial closes the circuit, a leak leaves it open.
"""

from collections.abc import Sequence

from harness.judge.breaker.known import Joined, Known, Outage
from harness.judge.breaker.stretches import arrived, sent_within


def was_trial(
    known: Known, outage: Outage, calls: Sequence[Joined], early: Joined, until: int
) -> bool:
    """For certain: it succeeded, nobody else was let through meanwhile, and then all calls were.

    ``until``: when the open state was to end. A straggler's success that settled just before it in the
    open state is the likelier cause: then it is none.
    """
    after = _after(early, calls, until)
    if not after or any(not one.forwarded for one in after):
        return False
    permits = known.terms.permits
    allowed = int(permits.number) if permits.known else 1
    assert early.settled is not None
    beside = sent_within(calls, early.call.sent, early.settled.lo)
    if sum(one.forwarded for one in beside) > allowed:
        return False
    return straggler_before(outage, calls, early) is None


def was_leak(calls: Sequence[Joined], early: Joined, until: int) -> bool:
    """For certain: it succeeded, and the next call after it was rejected all the same."""
    after = _after(early, calls, until)
    return bool(after) and after[0].rejected


def _after(early: Joined, calls: Sequence[Joined], until: int) -> Sequence[Joined]:
    """What was sent after its success was known, in the rest of the open time."""
    if early.outcome != "success" or early.settled is None or early.settled.hi is None:
        return ()
    return sent_within(calls, early.settled.hi + 1, until)


def straggler_before(outage: Outage, calls: Sequence[Joined], early: Joined) -> Joined | None:
    """The last call that was admitted before the trip, and succeeded in the open state before this one.

    The cause that the wire shows: to some breakers any success closes the circuit.
    """
    assert outage.tau.hi is not None
    found = None
    # Two calls of a circuit that overlap in time are at most as far apart as the calls before the trip.
    for one in sent_within(calls, 0, outage.tau.hi):
        if one.outcome == "success" and one.settled is not None and one.forwarded:
            in_open_state = outage.tau.lo < one.settled.lo <= arrived(early)
            if in_open_state and (found is None or _ended(one) >= _ended(found)):
                found = one
    return found


def _ended(one: Joined) -> int:
    return 0 if one.settled is None else one.settled.lo
