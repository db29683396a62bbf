"""BRK-08: of many callers at once in half-open, no more reach the downstream than there are permits.

Counted are arrivals before any trial can have settled. ``lost_after`` ends the count as well: after it a
breaker may let another one through while the first still hangs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.breaker.finding import Draft, Subject, counterexample, zero_of
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Joined, Known
from harness.judge.breaker.lives import ends_early, first_arrival, shown_open
from harness.judge.breaker.statistics import zero_bound
from harness.judge.breaker.times_in_words import in_ms
from harness.judge.breaker.windows import LEAST_CALLERS, Window, note_needs, windows
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Statistics

SUBJECT = Subject(
    id="BRK-08",
    name="trials are limited",
    severity="critical",
    condition="arrivals admitted before the first trial settled <= instances * permits",
    phases=(8, 9, 16),
)

_BURSTS = (8, 9)
_STRAGGLERS = 16
# The largest default among the libraries.
_UNDECLARED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Permits:
    """``least`` may pass for certain; more than ``most`` accuses. They differ only where nothing is declared."""

    least: int
    most: int
    limit: Limit
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Excess:
    where: str
    callers: int
    early: Sequence[Joined]
    first: Joined | None
    permits: _Permits


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    stragglers = known.phases_of(_STRAGGLERS)
    if early := not_judgeable(draft, known, *_BURSTS, *([_STRAGGLERS] if stragglers else [])):
        return early
    least = max(LEAST_CALLERS, 10 * _permits(known, 0).least)
    found = windows(known, *_BURSTS, least=least)
    counted = {window.number: _counted(known, window.early) for window in found}
    callers = min((len(window.callers) for window in found if window.callers), default=0)
    permits = _permits(known, callers)
    draft.limit = permits.limit
    if not known.terms.permits.declared:
        draft.notes.append(
            f"permits not declared: judged against {_UNDECLARED} and a tenth of the burst"
        )
    fit = note_needs(draft, found, least=least)
    excesses = [
        *_in_bursts(known, found, counted),
        *(_beside_stragglers(known, permits) if stragglers else []),
    ]
    if excesses:
        return _violated(draft, excesses, len(found))
    if not found:
        return draft.not_applicable(
            "phases 8 (burst-good) and 9 (burst-bad) were not run; beside the stragglers of "
            "phase 16 no trial was one too many"
        )
    shown = [window for window in found if not window.unfit] or found
    worst = max((len(counted[window.number]) for window in shown), default=0)
    draft.observed = Observed(value=worst, unit="arrivals", per="window", worst_of=len(shown))
    return _within(draft, permits, worst, fit, callers)


def _within(draft: Draft, permits: _Permits, worst: int, fit: int, callers: int) -> BreakerFinding:
    """Nobody was certainly one too many: held, if enough windows would have shown it."""
    if permits.least < worst <= permits.most:
        draft.lacks.append(
            f"{worst} arrivals at most in a window: more than {permits.least}, yet not more than "
            f"{permits.most}; declare trials.permits"
        )
    draft.statistics = Statistics(
        method="clopper-pearson",
        x=0,
        m=fit,
        bound=round(zero_bound(fit), 4) if fit else None,
        confidence=0.95,
    )
    return draft.held_or_inconclusive(
        f"at most {worst} of {callers} callers at once let through in {fit} windows; "
        f"{permits.words}",
        power=zero_of(fit) + " (too many let through in a window)" if fit else "",
    )


def _permits(known: Known, callers: int) -> _Permits:
    instances = int(known.terms.instances.number) if known.terms.instances.known else 1
    declared = known.terms.permits
    if declared.declared and declared.known:
        value = instances * int(declared.number)
        words = f"permits {int(declared.number)}" + (
            f" in each of {instances} instances" if instances > 1 else ""
        )
        source = f"declared trials.permits={int(declared.number)}, instances={instances}"
        limit = Limit(value=value, source=source)
        return _Permits(least=value, most=value, limit=limit, words=words)
    bounds = (_UNDECLARED * instances, callers // 10 if callers else _UNDECLARED * instances)
    source = f"trials.permits not declared: {_UNDECLARED} and a tenth of the burst, instances={instances}"
    return _Permits(
        least=min(bounds),
        most=max(bounds),
        limit=Limit(value=min(bounds), source=source),
        words=f"permits not declared: judged against {min(bounds)}",
    )


def _counted(known: Known, early: Sequence[Joined]) -> Sequence[Joined]:
    """Those before the first would be given up as lost."""
    lost_after = known.terms.lost_after
    if not early or not (lost_after.declared and lost_after.known):
        return early
    given_up = first_arrival(early[0]) + int(lost_after.number)
    return [joined for joined in early if first_arrival(joined) < given_up]


def _in_bursts(
    known: Known, found: Sequence[Window], counted: dict[int, Sequence[Joined]]
) -> list[_Excess]:
    """Where more than the permits were certainly admitted, and the breaker was certainly not closed."""
    excesses = []
    for window in found:
        permits = _permits(known, len(window.callers))
        trials = counted[window.number]
        # A rejection among the callers shows as well that it was not closed when they came.
        open_still = window.life is not None and any(
            joined.rejected
            and (window.first is None or joined.call.sent < (ends_early(window.first) or 0))
            for joined in window.callers
        )
        if (window.certain or open_still) and len(trials) > permits.most:
            excesses.append(
                _Excess(
                    where=window.name,
                    callers=len(window.callers),
                    early=trials,
                    first=window.first,
                    permits=permits,
                )
            )
    return excesses


def _beside_stragglers(known: Known, permits: _Permits) -> list[_Excess]:
    """Trials let through while the only one that may be there still hangs."""
    excesses = []
    for life in known.outages_in(_STRAGGLERS):
        if not shown_open(known, life):
            continue
        settled = [moment for trial in life.trials if (moment := ends_early(trial)) is not None]
        until = min(settled, default=None)
        early = [trial for trial in life.trials if until is None or first_arrival(trial) < until]
        trials = _counted(known, early)
        if len(trials) > permits.most:
            excesses.append(
                _Excess(
                    where=f"half-open in {life.phase}",
                    callers=len(life.trials),
                    early=trials,
                    first=min(
                        (trial for trial in life.trials if trial.settled is not None),
                        key=lambda trial: ends_early(trial) or 0,
                        default=None,
                    ),
                    permits=permits,
                )
            )
    return excesses


def _violated(draft: Draft, excesses: Sequence[_Excess], windows_seen: int) -> BreakerFinding:
    worst = excesses[0]
    draft.observed = Observed(
        value=len(worst.early), unit="arrivals", per="window", worst_of=windows_seen or None
    )
    within = first_arrival(worst.early[-1]) - worst.early[0].call.sent
    answered = ""
    if worst.first is not None and (settled := ends_early(worst.first)) is not None:
        answered = (
            f", before the first of them was answered ({in_ms(settled - worst.early[0].call.sent)})"
        )
    more = f"; in {len(excesses)} of {windows_seen} windows" if len(excesses) > 1 else ""
    text = (
        f"{worst.where}: {len(worst.early)} of {worst.callers} callers were forwarded within "
        f"{in_ms(within)}{answered}; {worst.permits.words}{more}"
    )
    settled = None if worst.first is None else ends_early(worst.first)
    last = settled if settled is not None else first_arrival(worst.early[-1])
    return draft.violated(
        text,
        counterexample(
            text,
            list(worst.early),
            interval=(worst.early[0].call.sent, last),
            expected=f"at most {worst.permits.most} arrivals",
            got=f"{len(worst.early)} arrivals",
        ),
    )
