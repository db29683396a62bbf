"""What is known of a breaker's life, for the invariants to ask: joined once, folded once, read 26 times.

``know.py`` makes it. Every decision of a breaker lies in an interval (contract §1.3); all times are
nanoseconds since the run's start, and an interval's upper end of None means that it is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from harness.model.breaker_history import BreakerHistory, Call, FaultSpan, Phase

SECOND = 1_000_000_000
MS = 1_000_000

Class = Literal[
    "forwarded-ok",
    "forwarded-slow",
    "forwarded-failed",
    "forwarded-ignored",
    "timed-out-forwarded",
    "left-forwarded",
    "short-circuited",
    "unknown",
]
Flag = Literal[
    "masked",
    "fallback-after-failure",
    "undeclared-rejection",
    "maybe-bulkhead",
    "cancelled",  # the caller left and the hop saw the call abandoned
    "transport-retried",
]


class Interval(Struct, frozen=True, gc=False):
    """Somewhere from ``lo`` to ``hi``, both included; ``hi`` None: no upper end is known."""

    lo: int
    hi: int | None


class Joined(Struct, frozen=True, kw_only=True, gc=False):
    """One call with what it was (two axes: ``cls`` and its flags) and when the breaker decided on it."""

    call: Call
    cls: Class
    flags: frozenset[Flag] = frozenset()
    admitted: Interval | None = None
    """When it was let through or rejected; None for an unknown one."""
    settled: Interval | None = None
    """When the breaker learned how it ended; None for what was not forwarded or has no end."""
    outcome: Literal["failure", "success", "nothing"] | None = None
    """How it counts for the breaker, as declared or by default; None when that is not known.

    So it is of an answer that came in time to the hop, and perhaps not to the service.
    """
    attempts: int = 0
    """Arrivals but for transport retries: deliberate ones and the first."""
    transport_retries: int = 0

    @property
    def forwarded(self) -> bool:
        return bool(self.call.arrivals)

    @property
    def failing(self) -> bool:
        """Forwarded, and failed or never ended; not one of which it is unclear whether it was too slow."""
        return self.forwarded and (
            self.outcome == "failure" or (self.outcome is None and self.cls != "forwarded-ok")
        )

    @property
    def rejected(self) -> bool:
        """Certainly short-circuited by an open state: ``maybe-bulkhead`` is no evidence of one."""
        return self.cls == "short-circuited" and "maybe-bulkhead" not in self.flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How well a phase was driven. ``late_p99`` in nanoseconds behind due."""

    planned: int | None
    sent: int
    on_time: int
    """Sent within half a gap of their due time."""
    planned_per_s: float | None
    sent_per_s: float
    late_p99: int
    capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """One phase as it was run, with its calls in the order of ``sent``.

    ``lack`` is why nothing in this phase may be called held (too little load, fault not seen, start
    not reached, harness late); a certain violation in it counts all the same, but for a ``lack`` that
    says ids could not be joined, which empties ``calls`` of classes instead.
    """

    phase: Phase
    calls: Sequence[Joined]
    load: Load
    slack: int
    """δ in nanoseconds."""
    timing: str = ""
    """Why timing invariants say nothing here: the harness itself was late; empty if they may."""
    lack: str = ""
    faults: Sequence[FaultSpan] = ()
    latency: int = 0
    """L: the largest latency of a failing call measured at the hop in this phase."""
    strays: int = 0

    @property
    def number(self) -> int:
        return self.phase.number

    @property
    def rate(self) -> float:
        """λ as measured, a second."""
        return self.load.sent_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One life of the circuit of ``key`` (and instance): trip, open state, half-open, and how that ended.

    ``tau``: the trip is certainly within it; ``hi`` is the instant by which every order of settlings
    has reached the threshold. ``cycle`` 0 is the trip out of closed, each reopening counts one more,
    with the open time then in force. ``open`` is O, where it was open for certain; None where that
    is empty or nothing shows it. ``half_open`` begins when a trial may.
    ``until``: the moment up to which this life was watched (the next trip, closing, or the phase's end).
    """

    key: str
    instance: str | None
    phase: str
    tau: Interval
    threshold: int
    """So many failures had settled."""
    because: Sequence[Joined]
    """The failures that made it trip, in order of settling."""
    cycle: int
    duration: int | None
    """D of this cycle in nanoseconds, declared or inferred; None where not known."""
    first_rejection: Joined | None
    """None: nothing was rejected. One that a bulkhead may have made stands here only where the replay
    expects the open state and nothing was let through after it; its ``rejected`` is False then."""
    open: Interval | None
    half_open: Interval | None
    trials: Sequence[Joined]
    """Calls first forwarded after ``tau.hi`` + D − δ and before the half-open state ended, as admitted."""
    ended: Literal["closed", "reopened", "unknown"]
    closed: Interval | None
    """When it closed again: the settling of the last trial that was needed."""
    until: int
    explained: bool = True
    """False: it opened although no order of what had settled reaches the threshold; ``tau`` is then what
    the first rejection shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value to judge by. ``source``: ``declared trials.permits=1``, ``inferred from 3 trips``, ``default``."""

    value: int | float | str | None
    source: str
    declared: bool = False

    @property
    def known(self) -> bool:
        return self.value is not None

    @property
    def number(self) -> float:
        """The value as a number; only where ``known``."""
        assert isinstance(self.value, int | float), self.source
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The declaration with what was inferred in the place of what is missing. Durations in nanoseconds.

    ``threshold``: K, or T̂. ``share``: θ from 0 to 1, unknown value for count thresholds. ``permits``
    may be unknown: then invariants judge by their own bound and say so.
    """

    threshold: Value
    share: Value
    minimum: Value
    window: Value
    """Calls for ``count-window``, nanoseconds for ``time-window``."""
    open: Value
    factor: Value
    jitter: Value
    permits: Value
    to_close: Value
    to_reopen: Value
    lost_after: Value
    call_timeout: Value
    """``value`` None with ``declared`` true: it is declared that there is none."""
    slow: Value
    slow_share: Value
    within: Value
    """How fast a rejection must be."""
    attempts: Value
    bulkhead: Value
    instances: Value
    reaction: Value
    inferred: Mapping[str, dict[str, object]] = field(default_factory=dict)
    """As ``breaker.inferred`` shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything an invariant may ask.

    ``barred`` is why no invariant may say more than inconclusive, of the whole run: baseline calls
    that could not be joined or never reached the downstream; empty if nothing bars them.
    """

    history: BreakerHistory
    terms: Terms
    phases: Sequence[PhaseView]
    calls: Sequence[Joined]
    """All of the run, in the order of ``sent``."""
    outages: Sequence[Outage]
    """All lives of all circuits, by ``tau.lo``."""
    baseline_latency: int | None = None
    """L₀: median service time of good calls in the baseline, as callers see it."""
    baseline_own: int | None = None
    """The same without the hop's share: what the service itself takes."""
    baseline_strays_per_s: float = 0.0
    barred: str = ""
    by_id: Mapping[str, PhaseView] = field(default_factory=dict)
    unexplained: Sequence[Joined] = ()
    """Rejected while the circuit was certainly closed: even the order most inclined to trip had not
    reached the threshold when they were answered. In the order of ``sent``; none of ``maybe-bulkhead``."""

    def phases_of(self, *numbers: int) -> list[PhaseView]:
        """The phases of these numbers that were run, in order."""
        return [view for view in self.phases if view.phase.number in numbers]

    def lost(self, lo: int, hi: int) -> bool:
        """Whether any of the hop's log of this stretch was lost."""
        return any(since <= hi and until >= lo for since, until in self.history.gaps)

    def outages_in(self, *numbers: int) -> list[Outage]:
        """The lives whose trip lies in one of these phases."""
        return [o for o in self.outages if self.by_id[o.phase].phase.number in numbers]
