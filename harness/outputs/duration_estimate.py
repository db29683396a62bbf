"""How long a run will take, as a range that says how it was reckoned. Never more precise than it can be."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.experiment.breaker_script import derive
from harness.model.plan import FaultStep, Plan
from harness.model.units import Duration, UnitProblem

# What a start and a reset take on a laptop, within a factor of a few: the range absorbs the rest.
STARTING = (Duration.of_s(2), Duration.of_s(8))
RESET = (Duration.of_ms(20), Duration.of_ms(200))
# What a script takes beside its reckoned length: it ends phases early, and waits for their start.
SCRIPT = (0.8, 1.3)
# Messages of a request through a hop, at the least: one that reads and one that writes.
MESSAGES = 2

_STEPS = (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """``text`` is the range; ``because`` what was added up."""

    text: str
    because: str


def estimate(*plans: Plan) -> Estimate:
    """The sum over ``plans``, from requests that run side by side to requests that wait in line."""
    least = sum((_run(plan, 0) for plan in plans), Duration.ZERO)
    most = sum((_run(plan, 1) for plan in plans), Duration.ZERO)
    limit = sum((plan.time_limit for plan in plans), Duration.ZERO)
    low, high = about(min(least, limit)), about(min(most, limit))
    text = f"about {low}" if low == high else f"about {low} to {high}"
    return Estimate(text=text, because=_because(plans[0]) if plans else "")


def _run(plan: Plan, end: int) -> Duration:
    if plan.breaker is not None:
        return STARTING[end] + derive(plan.breaker).lasts * SCRIPT[end]
    # At best a bug that is expected shows at once, and its rounds are enough.
    rounds = plan.rounds if end or plan.stop_after is None else min(plan.stop_after, plan.rounds)
    return STARTING[end] + rounds * _round(plan, end)


def _round(plan: Plan, end: int) -> Duration:
    delay = sum(map(_delay, plan.faults), Duration.ZERO)
    # At worst a lock makes all requests of a burst wait in line, each with its own messages.
    in_line = max((burst.concurrency for burst in plan.bursts), default=1) if end else 1
    hold = sum((burst.hold for burst in plan.bursts), Duration.ZERO)
    # An open loop lasts as planned, and then as long as its last request.
    looping = sum((step.lasts for step in plan.arrivals), Duration.ZERO)
    method = hold + looping + delay * (MESSAGES * in_line)
    lasting = max((step.lasts for step in plan.faults if step.lasts), default=Duration.ZERO)
    settling = (plan.settle.gap + delay) * (3 if end else 1)
    return RESET[end] + max(method, lasting) + settling


def _delay(step: FaultStep) -> Duration:
    """What the fault can put on one message: the durations among its attributes."""
    return sum(_durations(step), Duration.ZERO)


def _durations(step: FaultStep) -> Iterator[Duration]:
    for value in step.params.values():
        if isinstance(value, str):
            try:
                yield Duration.parse(value)
            except UnitProblem:
                continue


def _because(plan: Plan) -> str:
    if plan.breaker is not None:
        shorter = " and less once the open time has shown" if plan.breaker.open is None else ""
        return (
            f"starting, then the {plan.breaker.script} script{shorter}; "
            "the upper end is waiting for the start of phases"
        )
    rounds = "1 round" if plan.rounds == 1 else f"{plan.rounds} rounds"
    parts = ["reset"]
    parts += ["hold"] if plan.bursts or not plan.arrivals else []
    parts += ["arrivals"] if plan.arrivals else []
    parts += ["a few delayed messages a request"] if plan.faults else []
    upper = (
        "a service that serves a burst one request after another"
        if plan.bursts or not plan.arrivals
        else "a slow machine"
    )
    return f"starting, then {rounds} of {', '.join(parts)} and the settle gap; the upper end is {upper}"


def about(duration: Duration) -> str:
    """The nearest rung of a coarse ladder: ``15 s``, ``2 min``, ``1 h``."""
    seconds = duration.in_s
    if seconds > _STEPS[-1]:
        return f"{round(seconds / 3600)} h"
    rung = min(_STEPS, key=lambda step: abs(step - seconds))
    return f"{rung} s" if rung < 60 else "1 h" if rung == 3600 else f"{rung / 60:g} min"
