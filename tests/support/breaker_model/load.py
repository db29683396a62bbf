"""Less load than a phase of the script plans: what was sent is then all that was planned."""

from math import ceil
from typing import Any

from msgspec.structs import replace

from harness.model.breaker_script import ScriptPhase
from harness.model.units import Duration

_BASELINE = 1


def lighter(plan: ScriptPhase, share: float) -> ScriptPhase:
    """The phase with so large a part of its calls, callers and time; the baseline stays as it is."""
    if share == 1 or plan.number <= _BASELINE:
        return plan
    return replace(
        plan,
        calls=_part(plan.calls, share),
        callers=_part(plan.callers, share),
        hold=Duration.of_ns(round(plan.hold.ns * share)),
        lasts=Duration.of_ns(round(plan.lasts.ns * share)),
        given=_given(plan.given, share),
    )


def _part(whole: int | None, share: float) -> int | None:
    return None if whole is None else ceil(whole * share)


def _given(given: dict[str, Any], share: float) -> dict[str, Any]:
    less = dict(given)
    if "pattern" in given:
        less["pattern"] = given["pattern"][: ceil(len(given["pattern"]) * share)]
    if "rejections" in given:
        less["rejections"] = ceil(given["rejections"] * share)
    if "bursts" in given:
        less["bursts"] = [ceil(size * share) for size in given["bursts"]]
    return less
