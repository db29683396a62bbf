"""What the baseline proves: ids are joined, nothing else answers, and how long a good call takes.

"No arrival" is a rejection only where a closed breaker would have forwarded; here it would have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from harness.judge.breaker.known import SECOND, Joined, PhaseView
from harness.model.breaker_history import BreakerHistory

BASELINE = 1
"""The phase's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """For its fields see ``Known``. Durations in nanoseconds."""

    latency: int | None = None
    own: int | None = None
    strays_per_s: float = 0.0
    barred: str = ""


def baseline_of(history: BreakerHistory, views: Sequence[PhaseView]) -> Baseline:
    """From the phases of that name; barred without any."""
    own = [view for view in views if view.number == BASELINE]
    calls = [joined for view in own for joined in view.calls]
    good = [j for j in calls if j.cls == "forwarded-ok" and j.call.ended is not None]
    waits = [(j.call.ended or 0) - j.call.sent for j in good]
    spent = [wait - _at_hop(joined) for wait, joined in zip(waits, good, strict=True)]
    lasted = sum((view.phase.left or view.phase.entered) - view.phase.entered for view in own)
    strays = sum(view.strays for view in own)
    return Baseline(
        latency=median_low(waits) if waits else None,
        own=max(0, median_low(spent)) if spent else None,
        strays_per_s=strays * SECOND / lasted if lasted > 0 else 0.0,
        barred=_barred(history, calls, strays),
    )


def _barred(history: BreakerHistory, calls: Sequence[Joined], strays: int) -> str:
    if not history.readable:
        return "arrivals carry no request id: the hop did not speak HTTP/1"
    if not calls:
        return "the baseline was not run"
    answered = [joined for joined in calls if joined.call.end == "answered"]
    if not answered:
        return "no baseline call was answered"
    lost = [joined for joined in answered if joined.rejected]
    again = [joined for joined in answered if joined.attempts > 1]
    if again or (lost and strays):
        count = len(lost) + len(again)
        return (
            f"{count} of {len(answered)} baseline calls could not be joined; "
            "name another carrier under breaker.id"
        )
    if lost:
        return (
            f"{_percent(len(lost), len(answered))} of baseline calls never reached the downstream; "
            "something before it answers (a cache, a rate limit, a bulkhead): make calls unique with {rid}"
        )
    return ""


def _at_hop(joined: Joined) -> int:
    last = joined.call.arrivals[-1]
    return (last.ended or last.arrived) - joined.call.arrivals[0].arrived


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 1 else f"{share:.1f} %"
