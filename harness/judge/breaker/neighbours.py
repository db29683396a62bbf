"""What stands beside a breaker and shows in the same evidence: retries, time-outs, connection pools.

None of these is a numbered invariant and none changes a verdict. Each is a plain map with ``name``,
``verdict`` (seen, not seen, not looked at), ``text`` and its numbers; times in seconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.judge.breaker.finding import seconds
from harness.judge.breaker.known import MS, SECOND, Joined, Known, PhaseView
from harness.judge.breaker.trends import STEP, arrivals_of, behind, load_of, pending

AT_ONCE = 10 * MS
"""Retries within so long of each other came in lock-step."""
LONG_ENOUGH = SECOND
"""A queue must have stood for so long: less is a burst being worked off."""
PLATEAU = 0.9
QUEUED = 5


def neighbours(known: Known) -> tuple[dict[str, Any], ...]:
    """All three, in the order in which a report shows them."""
    return (
        retry_amplification(known),
        order_of_timeouts(known),
        exhausted_pool(known),
    )


def retry_amplification(known: Known) -> dict[str, Any]:
    """Arrivals for each call that met a fault: meant ones, and those the client library repeats."""
    name = "retry amplification"
    views = [view for view in known.phases if view.phase.fault is not None]
    failing = [joined for view in views for joined in view.calls if _met_a_fault(joined)]
    if known.barred or not failing:
        return _not_looked_at(name, known.barred or "no call met a fault")
    deliberate = sum(joined.attempts for joined in failing) / len(failing)
    transport = sum(joined.transport_retries for joined in failing) / len(failing)
    numbers = {
        "calls": len(failing),
        "attempts_per_call": round(deliberate, 3),
        "transport_retries_per_call": round(transport, 3),
        "by_phase": {view.phase.id: ratios for view in views if (ratios := _ratios(view))},
        "burst_factor": _burst_factor(failing),
    }
    said = []
    if deliberate > 1:
        said.append(
            f"{deliberate:.2f} arrivals for each of {len(failing)} calls that met a fault: something"
            " tries again"
        )
        if (factor := numbers["burst_factor"]) is not None:
            said.append(f"retries came {factor:g} times as dense as evenly spread ones")
    if transport:
        said.append(
            f"{transport:.2f} more for each are the client library's own repeats of cut requests"
        )
    text = "; ".join(said) or f"{len(failing)} calls met a fault, none of them was tried again"
    return _found(name, deliberate > 1 or transport > 0, text, numbers)


def _met_a_fault(joined: Joined) -> bool:
    return joined.forwarded and (joined.cls != "forwarded-ok" or len(joined.call.arrivals) > 1)


def _ratios(view: PhaseView) -> dict[str, float]:
    calls = [joined for joined in view.calls if _met_a_fault(joined)]
    if not calls:
        return {}
    return {
        "attempts": round(sum(joined.attempts for joined in calls) / len(calls), 3),
        "transport": round(sum(joined.transport_retries for joined in calls) / len(calls), 3),
    }


def _burst_factor(calls: Sequence[Joined]) -> float | None:
    """The most retries within 10 ms, over as many as an even spread would put there.

    Retries without jitter come together when what they retry failed together. None for too few.
    """
    again = sorted(
        arrival.arrived
        for joined in calls
        if joined.attempts > 1
        for arrival in joined.call.arrivals[1:]
    )
    if len(again) < 10:
        return None
    first = most = 0
    for index, instant in enumerate(again):
        while instant - again[first] > AT_ONCE:
            first += 1
        most = max(most, index + 1 - first)
    even = len(again) * AT_ONCE / max(AT_ONCE, again[-1] - again[0])
    return round(most / max(1.0, even), 1)


def order_of_timeouts(known: Known) -> dict[str, Any]:
    """Calls that their caller gave up by its own deadline while the service went on waiting."""
    name = "order of time-outs"
    waiting = [view for view in known.phases if _keeps_waiting(view)]
    if known.barred or not waiting:
        return _not_looked_at(name, known.barred or "no phase kept calls waiting")
    given_up, went_on = [], []
    for view in waiting:
        for joined in view.calls:
            if joined.call.end == "deadline" and joined.forwarded:
                given_up.append(joined)
                if _longer(joined) > view.slack:
                    went_on.append(joined)
    numbers: dict[str, Any] = {
        "calls": sum(len(view.calls) for view in waiting),
        "given_up_by_callers": len(given_up),
        "hop_went_on": len(went_on),
    }
    if not went_on:
        return _found(name, False, "no caller gave up before the service did", numbers)
    ended = [_longer(joined) for joined in went_on if joined.call.arrivals[-1].ended is not None]
    numbers["caller_waited"] = seconds(min(_waited(joined) for joined in went_on))
    numbers["hop_longer_at_most"] = seconds(max(ended)) if ended else None
    text = (
        f"{len(went_on)} callers gave up after {numbers['caller_waited']:.2f} s while the service"
        " still waited for the downstream"
        + (f", for up to {numbers['hop_longer_at_most']:.2f} s more" if ended else "")
        + ": its time-out is longer than its callers'"
    )
    return _found(name, True, text, numbers)


def _keeps_waiting(view: PhaseView) -> bool:
    return view.number == 12 or view.phase.fault in ("blackhole", "latency", "trickle")


def _waited(joined: Joined) -> int:
    return (joined.call.ended or joined.call.sent) - joined.call.sent


def _longer(joined: Joined) -> int:
    """How much longer the hop went on; one that never ended went on for ever."""
    last, ended = joined.call.arrivals[-1], joined.call.ended
    if ended is None:
        return 0
    return 1 << 62 if last.ended is None else last.ended - ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A stretch in which calls waited in front while no more of them were passed on."""

    phase: str
    behind: int
    front: int
    since: int
    lasted: int


def exhausted_pool(known: Known) -> dict[str, Any]:
    """Front in flight high while back in flight stays at a plateau: a queue between breaker and wire."""
    name = "exhausted connection pool"
    views = [
        view for view in known.phases if view.calls and (view.phase.rate or view.phase.callers)
    ]
    if known.barred or not views:
        return _not_looked_at(name, known.barred or "no phase was driven at a rate or in a burst")
    queues = [queue for view in views if (queue := _queue(known, view)) is not None]
    numbers: dict[str, Any] = {"phases": len(views)}
    if not queues:
        return _found(
            name, False, "nowhere did calls wait in front while the hop was at a plateau", numbers
        )
    worst = max(queues, key=lambda queue: queue.front - queue.behind)
    numbers |= {
        "phase": worst.phase,
        "behind": worst.behind,
        "front": worst.front,
        "since": seconds(worst.since),
        "seconds": seconds(worst.lasted),
        "in": [queue.phase for queue in queues],
    }
    text = (
        f"in {worst.phase} up to {worst.front} calls waited in front while never more than"
        f" {worst.behind} were passed on, for {worst.lasted / SECOND:.1f} s: a queue between breaker"
        " and wire, such as a connection pool or a lock"
    )
    return _found(name, True, text, numbers)


def _queue(known: Known, view: PhaseView) -> Queue | None:
    """The longest stretch at the plateau with more than a handful, and half as many again, waiting."""
    since, until = load_of(view)
    patience = view.slack + (round(known.terms.within.number) if known.terms.within.known else 0)
    front = pending(view.calls, patience).samples(since, until)
    back = behind(arrivals_of(view.calls), view.slack).samples(since, until)
    plateau = max(back, default=0)
    if plateau < 1:
        return None
    stands = [
        b >= PLATEAU * plateau and f - b > max(QUEUED, plateau / 2)
        for f, b in zip(front, back, strict=True)
    ]
    start, length = _longest(stands)
    if length * STEP < LONG_ENOUGH:
        return None
    return Queue(
        phase=view.phase.id,
        behind=plateau,
        front=max(front[start : start + length]),
        since=since + start * STEP,
        lasted=length * STEP,
    )


def _longest(stands: Iterable[bool]) -> tuple[int, int]:
    """Where the longest row of true begins, and its length."""
    best = (0, 0)
    row = 0
    for index, stand in enumerate(stands):
        row = row + 1 if stand else 0
        if row > best[1]:
            best = (index + 1 - row, row)
    return best


def _found(name: str, seen: bool, text: str, numbers: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "verdict": "seen" if seen else "not seen", "text": text, **numbers}


def _not_looked_at(name: str, why: str) -> dict[str, Any]:
    return {"name": name, "verdict": "not looked at", "text": why}
