"""The 26 invariants by number: one module each, listed here and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.judge.breaker.finding import Subject
from harness.judge.breaker.invariants import (
    brk01_trips,
    brk02_stays_closed_below,
    brk03_overshoot,
    brk04_no_leak,
    brk05_fast_rejections,
    brk06_open_long_enough,
    brk07_open_ends,
    brk08_trials_limited,
    brk09_failed_trial_reopens,
    brk10_good_trials_close,
    brk11_no_stampede,
    brk12_recovers,
    brk13_hung_trial,
    brk14_departed_trial,
    brk15_slow_calls_count,
    brk16_departures_neutral,
    brk17_ignored_outcomes,
    brk18_isolation,
    brk19_second_outage,
    brk20_stragglers,
    brk21_pending_bounded,
    brk22_transparent,
    brk23_no_amplification,
    brk24_memory_bounded,
    brk25_error_budget,
    brk26_no_flapping,
)
from harness.judge.breaker.known import Known
from harness.model.breaker_findings import BreakerFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    subject: Subject
    judge: Callable[[Known], BreakerFinding]


class _Module(Protocol):
    """What a module of ``invariants/`` offers."""

    SUBJECT: Subject

    def judge(self, known: Known) -> BreakerFinding: ...


_MODULES: tuple[_Module, ...] = (
    brk01_trips,
    brk02_stays_closed_below,
    brk03_overshoot,
    brk04_no_leak,
    brk05_fast_rejections,
    brk06_open_long_enough,
    brk07_open_ends,
    brk08_trials_limited,
    brk09_failed_trial_reopens,
    brk10_good_trials_close,
    brk11_no_stampede,
    brk12_recovers,
    brk13_hung_trial,
    brk14_departed_trial,
    brk15_slow_calls_count,
    brk16_departures_neutral,
    brk17_ignored_outcomes,
    brk18_isolation,
    brk19_second_outage,
    brk20_stragglers,
    brk21_pending_bounded,
    brk22_transparent,
    brk23_no_amplification,
    brk24_memory_bounded,
    brk25_error_budget,
    brk26_no_flapping,
)

_INVARIANTS = tuple(Invariant(subject=module.SUBJECT, judge=module.judge) for module in _MODULES)
_BY_NUMBER = {one.subject.id: one for one in _INVARIANTS}


def invariants() -> tuple[Invariant, ...]:
    """All of them, in the order of their numbers."""
    return _INVARIANTS


def invariant(number: str) -> Invariant:
    """The one of this number, ``BRK-08``.

    Raises:
        KeyError: there is none.
    """
    return _BY_NUMBER[number]
