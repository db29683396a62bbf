"""BRK-15: slow calls count. A downstream that answers late opens the breaker as failures would.

Known is a call time-out T, a limit for slow calls, or both. A call that lasts past T counts from T
on; one that is merely slow counts when it ends. From the call that reaches the threshold on this is
BRK-01: of the 20 next calls or more one is short-circuited. Beside it stands the peak of what was in
flight, which is all that shows where calls take so long that none ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.invariants import brk21_pending_bounded
from harness.judge.breaker.known import SECOND, Joined, Known, PhaseView
from harness.judge.breaker.opening import LONGEST, MOST_FAILURES
from harness.judge.breaker.overshoot import rule_known
from harness.judge.breaker.pending_bound import (
    Bound,
    failures_needed,
    instances,
    pending_bound,
    service_time,
)
from harness.judge.breaker.trends import arrivals_of, behind, load_of, sent_between
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Tolerance

SUBJECT = Subject(
    id="BRK-15",
    name="slow calls count",
    severity="critical",
    condition=(
        "after as many calls over the limit as failures would open it, calls are short-circuited;"
        " in flight <= instances * threshold + ceil(rate * min(call_timeout, latency)) + 1"
    ),
    phases=(5, 12),
)

SLOW_FAULTS = ("latency", "blackhole", "trickle")
ENOUGH_CALLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowed:
    """One phase with a downstream that is slow. Instants and spans in nanoseconds."""

    view: PhaseView
    limit: int
    """The shortest limit that is known."""
    needed: int
    """So many open it for certain: to accuse by."""
    found: int | None
    """How many it takes as declared or inferred; None where only the most that may be needed is known."""
    over: Sequence[Joined]
    """Calls over the limit, by the instant at which the breaker must have known."""
    since: int | None
    """From here on it must be open; None: too few were over the limit."""
    after: Sequence[Joined]
    """The calls in the stretch in which one must be short-circuited."""
    first_rejection: Joined | None
    bound: Bound | None
    peak: int
    peak_at: int

    @property
    def opened(self) -> bool:
        """Something was short-circuited once slow calls had come."""
        first = self.first_rejection
        return bool(self.over) and first is not None and first.call.sent >= self.over[0].call.sent

    @property
    def least(self) -> int:
        """Calls over the limit that ``held`` needs: where it opened, no more than it takes as found."""
        return (self.found or 1) if self.opened else self.needed

    @property
    def passed(self) -> bool:
        """Certainly stayed closed: enough calls came after the threshold, and all were forwarded."""
        return len(self.after) >= ENOUGH_CALLS and all(joined.forwarded for joined in self.after)

    @property
    def piled_up(self) -> bool:
        return self.bound is not None and self.peak > self.bound.certain


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    views = [view for view in known.phases_of(5, 12) if _is_slow(view)]
    if not views:
        return draft.not_applicable(
            "no phase was run with a slow downstream: 12 (slow), or 5 (outage) with"
            f" {', '.join(SLOW_FAULTS)}"
        )
    if not known.terms.call_timeout.known and not known.terms.slow.known:
        return _cannot_see(draft, known, views)
    if known.barred:
        return draft.inconclusive(known.barred)
    slowed = [one for view in views if (one := _slowed(known, view)) is not None]
    if not slowed:
        return draft.inconclusive("no phase was slow in a way that the declared limit could see")
    draft.rounds = len(slowed)
    draft.samples.extend(_sample(one) for one in slowed)
    for one in slowed:
        if one.passed or one.piled_up:
            return _violated(draft, one)
    return _held(known, draft, _telling(draft, known, slowed))


def _is_slow(view: PhaseView) -> bool:
    return view.number == 12 or view.phase.fault in SLOW_FAULTS


def _cannot_see(draft: Draft, known: Known, views: Sequence[PhaseView]) -> BreakerFinding:
    piled = max(behind(arrivals_of(view.calls), view.slack).peak()[0] for view in views)
    pending = brk21_pending_bounded.judge(known)
    draft.notes.append(f"BRK-21 {pending.verdict}: {pending.summary}")
    return draft.not_applicable(
        "neither call_timeout nor slow is declared, and nothing was given up: the breaker cannot see"
        f" slowness; {piled} requests piled up"
    )


def _telling(draft: Draft, known: Known, slowed: Sequence[Slowed]) -> Sequence[Slowed]:
    """Those that can show it: beside a time-out only answers before it tell whether slow ones count."""
    timeout, slow = known.terms.call_timeout, known.terms.slow
    if not (timeout.known and slow.known) or slow.number >= timeout.number:
        return slowed
    between = [one for one in slowed if slow.number < one.view.phase.latency < timeout.number]
    if not between:
        draft.notes.append(
            "no phase answered between slow.over and the call time-out: that merely slow calls count"
            " was not tried, only time-outs"
        )
    return between or slowed


def _slowed(known: Known, view: PhaseView) -> Slowed | None:
    timeout, slow = known.terms.call_timeout, known.terms.slow
    ends = service_time(view) is not None
    limits = [round(value.number) for value in (timeout, slow) if value.known]
    if not timeout.known and not ends:
        # A slow call counts when it ends; those that never end open nothing.
        return None
    over, resets = _over(known, view)
    needed = found = instances(known) * _needed(known, view)
    certain = rule_known(known) or known.terms.slow_share.known
    if not certain:
        # A share of seconds that good calls fill takes its time: any breaker is to have opened by then.
        needed = max(needed, MOST_FAILURES)
    reached = _reached([instant for instant, _ in over], resets, needed)
    if reached is not None and not certain:
        reached = max(reached, over[0][0] + LONGEST)
    since = None if reached is None else reached + view.slack
    stretch = max(SECOND, ceil(ENOUGH_CALLS * SECOND / view.rate)) if view.rate else SECOND
    after = () if since is None else sent_between(view, since, since + stretch)
    until = load_of(view)[1] if since is None else since + stretch
    peak, peak_at = behind(arrivals_of(view.calls), view.slack).peak()
    return Slowed(
        view=view,
        limit=min(limits),
        needed=needed,
        found=found if known.terms.threshold.known or known.terms.share.known else None,
        over=[joined for _, joined in over],
        since=since,
        after=after,
        first_rejection=_first_rejection(view, until),
        bound=pending_bound(known, view),
        peak=peak,
        peak_at=peak_at,
    )


def _over(known: Known, view: PhaseView) -> tuple[list[tuple[int, Joined]], list[int]]:
    """Calls over the limit by the instant that counts, and when others may have reset a count in a row."""
    over: list[tuple[int, Joined]] = []
    resets: list[int] = []
    in_a_row = not known.terms.share.known
    for joined in view.calls:
        instant = _known_over(known, view, joined)
        if instant is not None:
            over.append((instant, joined))
        elif in_a_row and joined.outcome == "success" and joined.settled is not None:
            resets += [joined.settled.lo, joined.settled.hi or joined.settled.lo]
    over.sort(key=lambda pair: pair[0])
    return over, resets


def _reached(over: Sequence[int], resets: Sequence[int], needed: int) -> int | None:
    """When ``needed`` of them had come, none of the resets between; None: never."""
    count = 0
    for instant, counts in sorted([*((at, True) for at in over), *((at, False) for at in resets)]):
        count = count + 1 if counts else 0
        if count >= needed:
            return instant
    return None


def _known_over(known: Known, view: PhaseView, joined: Joined) -> int | None:
    """The instant by which the breaker must have counted this call as over its limit; None: it was not."""
    if not joined.forwarded:
        return None
    first, last = joined.call.arrivals[0], joined.call.arrivals[-1]
    instants = []
    if joined.cls == "timed-out-forwarded" and joined.settled and joined.settled.hi is not None:
        instants.append(joined.settled.hi)
    timeout, slow = known.terms.call_timeout, known.terms.slow
    if timeout.known and timeout.declared:
        given_up = first.arrived + round(timeout.number) + view.slack
        if last.ended is None or last.ended > given_up:
            instants.append(given_up)
    answered = last.ended if last.end == "answered" else None
    # At the hop only the downstream's share is seen: what the breaker measured was longer.
    if slow.known and answered is not None and answered - first.arrived > round(slow.number):
        ended = answered if joined.call.ended is None else joined.call.ended
        instants.append(ended + view.slack)
    return min(instants, default=None)


def _needed(known: Known, view: PhaseView) -> int:
    """Failures that open it; by the share of slow calls where that alone counts and is declared."""
    needed = failures_needed(known, view)
    share = known.terms.slow_share
    if not share.known:
        return needed
    by_share = failures_needed(known, view, share.number)
    return max(needed, by_share) if known.terms.call_timeout.known else by_share


def _first_rejection(view: PhaseView, until: int) -> Joined | None:
    since = load_of(view)[0]
    return next(
        (joined for joined in view.calls if joined.rejected and since <= joined.call.sent <= until),
        None,
    )


def _violated(draft: Draft, one: Slowed) -> BreakerFinding:
    _measure(draft, one)
    took = service_time(one.view)
    rejected = "none was short-circuited" if one.passed else _opened(one)
    text = (
        f"{len(one.over)} calls took"
        f" {'for ever' if took is None else f'{took / SECOND:.1f} s'} each (limit"
        f" {one.limit / SECOND:.2g} s, opens after {one.needed}); {rejected};"
        f" {one.peak} were in flight at once"
    )
    if one.piled_up and one.bound is not None:
        text += f", bound {one.bound.source} = {one.bound.value}"
    deciding = list(one.over[: one.needed]) if one.passed else []
    around = (
        one.after if one.passed else [j for j in one.view.calls if _was_under_way(j, one.peak_at)]
    )
    since = one.peak_at if one.since is None else one.since
    return draft.violated(
        text,
        counterexample(
            text,
            [*around[:1], *deciding],
            around=around,
            interval=(since, around[-1].call.sent if around else since),
            expected=f"a short-circuit among the calls after {seconds(since):.2f} s",
            got=f"{sum(j.forwarded for j in one.after)} of {len(one.after)} forwarded",
        ),
    )


def _was_under_way(joined: Joined, at: int) -> bool:
    return any(
        arrival.arrived <= at and (arrival.ended is None or arrival.ended > at)
        for arrival in joined.call.arrivals
    )


def _opened(one: Slowed) -> str:
    first = one.first_rejection
    if first is None:
        return f"{len(one.after)} calls came after the threshold"
    return f"{first.call.rid} was the first to be short-circuited"


def _held(known: Known, draft: Draft, slowed: Sequence[Slowed]) -> BreakerFinding:
    """By the phase that lacks least."""
    drafts = [(_needs(known, one), one) for one in slowed]
    own, best = min(drafts, key=lambda pair: (len(pair[0].missing), -pair[1].view.number))
    draft.needs.extend(own.needs)
    draft.lacks.extend(own.lacks)
    _measure(draft, best)
    first = best.first_rejection
    many = f"at most {len(best.over)}" if best.found is None else best.found
    text = (
        f"opened after {many} calls over {best.limit / SECOND:.2g} s;"
        f" {best.peak} were in flight at most"
    )
    if first is not None:
        text += f"; {first.call.rid} was the first to be short-circuited"
    return draft.held_or_inconclusive(
        text, power=f"{ENOUGH_CALLS} calls forwarded after the threshold would have shown"
    )


def _needs(known: Known, one: Slowed) -> Draft:
    own, view = Draft(subject=SUBJECT), one.view
    took = service_time(view)
    if took is not None:
        own.need(
            f"latency / limit in {view.phase.id}",
            round(max(took, view.phase.latency) / one.limit, 2),
            at_least=2,
        )
    # Of a share the count is an upper bound; where it opened by fewer of them, they were enough.
    share = known.terms.share.known and one.first_rejection is not None
    least = 1 if share else one.least
    own.need(f"calls over the limit in {view.phase.id}", len(one.over), at_least=least)
    if one.first_rejection is None:
        own.need("calls after the threshold", len(one.after), at_least=ENOUGH_CALLS)
        if len(one.after) >= ENOUGH_CALLS:
            own.lacks.append("no call after the threshold was certainly short-circuited")
    own.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
    return own


def _measure(draft: Draft, one: Slowed) -> None:
    draft.limit = Limit(value=one.least, source=f"calls over {one.limit / SECOND:.2g} s")
    draft.observed = Observed(value=len(one.over), unit="calls over the limit", per="phase")
    if one.bound is not None and one.bound.clumps:
        clumps = one.bound.clumps
        draft.tolerance = Tolerance(
            value=clumps,
            parts=({"name": "clumps", "value": clumps, "why": "sent closer than the rate"},),
        )


def _sample(one: Slowed) -> dict[str, object]:
    return {
        "phase": one.view.phase.id,
        "limit": seconds(one.limit),
        "over": len(one.over),
        "needed": one.needed,
        "must_be_open_from": None if one.since is None else seconds(one.since),
        "calls_after": len(one.after),
        "forwarded_after": sum(joined.forwarded for joined in one.after),
        "first_rejection": None if one.first_rejection is None else one.first_rejection.call.rid,
        "peak": one.peak,
        "bound": None if one.bound is None else one.bound.certain,
    }
