"""Which life of a circuit a moment belongs to, and which calls went to that circuit then."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView


def life_in(known: Known, view: PhaseView, moment: int, *, key: str = "") -> Outage | None:
    """The life of this circuit that its trip in this phase began, and that was not over by then.

    A circuit without a name is everybody's: no isolation was declared. A trip of another phase says
    nothing of this one, which began with a closed circuit.
    """
    found = None
    for life in known.outages:
        if life.tau.lo > moment:
            break
        if life.phase == view.phase.id and life.key in ("", key):
            found = life
    if found is None or (found.closed is not None and found.closed.lo <= moment):
        return None
    return found


def before(known: Known, life: Outage) -> Outage | None:
    """The life that ended in the failed trial which began this one."""
    found = None
    for other in known.outages:
        if other.tau.lo >= life.tau.lo:
            break
        if (other.key, other.instance) == (life.key, life.instance):
            found = other
    return found if found is not None and found.cycle == life.cycle - 1 else None


def shown_open(known: Known, life: Outage | None) -> bool:
    """A call was short-circuited in this life, or in one that it was reopened from."""
    while life is not None:
        if life.first_rejection is not None:
            return True
        life = before(known, life) if life.cycle else None
    return False


def calls_from(known: Known, life: Outage, since: int) -> Iterator[Joined]:
    """The calls to this life's circuit that were sent after ``since``, in order of sending."""
    start = bisect_right(known.calls, since, key=_sent)
    for index in range(start, len(known.calls)):
        joined = known.calls[index]
        if life.key in ("", joined.call.key):
            yield joined


def view_at(known: Known, moment: int, *numbers: int) -> PhaseView | None:
    """The phase of one of these numbers that was running then."""
    for view in known.phases_of(*numbers):
        left = view.phase.left
        if view.phase.entered <= moment and (left is None or moment <= left):
            return view
    return None


def log_lost(known: Known, since: int, until: int) -> bool:
    """The hop's log has a gap within: what looks as if it never arrived may have."""
    return any(lo <= until and hi >= since for lo, hi in known.history.gaps)


def gap_between_calls(view: PhaseView) -> int:
    """1/λ: as planned, else as measured; 0 where the phase has no rate."""
    rate = view.phase.rate or view.rate
    return round(SECOND / rate) if rate > 0 else 0


def first_arrival(joined: Joined) -> int:
    """When its first attempt was at the hop; only of a forwarded one."""
    return joined.call.arrivals[0].arrived


def ends_early(joined: Joined) -> int | None:
    """The earliest moment at which the breaker could have learned how it ended."""
    return None if joined.settled is None else joined.settled.lo


def index_of(calls: Sequence[Joined], sent: int) -> int:
    """Where the first call stands that was sent at this moment or after."""
    return bisect_left(calls, sent, key=_sent)


def _sent(joined: Joined) -> int:
    return joined.call.sent
