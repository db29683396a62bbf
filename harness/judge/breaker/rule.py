"""When a breaker opens, as declared: what the replay counts, and what of it is not known."""

from dataclasses import dataclass
from math import ceil, floor
from typing import Literal

from harness.model.breaker import BreakerPlan, Denominator

LARGEST_MINIMUM = 100
"""The largest default among the libraries, for time windows whose minimum is not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``count`` failures, or a ``share`` of the calls counted by ``denominators``, in a window if there is one.

    ``least`` is the declared minimum of calls, as low and as high as it may be. Several denominators
    where none is declared. ``window`` in calls for ``count-window``, in nanoseconds for ``time-window``.
    """

    kind: Literal["consecutive", "count-window", "time-window"]
    count: int | None = None
    share: float | None = None
    above: bool = False
    window: int | None = None
    least: tuple[int, int] = (1, 1)
    denominators: tuple[Denominator, ...] = ("settled",)
    instances: int = 1

    @property
    def failures(self) -> int:
        """So many open it at ``count``."""
        assert self.count is not None
        return self.count + 1 if self.above else self.count

    @property
    def counts_calls(self) -> bool:
        """Whether the share is taken, or may be, of more than the settled calls."""
        return self.share is not None and self.denominators != ("settled",)

    def reached(self, failures: int, calls: int) -> bool:
        """Whether so many failures among so many calls are enough, the minimum left aside."""
        if self.share is None:
            return failures >= self.failures
        if calls < 1:
            return False
        # Shares are written with few decimals: a billionth keeps 0.3 × 10 at 3.
        due = self.share * calls
        return failures > due + 1e-9 if self.above else failures >= due - 1e-9

    def fewest(self, calls: int) -> int:
        """The fewest failures among so many calls that are enough."""
        if self.share is None:
            return self.failures
        due = self.share * calls
        return floor(due + 1e-9) + 1 if self.above else max(1, ceil(due - 1e-9))


def rule_of(plan: BreakerPlan, instances: int) -> Rule | None:
    """The rule for failures; None where too little is declared to replay it."""
    kind = plan.kind or ("consecutive" if plan.threshold is not None else None)
    if kind in ("in-flight", None):
        return None
    if kind in ("consecutive", "eject"):
        if plan.threshold is None:
            return None
        return Rule(
            kind="consecutive",
            count=plan.threshold,
            above=plan.opens == "above",
            instances=instances,
        )
    if plan.threshold is None and plan.share is None:
        return None
    return _windowed(plan, kind, plan.threshold, plan.share, instances)


def slow_rule_of(plan: BreakerPlan, instances: int) -> Rule | None:
    """The rule for slow calls, where they have a share of their own and a window is declared."""
    if plan.slow is None or plan.slow.threshold is None or plan.kind is None:
        return None
    return _windowed(plan, plan.kind, None, plan.slow.threshold, instances)


def _windowed(
    plan: BreakerPlan, kind: str, count: int | None, share: float | None, instances: int
) -> Rule | None:
    window = plan.window
    if kind == "count-window" and window is not None and window.calls is not None:
        most = window.calls if share is not None else 1
        length = window.calls
    elif kind == "time-window" and window is not None and window.time is not None:
        most = LARGEST_MINIMUM if share is not None else 1
        length = window.time.ns
    else:
        return None
    least = (1, most) if plan.minimum is None else (plan.minimum, plan.minimum)
    declared: tuple[Denominator, ...] = ("settled", "admitted", "offered")
    return Rule(
        kind="count-window" if kind == "count-window" else "time-window",
        count=count,
        share=share,
        above=plan.opens == "above",
        window=length,
        least=least,
        denominators=declared if plan.denominator is None else (plan.denominator,),
        instances=instances,
    )
