"""The script of a breaker's run: phases as data, so that a plan prints them and their length.

Derived by ``experiment/breaker_script.py`` from what is declared and, as the run learns it, inferred;
driven by ``runner/breaker/``. Numbers and names are those of the contract, §4.3.
"""

from typing import Any, Literal

from msgspec import Struct

from harness.model.units import Duration

PhaseName = Literal[
    "warm-up",
    "baseline",
    "transparent",
    "below",
    "exact-trip",
    "outage",
    "heal",
    "silent-trial",
    "burst-good",
    "burst-bad",
    "hung-trial",
    "departing-trial",
    "slow",
    "departures",
    "ignored",
    "keys",
    "stragglers",
    "second-outage",
    "partial",
    "memory",
]
"""In the order of their numbers, from 0."""

FaultKind = Literal["status", "reset", "blackhole", "latency", "trickle", "refuse"]


class ScriptPhase(Struct, frozen=True, kw_only=True):
    """One phase to run. ``rate`` in calls a second; ``calls`` planned, or at most; ``callers`` at once.

    ``fault`` is what the downstream does to an arrival, ``latency`` how much later it answers or
    fails. ``lasts`` is the longest it should take, start included. ``until`` is the condition that
    ends it, in words. ``feeds`` names the invariants that it is for.
    """

    number: int
    name: PhaseName
    title: str
    load: Literal["open", "sequential", "burst", "single", "closed"]
    repetition: int = 1
    of: int = 1
    rate: float | None = None
    calls: int | None = None
    callers: int | None = None
    fault: FaultKind | None = None
    status: int = 500
    latency: Duration = Duration.ZERO
    hold: Duration = Duration.ZERO
    """How long the fault stays after it was applied, where that is planned."""
    silence: Duration = Duration.ZERO
    """How long nobody calls before the load begins."""
    lasts: Duration
    until: str = ""
    feeds: tuple[str, ...] = ()
    given: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """Unique in a script: ``outage-status``, ``burst-good#2``."""
        name = f"{self.name}-{self.fault}" if self.name == "outage" and self.fault else self.name
        return name if self.of == 1 else f"{name}#{self.repetition}"


class Script(Struct, frozen=True, kw_only=True):
    """``assumed`` says, a sentence each, what stands in for what nobody declared and nothing showed yet."""

    name: Literal["quick", "full"]
    phases: tuple[ScriptPhase, ...]
    rate: float
    """λ, in calls a second."""
    open: Duration
    """D, declared, inferred or assumed."""
    call_timeout: Duration | None
    threshold: int
    """K, declared, inferred or assumed."""
    assumed: tuple[str, ...] = ()

    @property
    def lasts(self) -> Duration:
        return Duration.of_ns(sum(phase.lasts.ns for phase in self.phases))


class Learnt(Struct, frozen=True, kw_only=True):
    """What a run has found out so far, for the phases that are still to come."""

    open: Duration | None = None
    threshold: int | None = None
    call_timeout: Duration | None = None
    spread: Duration = Duration.ZERO
    """Of a burst, as measured."""
    slack: Duration = Duration.of_ms(10)
    latency: Duration = Duration.of_ms(5)
    """L₀: a good call in the baseline."""
