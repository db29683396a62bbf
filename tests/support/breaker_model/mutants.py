"""For each invariant a breaker that breaks it: one defect, and the phases that show it.

``also`` names what cannot but be broken with it, each with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.breaker_history import BreakerHistory
from tests.support.breaker_model.declaration import declared
from tests.support.breaker_model.generate import generate
from tests.support.breaker_model.settings import Defect, Settings, World

LEAK_IS_EARLY = "a call that leaks arrives before the open time is over"
EARLY_IS_LEAK = "a trial before its time arrives in what is open for certain"
REOPENED_IS_OPEN = "what a failed trial reopened is open like any other"
_A_SHARE: dict[str, Any] = {
    "kind": "count-window",
    "threshold": None,
    "share": 0.5,
    "window": 400,
    "minimum": 10,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``phases`` of the full script; ``over``: settings other than the usual ones."""

    breaks: str
    defect: Defect
    phases: tuple[str, ...]
    also: Mapping[str, str] = field(default_factory=dict)
    over: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.breaks}-{self.defect}"

    @property
    def settings(self) -> Settings:
        return Settings(**self.over)

    def history(self, seed: int = 1, *, load: float = 1, sound: bool = False) -> BreakerHistory:
        """Of one run; ``sound``: of the same breaker without the defect."""
        settings = self.settings
        return generate(
            declared(settings, "full", self.phases),
            settings,
            defects=() if sound else (self.defect,),
            world=World(spread=5),
            seed=seed,
            load=load,
        )


MUTANTS = (
    Mutant(breaks="BRK-01", defect="never-trips", phases=("exact-trip",)),
    Mutant(
        breaks="BRK-01",
        defect="resets-unknown",
        phases=("outage",),
        also={"BRK-03": "what never opens under resets overshoots without end"},
    ),
    Mutant(breaks="BRK-02", defect="trips-early", phases=("below",)),
    Mutant(
        breaks="BRK-03",
        defect="counts-at-ticks",
        phases=("outage",),
        also={"BRK-04": "with a declared threshold what comes after it comes while it is open"},
    ),
    Mutant(
        breaks="BRK-04",
        defect="leaks-every-tenth",
        phases=("exact-trip",),
        also={"BRK-06": LEAK_IS_EARLY},
    ),
    Mutant(breaks="BRK-05", defect="slow-rejections", phases=("outage",)),
    Mutant(
        breaks="BRK-06",
        defect="opens-too-short",
        phases=("outage",),
        also={"BRK-04": EARLY_IS_LEAK, "BRK-09": REOPENED_IS_OPEN},
    ),
    Mutant(breaks="BRK-07", defect="open-never-ends", phases=("exact-trip",)),
    Mutant(breaks="BRK-07", defect="rejections-restart-timer", phases=("exact-trip",)),
    Mutant(breaks="BRK-08", defect="no-permits", phases=("burst-good",)),
    Mutant(
        breaks="BRK-09",
        defect="failed-trial-stays-half-open",
        phases=("outage",),
        also={
            "BRK-04": REOPENED_IS_OPEN,
            "BRK-06": REOPENED_IS_OPEN,
            "BRK-26": "a trial after the other, without an open time between them, is flapping",
        },
    ),
    Mutant(breaks="BRK-10", defect="good-trial-does-not-close", phases=("burst-good",)),
    Mutant(
        breaks="BRK-11",
        defect="parks-callers",
        phases=("burst-good",),
        also={"BRK-05": "who is parked waits for the trial, and not for a rejection"},
    ),
    Mutant(breaks="BRK-12", defect="fails-after-recovery", phases=("silent-trial",)),
    Mutant(breaks="BRK-13", defect="timed-out-trial-keeps-permit", phases=("hung-trial",)),
    Mutant(breaks="BRK-14", defect="departed-trial-keeps-permit", phases=("departing-trial",)),
    Mutant(breaks="BRK-15", defect="slow-not-counted", phases=("slow",), over={"slow": 150}),
    Mutant(breaks="BRK-16", defect="departure-is-success", phases=("departures",)),
    Mutant(breaks="BRK-16", defect="departure-is-failure", phases=("departures",)),
    Mutant(breaks="BRK-17", defect="ignored-is-failure", phases=("ignored",)),
    Mutant(breaks="BRK-18", defect="one-circuit", phases=("keys",), over={"per_key": True}),
    Mutant(
        breaks="BRK-19",
        defect="rejections-dilute",
        phases=("second-outage",),
        also={"BRK-04": "what comes after the threshold comes while it ought to be open"},
        over=_A_SHARE,
    ),
    Mutant(
        breaks="BRK-20",
        defect="straggler-restarts-timer",
        phases=("stragglers",),
        over={"timeout": 1000},
    ),
    Mutant(
        breaks="BRK-20",
        defect="straggler-closes",
        phases=("stragglers",),
        over={"timeout": 1000},
        also={"BRK-04": "the calls behind the straggler are the leak (C-54)"},
    ),
    Mutant(
        breaks="BRK-20",
        defect="straggler-frees-permit",
        phases=("stragglers",),
        over={"timeout": 2500},
        also={"BRK-08": "the calls behind the straggler are trials too many (C-56)"},
    ),
    Mutant(
        breaks="BRK-21",
        defect="keeps-timed-out-calls",
        phases=("slow",),
        over={"open": 400, "timeout": 600},
        also={"BRK-15": "its bound of what is in flight is that of BRK-21"},
    ),
    Mutant(
        breaks="BRK-21",
        defect="no-timeout",
        phases=("slow",),
        also={"BRK-15": "what is given up too late counts too late"},
    ),
    Mutant(breaks="BRK-22", defect="serialises", phases=("transparent",)),
    Mutant(breaks="BRK-23", defect="three-tries", phases=("outage",)),
    Mutant(breaks="BRK-24", defect="leaks-memory", phases=("memory",), over={"process": True}),
    Mutant(breaks="BRK-25", defect="errors-when-healthy", phases=("outage", "heal")),
    Mutant(
        breaks="BRK-26",
        defect="closes-without-trial",
        phases=("outage",),
        also={"BRK-09": "what closed at once lets calls in after the trial that failed"},
    ),
)
