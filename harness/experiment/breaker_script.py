"""The fault script of a breaker: which phases run, in which order, with which numbers (contract §4).

``derive`` is asked again whenever the run has learnt something; the ids of the phases stay the same.
The quantities are ``breaker_quantities.py``, the phases themselves ``breaker_phases.py`` and its
neighbours. Pure.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from harness.experiment.breaker_mixed import keys, memory, partial, second_outage, stragglers
from harness.experiment.breaker_patterns import below, departures, ignored
from harness.experiment.breaker_phases import (
    NUMBER,
    Scope,
    baseline,
    exact_trip,
    feeds,
    outages,
    transparent,
    warm_up,
)
from harness.experiment.breaker_quantities import (
    ASSUMED_OPEN,
    ASSUMED_SLOW,
    ASSUMED_THRESHOLD,
    MOST_RATE,
    Quantities,
)
from harness.experiment.breaker_trials import (
    burst_bad,
    burst_good,
    departing_trial,
    hung_trial,
    silent_trial,
    slow,
)
from harness.model.breaker import BreakerPlan
from harness.model.breaker_script import Learnt, Script, ScriptPhase
from harness.model.units import Duration

ALL_INVARIANTS = feeds(*range(1, 27))

_MAKERS: dict[str, Callable[[Scope], Iterator[ScriptPhase]]] = {
    "warm-up": warm_up,
    "baseline": baseline,
    "transparent": transparent,
    "below": below,
    "exact-trip": exact_trip,
    "outage": outages,
    "silent-trial": silent_trial,
    "burst-good": burst_good,
    "burst-bad": burst_bad,
    "hung-trial": hung_trial,
    "departing-trial": departing_trial,
    "slow": slow,
    "departures": departures,
    "ignored": ignored,
    "keys": keys,
    "stragglers": stragglers,
    "second-outage": second_outage,
    "partial": partial,
    "memory": memory,
}
QUICK = (
    "baseline",
    "exact-trip",
    "outage",
    "heal",
    "burst-good",
    "burst-bad",
    "hung-trial",
    "slow",
)
"""The phases of the quick script; the full one has all."""

# What can be judged where there is no half-open, or no state at all (contract §2).
_APPLICABLE = {
    "in-flight": feeds(5, 21, 22, 23, 25),
    "eject": feeds(1, 3, 4, 6, 7, 12, 18, 19, 25, 26),
}
WINDOWS = 5
HEALTHY_CALLS = 200
"""What BRK-08 and BRK-11, and BRK-25, need at least (contract §3)."""
_BURSTS = ("burst-good", "burst-bad")

# Without these no other phase can be read; they feed hardly anything by themselves.
_ALWAYS = ("warm-up", "baseline")
_NEED_NO_OPEN_TIME = (*_ALWAYS, "transparent", "below", "exact-trip", "outage", "heal", "slow")
_NEED_NO_THRESHOLD = (*_ALWAYS, "transparent")


def derive(declared: BreakerPlan, learnt: Learnt | None = None) -> Script:
    """The script for what is declared, with what the run has learnt so far in the place of the rest."""
    q = Quantities(declared=declared, learnt=learnt or Learnt())
    scope = Scope(q=q, full=declared.script == "full")
    chosen, beside = _chosen(declared)
    phases = [phase for name in chosen for phase in _made(scope, name, beside)]
    return Script(
        name=declared.script,
        phases=tuple(_applicable(declared, phases)),
        rate=q.rate,
        open=Duration.of_s(q.open),
        call_timeout=None if q.timeout is None else Duration.of_s(q.timeout),
        threshold=q.threshold,
        assumed=(*_assumed(q), *beside.values(), *_limits(q, phases)),
    )


def exercised(script: Script) -> tuple[str, ...]:
    """The invariants that some phase of the script is for, in order."""
    fed = {each for phase in script.phases for each in phase.feeds}
    return tuple(each for each in ALL_INVARIANTS if each in fed)


def beyond(script: Script) -> dict[str, str]:
    """The invariants that the script may find broken but has too little of to call held, and of what."""
    good, bad = (sum(phase.name == name for phase in script.phases) for name in _BURSTS)
    healthy = sum(phase.calls or 0 for phase in script.phases if phase.name == "baseline")
    recovered = sum(
        (phase.calls or 0) - phase.given["recovery"] / 1e9 * script.rate
        for phase in script.phases
        if phase.name == "heal"
    )
    had = {
        "BRK-08": (good + bad, WINDOWS, "bursts of trials"),
        "BRK-11": (good, WINDOWS, "bursts of good trials"),
        "BRK-25": (
            round(min(healthy, recovered)),
            HEALTHY_CALLS,
            "calls before and after an outage",
        ),
    }
    fed = exercised(script)
    return {
        number: f"{count} of {least} {what}"
        for number, (count, least, what) in had.items()
        if number in fed and count < least
    }


def phases_of(declared: BreakerPlan) -> tuple[str, ...]:
    """The names that the script of this declaration has, whichever of them are chosen."""
    return QUICK if declared.script == "quick" else tuple(NUMBER)


def _chosen(declared: BreakerPlan) -> tuple[list[str], dict[str, str]]:
    """The phases to make, in order; and those that run only beside them, each with the reason."""
    there = [name for name in phases_of(declared) if name in _MAKERS]
    if declared.threshold is None and declared.share is None and "below" in there:
        # What is below is known once it was seen to trip.
        there.remove("below")
        there.insert(there.index("exact-trip") + 1, "below")
    if not declared.phases:
        return there, {}
    wanted = {*declared.phases}
    if "heal" in wanted:
        wanted.add("outage")
    beside: dict[str, str] = {}
    open_time = declared.open is None and not wanted <= {*_NEED_NO_OPEN_TIME}
    if open_time and "outage" not in wanted:
        beside["outage"] = "one outage runs as well, for nothing else shows how long it stays open"
    count = declared.threshold is None and declared.share is None
    if count and not wanted <= {*_NEED_NO_THRESHOLD} and "exact-trip" not in wanted:
        beside["exact-trip"] = "exact-trip runs as well, for nothing else shows when it opens"
    wanted.update(beside, _ALWAYS)
    return [name for name in there if name in wanted], beside


def _made(scope: Scope, name: str, beside: dict[str, str]) -> Iterable[ScriptPhase]:
    if name == "outage" and name in beside:
        return outages(scope, only=scope.trip)
    return _MAKERS[name](scope)


def _applicable(declared: BreakerPlan, phases: list[ScriptPhase]) -> Iterator[ScriptPhase]:
    """Without the phases that are for nothing that could be judged of this kind."""
    known = _APPLICABLE.get(declared.kind or "", ALL_INVARIANTS)
    for phase in phases:
        fed = tuple(each for each in phase.feeds if each in known)
        if fed or phase.name in _ALWAYS:
            yield replace(phase, feeds=fed)


def _assumed(q: Quantities) -> Iterator[str]:
    """What stands in for what was neither declared nor found yet."""
    declared, learnt = q.declared, q.learnt
    if declared.open is None and learnt.open is None:
        yield f"open is not declared: {ASSUMED_OPEN} until the first outage shows it"
    if declared.threshold is None and declared.share is None and learnt.threshold is None:
        yield (
            f"threshold is not declared: at most {ASSUMED_THRESHOLD} failures "
            "until the first trip shows it"
        )
    if declared.call_timeout is None and not declared.no_call_timeout:
        if learnt.call_timeout is None and q.slow_over is None:
            yield f"neither call_timeout nor slow is declared: {ASSUMED_SLOW} count as slow"
        elif learnt.call_timeout is None:
            yield "call_timeout is not declared: none until a call is seen to be given up"


def _limits(q: Quantities, phases: list[ScriptPhase]) -> Iterator[str]:
    """What this declaration makes impossible to show."""
    if q.wanted_rate > MOST_RATE:
        yield (
            f"{q.wanted_rate:.0f} calls/s would be needed to see so short a time; "
            f"{MOST_RATE} are sent, and some invariants may stay inconclusive"
        )
    names = {phase.name for phase in phases}
    if "slow" in names and q.wanted_pile_rate > MOST_RATE:
        yield (
            f"{q.wanted_pile_rate:.0f} calls/s would be needed to see work pile up; "
            f"{MOST_RATE} are sent, and BRK-21 may stay inconclusive"
        )
    late = [part for phase in phases if phase.name == "stragglers" for part in phase.given["parts"]]
    if late and "iii" not in late:
        yield (
            "the call time-out is shorter than the open time, so no call from before the trip "
            "can end in half-open: part iii of stragglers is left out"
        )
