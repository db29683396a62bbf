"""What a modelled breaker is set to, what may be wrong with it, and the world it stands in. Times in ms."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["consecutive", "count-window", "time-window"]
Outcome = Literal["ok", "failed", "ignored", "left"]

Defect = Literal[
    "never-trips",
    "resets-unknown",
    "trips-early",
    "counts-at-ticks",
    "leaks-every-tenth",
    "slow-rejections",
    "opens-too-short",
    "reopens-too-short",
    "rejections-restart-timer",
    "open-never-ends",
    "no-permits",
    "failed-trial-stays-half-open",
    "good-trial-does-not-close",
    "parks-callers",
    "fails-after-recovery",
    "timed-out-trial-keeps-permit",
    "departed-trial-keeps-permit",
    "slow-not-counted",
    "no-timeout",
    "departure-is-success",
    "departure-is-failure",
    "ignored-is-failure",
    "one-circuit",
    "rejections-dilute",
    "straggler-closes",
    "straggler-restarts-timer",
    "straggler-frees-permit",
    "keeps-timed-out-calls",
    "serialises",
    "three-tries",
    "leaks-memory",
    "errors-when-healthy",
    "opens-by-itself",
    "closes-without-trial",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The breaker's promises, as declared unless ``undeclared``. Times in ms."""

    kind: Kind = "consecutive"
    threshold: int | None = 5
    share: float | None = None
    above: bool = False
    """It opens above the threshold, not at it."""
    window: float | None = None
    """Calls of a count window, ms of a time window."""
    minimum: int | None = None
    admitted: bool = False
    """Calls in flight count in the window's denominator."""
    open: float = 1000
    factor: float = 1.0
    at_most: float | None = None
    jitter: float = 0.0
    permits: int = 1
    permits_in_total: bool = False
    """So many trials in one half-open state, not so many at a time."""
    to_close: int = 1
    to_reopen: int = 1
    lost_after: float | None = None
    timeout: float | None = 400
    slow: float | None = None
    slow_share: float | None = None
    ignored_is_success: bool = False
    departure_is_failure: bool = False
    cancels: bool = True
    """A caller's leaving ends the call behind."""
    per_key: bool = False
    attempts: int = 1
    bulkhead: int | None = None
    fallback: bool = False
    instances: int = 1
    process: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything around the breaker. Times in ms.

    ``way``: one way from caller to service, or from service to hop, at least; ``jitter`` comes on top
    of it, at random, most of it a fraction. ``lag``: how late our own timers fire at worst.
    """

    way: float = 0.2
    jitter: float = 0.3
    lag: float = 1.0
    downstream: float = 2.0
    own: float = 0.2
    """What the service itself takes."""
    spread: float = 8.0
    """Of a burst's release."""
