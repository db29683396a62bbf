"""What the downstream is made to suffer, as faults at the hop that act on one request at a time.

Each reads the head of a request first, so that its id is on record before anything happens to it;
``refuse`` alone does not, and is never counted by (contract §1.1).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec.structs import replace

from harness.model.breaker_script import FaultKind, ScriptPhase
from harness.model.plan import FaultStep
from harness.model.units import Duration

# Beyond what any call of a script waits: a body that never comes.
_NEVER = Duration.of_s(600)


def phase_steps(
    on: str, plan: ScriptPhase, *, first: int | None = None, name: str = ""
) -> tuple[FaultStep, ...]:
    """The faults of a phase, in the order in which they must be applied.

    ``first``: for so many requests and none behind them. ``name`` tells those that are applied once
    more from the first ones. Latency stands behind a made-up answer, so
    that it delays that, too.
    """
    if plan.fault is None:
        return ()
    steps = [_step(on, plan, plan.fault, f"{name}{plan.fault}", first=first)]
    if plan.latency and plan.fault == "status":
        steps.append(_step(on, plan, "latency", f"{name}latency", first=first))
    return tuple(steps)


def failing_steps(on: str, plan: ScriptPhase, name: str) -> tuple[FaultStep, ...]:
    """Every request fails at once, as the declaration counts failures; ``name`` tells it from others."""
    kind: FaultKind = plan.given.get("trip", "status")
    return (_step(on, plan, kind, name),)


def answered_steps(on: str, plan: ScriptPhase, name: str, status: int) -> tuple[FaultStep, ...]:
    """Every request is answered with ``status``."""
    return (_made(on, plan, "status", name, "http_status", {"status": status}),)


def hanging_steps(
    on: str, plan: ScriptPhase, name: str, *, first: int | None = None
) -> tuple[FaultStep, ...]:
    """No request gets an answer."""
    return (_step(on, plan, "blackhole", name, first=first),)


def late_steps(
    on: str, plan: ScriptPhase, name: str, after: Duration, *, fails: bool
) -> tuple[FaultStep, ...]:
    """The next request alone is answered so late, well or with a failure."""
    latency = {"latency": after.text()}
    late = _made(on, plan, "latency", f"{name}-late", "latency", latency, first=1)
    if not fails:
        return (late,)
    status = {"status": plan.status}
    return (_made(on, plan, "status", f"{name}-fails", "http_status", status, first=1), late)


def for_all(steps: Sequence[FaultStep]) -> FaultStep | None:
    """The same as any Toxiproxy does it; None where one request must be told from another.

    A reset waits for the first byte of a request, so that a hop before it has seen who was reset.
    """
    if len(steps) != 1:
        return None
    (step,) = steps
    spares = step.first is not None or step.toxicity < 1 or step.outage not in _PLAIN
    if spares:
        return None
    kind, params, stream = _PLAIN[step.outage]
    return replace(
        step,
        kind=kind,
        params=step.params if params is None else dict(params),
        stream=stream,
        per=None,
        codec=None,
    )


def _step(
    on: str, plan: ScriptPhase, kind: FaultKind, name: str, *, first: int | None = None
) -> FaultStep:
    toxic, params = _TOXICS[kind](plan)
    return _made(on, plan, kind, name, toxic, params, first=first)


def _made(
    on: str,
    plan: ScriptPhase,
    kind: FaultKind,
    name: str,
    toxic: str,
    params: Mapping[str, Any],
    *,
    first: int | None = None,
) -> FaultStep:
    """One fault; its id is unique while it lasts. What makes answers up tells requests apart by itself."""
    more: dict[str, Any] = {"stream": None}
    if toxic != "down":
        more = {"stream": "upstream" if toxic == "cut" else "downstream", "first": first}
        if toxic != "http_status":
            more |= {"per": "request", "codec": "http"}
    return FaultStep(
        id=f"{plan.id}.{name}",
        kind=toxic,
        on=on,
        params=dict(params),
        phase=plan.id,
        outage=kind,
        **more,
    )


_TOXICS: Mapping[FaultKind, Callable[[ScriptPhase], tuple[str, dict[str, Any]]]] = {
    "status": lambda plan: ("http_status", {"status": plan.status}),
    "reset": lambda _plan: ("cut", {"messages": 0, "how": "reset"}),
    "blackhole": lambda _plan: ("blackhole_after", {"forward": False}),
    "latency": lambda plan: ("latency", {"latency": plan.latency.text()}),
    "trickle": lambda plan: ("trickle", {"delay": (plan.latency or _NEVER).text()}),
    "refuse": lambda _plan: ("down", {}),
}

# What is done to all requests alike: the toxic, its parameters (None: the same ones) and its stream.
_PLAIN: Mapping[str, tuple[str, dict[str, Any] | None, Literal["upstream", "downstream"] | None]]
_PLAIN = {
    "latency": ("latency", None, "downstream"),
    "reset": ("reset_peer", {"timeout": "0s"}, "upstream"),
    "blackhole": ("timeout", {"timeout": "0s"}, "upstream"),
    "refuse": ("down", {}, None),
}
