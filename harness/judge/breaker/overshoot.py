"""How many failing calls go through before a breaker opens, and how many may: BRK-03's and BRK-19's bound.

The failures that it takes, and the calls that were under way meanwhile, counted from the log (contract §3,
BRK-03). Shares are diluted by the good calls in their window and, where the denominator counts what was
admitted, by what is in flight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from harness.judge.breaker.known import SECOND, Joined, Known, Outage, PhaseView
from harness.judge.breaker.stretches import Circuits, arrived, said, sent_within

# Rates are measured: 20.0000001 calls in flight are 20.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """``failures`` that it takes, in all instances, and calls ``in_flight`` meanwhile."""

    failures: int
    in_flight: int
    name: str = ""
    """The denominator it goes by; empty for a count."""

    @property
    def value(self) -> int:
        return self.failures + self.in_flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Overshoot:
    """One trip: the failing calls that were forwarded before it showed, and the bounds for them."""

    outage: Outage
    view: PhaseView
    forwarded: Sequence[Joined]
    bounds: Sequence[Bound]
    """One, or one for each denominator that may be meant."""

    @property
    def bound(self) -> Bound:
        return max(self.bounds, key=lambda bound: bound.value)

    @property
    def fitting(self) -> Bound:
        """The tightest that holds; the widest if none does."""
        holding = [bound for bound in self.bounds if len(self.forwarded) <= bound.value]
        return min(holding, key=lambda bound: bound.value, default=self.bound)

    @property
    def broken(self) -> bool:
        return len(self.forwarded) > self.bound.value

    @property
    def late(self) -> Sequence[Joined]:
        """Those sent after the trip was certain: what a breaker that had opened would have refused."""
        assert self.outage.tau.hi is not None
        since = self.outage.tau.hi + self.view.slack
        return [joined for joined in self.forwarded if joined.call.sent > since]

    @property
    def words(self) -> str:
        """``5 + 20 in flight (λ 100/s × 0.20 s)``"""
        bound = self.fitting
        return (
            f"{bound.failures} + {bound.in_flight} in flight"
            f" (λ {self.view.rate:.0f}/s × {said(self.view.latency)})"
        )


def overshoot(
    known: Known, circuits: Circuits, outage: Outage, *, since: int, until: int | None
) -> Overshoot | None:
    """Of the trip ``outage`` under a fault that was on in [since, until); None if it is not certain."""
    if outage.tau.hi is None:
        return None
    view = known.by_id[outage.phase]
    stop = _before_trials(known, outage, view, shown(outage, until))
    sent = sent_within(circuits.calls(outage), since - view.latency - view.slack, stop)
    forwarded = [one for one in sent if one.failing and arrived(one) >= since]
    return Overshoot(
        outage=outage,
        view=view,
        forwarded=forwarded,
        bounds=_bounds(known, circuits, outage, view, forwarded),
    )


def _before_trials(known: Known, outage: Outage, view: PhaseView, stop: int | None) -> int | None:
    """What is let through once it may try again is no overshoot, even if nothing was refused before."""
    if stop is None or outage.duration is None or outage.first_rejection is None:
        return stop
    jitter = known.terms.jitter.number if known.terms.jitter.known else 0.0
    trial = outage.tau.lo + round(outage.duration * (1 - jitter)) - view.slack
    return min(stop, trial)


def shown(outage: Outage, until: int | None) -> int | None:
    """When the open state showed: its first short-circuit was answered. ``until`` if there was none."""
    if outage.first_rejection is None:
        return until
    call = outage.first_rejection.call
    return call.sent if call.ended is None else call.ended


def load_in_flight(view: PhaseView) -> float:
    """λ·L of a phase, as measured."""
    return view.rate * view.latency / SECOND


def most_in_flight(view: PhaseView) -> int:
    """Λ = ⌈λL⌉ + 1, by the rate that was planned where silences made that of the whole phase a lower one."""
    rate = max(view.rate, view.phase.rate or 0)
    return ceil(rate * view.latency / SECOND - _ROUNDING) + 1


def instances(known: Known) -> int:
    value = known.terms.instances
    return int(value.number) if value.known else 1


def threshold_declared(known: Known) -> bool:
    return known.terms.threshold.declared or known.terms.share.declared


def rule_known(known: Known) -> bool:
    """Whether it opens by a row of failures or by a share of calls: good calls dilute only the one."""
    return threshold_declared(known) or known.history.declared.kind in ("consecutive", "eject")


def _bounds(
    known: Known,
    circuits: Circuits,
    outage: Outage,
    view: PhaseView,
    forwarded: Sequence[Joined],
) -> list[Bound]:
    """What settled before the trip is the replay's own count: it did not make a sound one open sooner."""
    terms, many = known.terms, instances(known)
    assert outage.tau.hi is not None
    settled = sum(one.settled is not None and one.settled.lo <= outage.tau.lo for one in forwarded)
    if terms.share.known and known.history.declared.denominator is None:
        diluted = many * _diluted(known, circuits, outage, view)
        return [
            _after_failures(forwarded, max(1, settled), view.slack, "settled"),
            _after_failures(forwarded, diluted, view.slack, "admitted"),
        ]
    in_flight = _in_flight(forwarded, outage.tau.lo, outage.tau.hi + view.slack)
    if terms.share.known:
        name = known.history.declared.denominator or ""
        return [
            Bound(failures=max(many * outage.threshold, settled), in_flight=in_flight, name=name)
        ]
    count = int(terms.threshold.number) if terms.threshold.known else outage.threshold
    if not terms.threshold.declared:
        # Nothing is replayed then, and the trip is only what the first rejection shows.
        return [_after_failures(forwarded, many * undeclared_bound(count, view), view.slack, "")]
    return [Bound(failures=max(many * count, settled), in_flight=in_flight)]


def _after_failures(forwarded: Sequence[Joined], failures: int, slack: int, name: str) -> Bound:
    """The bound if it opens when so many have settled; the trip lies where the last of them does."""
    ends = [one.settled for one in forwarded if one.settled is not None]
    if len(ends) < failures:
        return Bound(failures=failures, in_flight=0, name=name)
    earliest = sorted(end.lo for end in ends)[failures - 1]
    known_ends = sorted(end.hi for end in ends if end.hi is not None)
    latest = known_ends[min(failures, len(known_ends)) - 1] if known_ends else earliest
    return Bound(
        failures=failures, in_flight=_in_flight(forwarded, earliest, latest + slack), name=name
    )


def undeclared_bound(found: int, view: PhaseView) -> int:
    """max(2·T̂, T̂ + Λ): what an unknown rule may take, a share that what is in flight dilutes included."""
    return max(2 * found, found + most_in_flight(view))


def _in_flight(forwarded: Sequence[Joined], earliest: int, latest: int) -> int:
    """Sent before the trip was certain, and not settled at its earliest instant."""
    return sum(
        one.call.sent <= latest and (one.settled is None or one.settled.lo > earliest)
        for one in forwarded
    )


def _diluted(known: Known, circuits: Circuits, outage: Outage, view: PhaseView) -> int:
    """f* = max(⌈θM⌉, ⌊θ(Λ + good ones in the window)/(1 − θ)⌋ + 1)."""
    share, minimum = known.terms.share.number, known.terms.minimum
    fewest = ceil(share * minimum.number - _ROUNDING) if minimum.known else 1
    if share >= 1:
        return max(fewest, outage.threshold)
    others = most_in_flight(view) + _good_before(known, circuits, outage)
    return max(fewest, floor(share * others / (1 - share) + _ROUNDING) + 1)


def _good_before(known: Known, circuits: Circuits, outage: Outage) -> int:
    """Good calls that still count when it trips: those of the window, since the circuit last closed."""
    window, declared = known.terms.window, known.history.declared
    since = max(
        (
            other.closed.lo
            for other in known.outages
            if other.key == outage.key and other.closed and other.closed.lo < outage.tau.lo
        ),
        default=0,
    )
    timed = declared.window is not None and declared.window.time is not None
    if timed and window.known:
        since = max(since, outage.tau.lo - round(window.number))
    good = sum(
        one.outcome == "success" and one.settled is not None and one.settled.lo <= outage.tau.lo
        for one in sent_within(circuits.calls(outage), since, outage.tau.lo)
    )
    return good if timed or not window.known else min(good, round(window.number))
