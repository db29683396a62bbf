"""A breaker's script in words: what is declared, each phase with its length, what is assumed, what it is for.

Nothing is derived here; the script comes from ``experiment/breaker_script.py``.
"""

from collections.abc import Iterator
from itertools import groupby

from harness.experiment.breaker_script import ALL_INVARIANTS, WINDOWS, beyond, exercised
from harness.model.breaker import BreakerPlan, OpenTime
from harness.model.breaker_script import Script, ScriptPhase
from harness.outputs.duration_estimate import about

Item = tuple[str, str]
"""A label, and what is said of it."""

_LABEL = 18


def script_text(script: Script) -> str:
    """The whole script, a line each."""
    items = [*phase_items(script), *beside_items(script)]
    lines = [f"{label:<{_LABEL}}{text}" for label, text in items]
    return "\n".join([script_title(script), *lines]) + "\n"


def script_title(script: Script) -> str:
    """``the quick script, 10 phases, about 1 min``."""
    return f"the {script.name} script, {len(script.phases)} phases, about {about(script.lasts)}"


def phase_items(script: Script) -> Iterator[Item]:
    """One for each phase; those that are repeated in a row are told once."""
    for name, group in groupby(script.phases, key=lambda phase: _base(phase.id)):
        same = list(group)
        if len({(phase.title, phase.rate, phase.latency) for phase in same}) > 1:
            yield from ((phase.id, _phase(phase)) for phase in same)
            continue
        times = "" if len(same) == 1 else f" ×{len(same)}"
        yield f"{name}{times}", _phase(same[0])


def _base(id: str) -> str:
    return id.partition("#")[0]


def _phase(phase: ScriptPhase) -> str:
    silence = f"it is tripped, then {phase.silence} of silence, then " if phase.silence else ""
    return f"{phase.lasts}: {silence}{phase.title}; {_load(phase)}, until {phase.until}"


def _load(phase: ScriptPhase) -> str:
    rate = f"{phase.rate or 0:g} calls/s"
    said = {
        "open": rate,
        "sequential": "one after the other",
        "burst": f"{phase.callers} at once" + (f", then {rate}" if phase.rate else ""),
        "single": "one call" + (f", then {rate}" if phase.rate else ""),
        "closed": f"{phase.callers} callers without pause",
    }[phase.load]
    return said + (f", answered after {phase.latency}" if phase.latency else "")


def beside_items(script: Script) -> Iterator[Item]:
    """What is assumed, what the script is for, and what it cannot say."""
    yield from (("assumes" if i == 0 else "", text) for i, text in enumerate(script.assumed))
    fed = exercised(script)
    yield "looks at", ", ".join(fed)
    less = beyond(script)
    if less:
        said = ", ".join(f"{number} ({what})" for number, what in less.items())
        yield (
            "finds only",
            f"{said}: broken, never held; rounds: {WINDOWS} or script: full has more",
        )
    rest = [each for each in ALL_INVARIANTS if each not in fed]
    if rest:
        yield (
            "not at",
            f"{', '.join(rest)}: no phase here is for {'that' if len(rest) == 1 else 'those'}",
        )


def declared_items(declared: BreakerPlan, call: str) -> Iterator[Item]:
    """What is guarded and by what it is judged; ``call`` is the operation in words."""
    yield "calls", f"{call}, each with its id in the {declared.id.words}"
    yield "behind", f"the hop {declared.behind}"
    said = list(_declared(declared))
    yield "declared", "; ".join(said) if said else "nothing: what it does is found out and shown"


def _declared(declared: BreakerPlan) -> Iterator[str]:
    if declared.kind is not None:
        yield f"kind {declared.kind}"
    opens = "above" if declared.opens == "above" else "at"
    if declared.threshold is not None:
        yield f"opens {opens} {declared.threshold} failures"
    if declared.share is not None:
        yield f"opens {opens} {declared.share:.0%} failures"
    if declared.open is not None:
        yield _open(declared.open)
    if declared.trials.permits is not None:
        yield f"{declared.trials.permits} trial{'s' if declared.trials.permits > 1 else ''} at once"
    if declared.no_call_timeout:
        yield "no call time-out"
    elif declared.call_timeout is not None:
        yield f"calls are given up after {declared.call_timeout}"
    if declared.slow is not None:
        yield f"slow over {declared.slow.over}"
    yield from _others(declared)


def _open(opened: OpenTime) -> str:
    grows = f", then ×{opened.factor:g}" if opened.factor > 1 else ""
    most = f", at most {opened.at_most}" if opened.at_most is not None else ""
    jitter = f" ±{opened.jitter:.0%}" if opened.jitter else ""
    return f"open for {opened.first}{jitter}{grows}{most}"


_OTHERS = ("isolation", "bulkhead", "instances", "fallback", "retries", "process")


def _others(declared: BreakerPlan) -> Iterator[str]:
    """The keys whose value alone says enough, and those that are too long to repeat."""
    for key in _OTHERS:
        value = getattr(declared, key)
        if value is not None:
            yield f"{key} {value}" if isinstance(value, str | int) else key
