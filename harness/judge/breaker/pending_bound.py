"""How much work may be pending: the failures it takes to open, and what is in flight meanwhile.

The bound of contract §3, BRK-15 and BRK-21: n·K + ⌈λ·min(T, L)⌉ + 1, or the bulkhead if that is less.
For shares K is the smallest number of failures that can reach them (BRK-03).
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from harness.judge.breaker.known import SECOND, Joined, Known, PhaseView, Value
from harness.judge.breaker.trends import load_of, most_sent_within

UNDECLARED_THRESHOLD = 200
"""Failures after which a breaker of unknown threshold must have opened (contract §2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """``clumps``: so many more calls than λ says were really sent in the worst stretch of that length."""

    value: int
    clumps: int
    source: str

    @property
    def certain(self) -> int:
        return self.value + self.clumps


def instances(known: Known) -> int:
    value = known.terms.instances
    return int(value.number) if value.known else 1


def service_time(view: PhaseView) -> int | None:
    """L: the longest answer of the downstream in the phase; None where some never came.

    What the service abandoned counts as never answered, unless the fault was only to make it late.
    """
    longest = view.phase.latency
    endless = view.phase.fault == "blackhole"
    for joined in view.calls:
        for arrival in joined.call.arrivals:
            if arrival.end == "answered" and arrival.ended is not None:
                longest = max(longest, arrival.ended - arrival.arrived)
            else:
                endless = endless or arrival.end in ("abandoned", "open")
    if endless and not view.phase.latency:
        return None
    return longest


def pending_bound(known: Known, view: PhaseView) -> Bound | None:
    """None where neither a call time-out nor a bulkhead is known: λL is then Little's law, no fault.

    A call that its service tries again lasts as many call time-outs as it may try.
    """
    limited = _admitted_at_once(known)
    stay = longest_stay(known, view)
    in_flight_kind = known.history.declared.kind == "in-flight"
    if in_flight_kind or stay is None or not known.terms.call_timeout.known:
        return limited
    needed = instances(known) * failures_needed(known, view)
    in_flight = ceil(view.rate * stay / SECOND - 1e-9)
    sent = [joined.call.sent for joined in view.calls]
    clumps = max(0, most_sent_within(sent, stay + view.slack) - in_flight - 1)
    bound = Bound(
        value=needed + in_flight + 1,
        clumps=clumps,
        source=f"{needed} + {view.rate:.0f}·{stay / SECOND:.2g} + 1",
    )
    return limited if limited is not None and limited.value < bound.certain else bound


def longest_stay(known: Known, view: PhaseView) -> int | None:
    """min(T, L); None where the downstream never answers and nothing gives up."""
    service, timeout = service_time(view), known.terms.call_timeout
    if not timeout.known:
        return service
    patience = round(timeout.number * _tries(known.terms.attempts))
    return patience if service is None else min(patience, service)


def _tries(attempts: Value) -> int:
    return int(attempts.number) if attempts.declared and attempts.known else 1


def _admitted_at_once(known: Known) -> Bound | None:
    terms, kind = known.terms, known.history.declared.kind
    if terms.bulkhead.known:
        return Bound(value=int(terms.bulkhead.number), clumps=0, source=terms.bulkhead.source)
    if kind == "in-flight" and terms.threshold.known:
        value = instances(known) * int(terms.threshold.number)
        return Bound(value=value, clumps=0, source=terms.threshold.source)
    return None


def failures_needed(known: Known, view: PhaseView, share: float | None = None) -> int:
    """K of one instance; for a share the smallest count of failures that may be needed to reach it.

    With θ of m calls and at least M, counted by ``denominator``: good calls that are still in the window
    and, unless only settled ones count, the Λ in flight dilute it. 200 where nothing says.
    """
    terms = known.terms
    if share is None and terms.share.known:
        share = terms.share.number
    if share is None:
        return int(terms.threshold.number) if terms.threshold.known else UNDECLARED_THRESHOLD
    least = max(1, ceil(share * (terms.minimum.number if terms.minimum.known else 1) - 1e-9))
    diluting = _good_in_window(known, view)
    if known.history.declared.denominator != "settled":
        stay = service_time(view) or longest_stay(known, view) or 0
        diluting = max(diluting, ceil(view.rate * stay / SECOND - 1e-9) + 1)
    if not diluting:
        return least
    # With all calls failing a share of 1 needs the others to have left the window.
    reached = diluting + 1 if share >= 1 else floor(share * diluting / (1 - share)) + 1
    return max(least, _at_most_window(known, share, reached))


def _at_most_window(known: Known, share: float, failures: int) -> int:
    window = known.history.declared.window
    if window is None or window.calls is None:
        return failures
    return min(failures, max(1, ceil(share * window.calls)))


def _good_in_window(known: Known, view: PhaseView) -> int:
    """Calls before the load of this phase that still lie in the window and did not fail."""
    window = known.history.declared.window
    if window is None:
        return 0
    begin, _ = load_of(view)
    calls = known.calls
    last = bisect_left(calls, begin, key=lambda joined: joined.call.sent)
    before: Sequence[Joined] = ()
    if window.calls is not None:
        before = calls[max(0, last - window.calls) : last]
    elif window.time is not None:
        since = begin - window.time.ns
        before = calls[bisect_left(calls, since, key=lambda joined: joined.call.sent) : last]
    return sum(joined.outcome != "failure" for joined in before)
