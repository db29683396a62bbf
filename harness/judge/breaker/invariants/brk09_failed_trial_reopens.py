"""BRK-09: after a failed trial nothing is admitted for the open time, counted from its settling.

Without ``trials.to_reopen`` declared, a breaker may decide by all of its trials together: the fold then
says from when on it is open again for certain, and only what is admitted after that is a breach.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds, zero_of
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Joined, Known, Outage
from harness.judge.breaker.lives import (
    before,
    calls_from,
    first_arrival,
    shown_open,
)
from harness.judge.breaker.stretches import coarseness
from harness.judge.breaker.times_in_words import in_ms, in_seconds
from harness.model.breaker_findings import BreakerFinding, Limit, Observed

SUBJECT = Subject(
    id="BRK-09",
    name="a failed trial reopens",
    severity="critical",
    condition="after to_reopen failed trials settled nothing is admitted for "
    "open * (1 - jitter) - slack",
    phases=(5, 9),
)

_PHASES = (5, 9)
_LEAST_WINDOWS = 2
_LEAST_CALLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """What followed one reopening, certain at ``settled``. ``quiet``: how long nothing arrived after it."""

    life: Outage
    settled: int
    end: int
    offered: int
    leaks: Sequence[Joined]
    quiet: int


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *_PHASES):
        return early
    draft.limit = Limit(value=0, source=f"trials.to_reopen: {known.terms.to_reopen.source}")
    for view in known.phases_of(*_PHASES):
        draft.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
    found = _windows(known, draft)
    broken = [window for window in found if window.leaks]
    draft.observed = Observed(
        value=sum(len(window.leaks) for window in found),
        unit="admissions",
        per="open time after a failed trial",
        worst_of=len(found) or None,
    )
    draft.samples.extend(_sample(window) for window in found)
    if broken:
        return _violated(draft, broken[0])
    whole = [window for window in found if window.offered >= _LEAST_CALLS]
    draft.need("windows after a failed trial", len(whole), at_least=_LEAST_WINDOWS)
    shown = whole if len(whole) >= _LEAST_WINDOWS else found
    least = min((window.offered for window in shown), default=0)
    draft.need("calls offered in each", least, at_least=_LEAST_CALLS)
    draft.rounds = len(whole)
    if not whole:
        return draft.held_or_inconclusive("", power="")
    most = max(window.offered for window in whole)
    quiet = min(window.quiet for window in whole)
    return draft.held_or_inconclusive(
        f"{len(whole)} failed trials, each followed by at least {in_seconds(quiet)} without arrivals "
        f"({least if least == most else f'{least}–{most}'} calls offered)",
        power=f"{zero_of(sum(window.offered for window in whole))} (a call admitted)",
    )


def _windows(known: Known, draft: Draft) -> list[_Window]:
    """One for each time that it certainly opened again."""
    found: list[_Window] = []
    for life in known.outages_in(*_PHASES):
        if not life.cycle or known.by_id[life.phase].timing or life.tau.hi is None:
            continue
        if not shown_open(known, before(known, life)):
            continue
        if life.duration is None:
            draft.lacks.append("how long it stays open is neither declared nor inferred")
        else:
            found.append(_window(known, life, life.tau.hi))
    return found


def _window(known: Known, life: Outage, settled: int) -> _Window:
    """What came after it had opened again."""
    end = _end(known, life)
    after = calls_from(known, life, settled)
    calls = list(takewhile(lambda joined: joined.call.sent <= end, after))
    leaks = [j for j in calls if j.forwarded and first_arrival(j) <= end]
    later = calls_from(known, life, settled)
    back = next((j for j in later if j.forwarded or j.call.sent > max(end, life.until)), None)
    quiet_until = end if not calls else max(end, calls[-1].call.sent)
    if back is not None and back.forwarded:
        quiet_until = first_arrival(back)
    return _Window(
        life=life,
        settled=settled,
        end=end,
        offered=len(calls),
        leaks=leaks,
        quiet=quiet_until - settled,
    )


def _end(known: Known, life: Outage) -> int:
    """Up to here it is open for certain: the earliest settling counts, as for a trip."""
    assert life.duration is not None  # looked at before
    jitter = float(known.terms.jitter.value or 0)
    slack = known.by_id[life.phase].slack
    lasts = round(life.duration * (1 - jitter)) - coarseness(known, life.duration)
    return life.tau.lo + lasts - slack


def _sample(window: _Window) -> dict[str, object]:
    return {
        "window": f"{window.life.phase}, cycle {window.life.cycle}",
        "trials": [joined.call.rid for joined in window.life.because][:50],
        "reopened": [seconds(window.life.tau.lo), seconds(window.settled)],
        "open_until": seconds(window.end),
        "offered": window.offered,
        "admitted": [joined.call.rid for joined in window.leaks][:50],
        "quiet_s": seconds(window.quiet),
    }


def _violated(draft: Draft, window: _Window) -> BreakerFinding:
    trials, first = window.life.because, window.leaks[0]
    failed = f"the trial {trials[-1].call.rid}" if len(trials) == 1 else f"{len(trials)} trials"
    text = (
        f"cycle {window.life.cycle}: {failed} failed, yet {first.call.rid} was forwarded "
        f"{in_ms(first_arrival(first) - window.settled)} after that was settled; open for "
        f"{in_seconds(window.life.duration or 0)}. {len(window.leaks)} of {window.offered} calls in "
        "that time were let through"
    )
    return draft.violated(
        text,
        counterexample(
            text,
            [*trials[-1:], *window.leaks],
            around=trials,
            interval=(window.settled, window.end),
            expected="no arrival",
            got=f"{len(window.leaks)} arrivals",
        ),
    )
