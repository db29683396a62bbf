"""What the fault script is reckoned with: rate, latencies, holds and bounds, from what is declared.

Formulas are those of the contract, §4.2, with what the invariants need beside them (§3): the rate also
puts ten calls into the last fifth of an open state, and the latency of failing calls puts five of them
in flight. Pure; seconds as floats in here, ``Duration`` outside.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from harness.model.breaker import BreakerPlan
from harness.model.breaker_script import Learnt
from harness.model.units import Duration

ASSUMED_OPEN = Duration.of_s(30)
ASSUMED_THRESHOLD = 200
"""Where neither a declaration nor the run has told."""
ASSUMED_SLOW = Duration.of_s(10)
"""What a slow downstream takes where no limit is known."""

LEAST_RATE, MOST_RATE = 20, 200
GAP = 0.010
"""Between two sequential calls."""
START_CALLS = 20
BEYOND = 25
"""Failing calls behind the threshold: enough of them, none rejected, say that it does not open."""
MOST_SEARCH = 30.0
MOST_FAILURES = 10_000

_LEAST_LATENCY = 0.2
# Below a limit by so much that what comes in time is not taken for late.
_WITHIN = 0.8


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """All that phases are made of; the letters are the contract's. In seconds, and calls a second."""

    declared: BreakerPlan
    learnt: Learnt

    # What is declared, found out or assumed

    @cached_property
    def open(self) -> float:
        """D, the first one."""
        declared = self.declared.open
        if declared is not None:
            return declared.first.in_s
        return (self.learnt.open or ASSUMED_OPEN).in_s

    @cached_property
    def jitter(self) -> float:
        return self.declared.open.jitter if self.declared.open is not None else 0.0

    def open_after(self, reopenings: int) -> float:
        """D at most, once it has opened again so often."""
        declared = self.declared.open
        if declared is None:
            return self.open
        longest = self.open * declared.factor ** min(reopenings, 20)
        if declared.at_most is not None:
            longest = min(longest, max(declared.at_most.in_s, self.open))
        return longest * (1 + self.jitter)

    @cached_property
    def threshold(self) -> int:
        """K: so many failures in a row open it, at most."""
        declared = self.declared
        above = 1 if declared.opens == "above" else 0
        if declared.threshold is not None:
            return declared.threshold + above
        if self.learnt.threshold is not None:
            return self.learnt.threshold
        if declared.share is not None:
            return self._of_share(declared.share, above)
        return ASSUMED_THRESHOLD

    def _of_share(self, share: float, above: int) -> int:
        """The failures that reach the share among what the window may hold of good calls."""
        window = self.declared.window
        least = self.declared.minimum or 1
        if window is not None and window.calls is not None:
            return min(max(least, ceil(share * window.calls) + above), MOST_FAILURES)
        good = ceil(share * START_CALLS / (1 - share)) if share < 1 else 0
        return min(max(least, good + above), MOST_FAILURES)

    @cached_property
    def timeout(self) -> float | None:
        """T, None where there is none or none is known."""
        if self.declared.no_call_timeout:
            return None
        found = self.declared.call_timeout or self.learnt.call_timeout
        return None if found is None else found.in_s

    @cached_property
    def slow_over(self) -> float | None:
        return None if self.declared.slow is None else self.declared.slow.over.in_s

    @cached_property
    def instances(self) -> int:
        return self.declared.instances or 1

    @cached_property
    def failures(self) -> int:
        """n·K."""
        return self.instances * self.threshold

    @cached_property
    def window(self) -> float:
        """W as a time; that of a window of calls is what they take at the rate."""
        declared = self.declared.window
        if declared is None:
            return 0.0
        if declared.time is not None:
            return declared.time.in_s
        return (declared.calls or 0) / self.rate

    # Load

    @cached_property
    def wanted_rate(self) -> float:
        """λ before it is kept within its bounds."""
        wanted = [1 / 0.05, 40 / self.open, 55 / self.open]
        declared = self.declared
        if declared.window is not None and declared.window.time is not None:
            wanted.append(3 * (declared.minimum or 0) / declared.window.time.in_s)
        if self.timeout is not None:
            wanted.append(6 / (_WITHIN * self.timeout))
        return max(wanted)

    @cached_property
    def rate(self) -> float:
        """λ, a whole number of calls a second."""
        return float(min(max(ceil(self.wanted_rate), LEAST_RATE), MOST_RATE))

    @cached_property
    def overlapping(self) -> float:
        """L₁: what answers so late overlaps for certain."""
        return max(_LEAST_LATENCY, 4 * self.learnt.spread.in_s, 20 * self.learnt.slack.in_s)

    @cached_property
    def good_latency(self) -> float:
        """L₁ for answers that must be neither late nor slow."""
        limits = [limit * _WITHIN for limit in (self.timeout, self.slow_over) if limit is not None]
        return min(self.overlapping, *limits) if limits else self.overlapping

    @cached_property
    def failing_latency(self) -> float:
        """L₁ for failures: five of them in flight, none of them timed out."""
        latency = max(self.overlapping, 6 / self.rate)
        return latency if self.timeout is None else min(latency, self.timeout * _WITHIN)

    @cached_property
    def late(self) -> float:
        """What is beyond every limit that is known: 2·T, or 2·slow."""
        if self.timeout is not None:
            return max(2 * self.timeout, 2 * (self.slow_over or 0))
        return ASSUMED_SLOW.in_s if self.slow_over is None else 2 * self.slow_over

    @cached_property
    def noticed(self) -> float:
        """When the service knows of a call that is late."""
        return self.late if self.timeout is None else self.timeout

    @cached_property
    def callers(self) -> int:
        """N at once."""
        return max(100, 10 * self.instances * (self.declared.trials.permits or 1))

    # Times

    @cached_property
    def start(self) -> float:
        """Until 20 calls in a row were good and the last one has settled."""
        return START_CALLS / min(self.rate, 50) + self.learnt.latency.in_s + 0.1

    @cached_property
    def sequential(self) -> float:
        """One sequential call and the gap behind it."""
        return GAP + self.learnt.latency.in_s + 0.002

    @cached_property
    def tripping(self) -> float:
        """A trip by sequential calls."""
        return min(MOST_SEARCH, (self.failures + 1) * self.sequential)

    @cached_property
    def closing(self) -> float:
        """From a trip without further failures to the closed state."""
        return self.open_after(0) + self.to_close * self.between

    @cached_property
    def to_close(self) -> int:
        return self.declared.trials.to_close or 1

    @cached_property
    def between(self) -> float:
        """From one trial to the next: max(1/λ, L₀)."""
        return max(1 / self.rate, self.learnt.latency.in_s)

    @cached_property
    def silence(self) -> float:
        """After a trip until a trial is due for certain: D + 0.2·D, at least 0.3 s more than D."""
        return self.open_after(0) + max(0.2 * self.open, 0.3)

    def trip_under_load(self, settles: float) -> float:
        """τ: K calls at λ, the window's good ones outweighed, the last one settled."""
        share = self.declared.share or 0.0
        return self.failures / self.rate + share * self.window + settles

    def hold(self, settles: float) -> float:
        """H = 2.5·D + 2·T + 2 s: two trials, also where D grows from one to the next."""
        twice = 1.5 * self.open_after(0) + self.open_after(1)
        return twice + 2 * max(self.timeout or 0.0, settles) + 2

    def recovery(self, settles: float) -> float:
        """R, after a hold: the open time then in force, a trial under way, the trials that close."""
        reckoned = (
            self.open_after(2)
            + max(self.timeout or 0.0, settles)
            + self.to_close * self.between
            + 1 / self.rate
            + self.learnt.slack.in_s
            + self.declared.reaction.in_s
        )
        declared = self.declared.recovers_within
        return reckoned if declared is None else max(reckoned, declared.in_s)

    @cached_property
    def lost(self) -> float:
        """When a trial without an answer must have given its permit back (BRK-13, BRK-14)."""
        lost_after = self.declared.trials.lost_after
        known = [self.timeout, None if lost_after is None else lost_after.in_s]
        there = [each for each in known if each is not None]
        if not there:
            return max(3 * self.open, 10.0)
        return self.open_after(0) + max(there) + 1 / self.rate + self.learnt.slack.in_s

    # A slow downstream

    @cached_property
    def pending(self) -> float:
        """BRK-21's bound at λ: n·K + ⌈λ·T⌉ + 1, or the bulkhead's; of no use without T."""
        bound = self.failures + ceil(self.rate * (self.timeout or 0.0)) + 1
        return min(bound, self.declared.bulkhead or bound)

    @cached_property
    def pile(self) -> float:
        """A latency so far beyond T that what piles up shows: λ'·L ≥ 4 × the bound."""
        if self.timeout is None:
            return self.late
        return max(2 * (self.slow_over or 0.0), min(8 * self.timeout, max(20.0, 5 * self.timeout)))

    @cached_property
    def wanted_pile_rate(self) -> float:
        """λ' before it is kept within its bounds: from λ'·L ≥ 4·(n·K + λ'·T + 1)."""
        if self.timeout is None:
            return self.rate
        spare = self.pile - 4 * self.timeout
        wanted = 4.4 * (self.failures + 2) / spare
        if self.declared.bulkhead is not None:
            wanted = min(wanted, 4.4 * self.declared.bulkhead / self.pile)
        return max(self.rate, wanted)

    @cached_property
    def pile_rate(self) -> float:
        """λ', at most as much as λ may be."""
        return float(min(ceil(self.wanted_pile_rate), MOST_RATE))
