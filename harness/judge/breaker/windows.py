"""Bursts of callers that meet a breaker which is due for a trial: who was let through before the rest.

A window counts only where overlap is proven: all callers were there long before the first trial could
have settled. One that lacked it says nothing for ``held``; a certain excess in it accuses all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.breaker.finding import Draft, seconds
from harness.judge.breaker.known import Joined, Known, Outage, PhaseView
from harness.judge.breaker.lives import (
    ends_early,
    first_arrival,
    index_of,
    life_in,
    shown_open,
)
from harness.judge.breaker.stretches import coarseness
from harness.judge.breaker.times_in_words import in_seconds

LEAST_CALLERS = 50
LEAST_WINDOWS = 5
WIDEST = 0.25
"""The spread, as a share of the trial's latency at the downstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One burst. ``early``: forwarded before any of ``through`` can have settled.

    ``unfit`` is why it does not count towards ``held``; ``certain`` false: it is not certain that
    the breaker was open before the burst, so nobody is accused either.
    """

    view: PhaseView
    number: int
    life: Outage | None
    callers: Sequence[Joined]
    through: Sequence[Joined]
    """All that were forwarded since the burst began, as they arrived."""
    early: Sequence[Joined]
    first: Joined | None
    """Of those the one that can have settled first."""
    spread: int
    latency: int | None
    """How long the downstream took for the first trial; None: no trial ended."""
    certain: bool
    unfit: str

    @property
    def name(self) -> str:
        return f"window {self.number} ({self.view.phase.id})"

    @property
    def overlap(self) -> float:
        """Spread by latency; 0 where the trial never ended, so that everything lay within it."""
        return self.spread / self.latency if self.latency else 0.0

    def sample(self) -> dict[str, object]:
        """For a person to count again: ``t_open`` is the trip that the burst waited for."""
        settled = None if self.first is None else ends_early(self.first)
        tau = self.life.tau if self.life else None
        return {
            "window": self.view.phase.id,
            "t_open": None
            if tau is None
            else [seconds(tau.lo), None if tau.hi is None else seconds(tau.hi)],
            "callers": len(self.callers),
            "first_sent": seconds(self.callers[0].call.sent) if self.callers else None,
            "last_sent": seconds(self.callers[-1].call.sent) if self.callers else None,
            "arrivals": [joined.call.rid for joined in self.early][:100],
            "first_settled": None if settled is None else seconds(settled),
            "counts": not self.unfit,
            **({"why_not": self.unfit} if self.unfit else {}),
        }


def windows(known: Known, *numbers: int, least: int = LEAST_CALLERS) -> list[Window]:
    """One for each phase of these numbers; ``least`` callers make one that counts."""
    views = known.phases_of(*numbers)
    return [_window(known, view, index, least) for index, view in enumerate(views, 1)]


def note_needs(draft: Draft, found: Sequence[Window], *, least: int = LEAST_CALLERS) -> int:
    """What the verdict needs of the windows, with the worst that was had; how many count.

    While enough of them count, the others are left out and a note says why; else all are shown.
    """
    fit = [window for window in found if not window.unfit]
    enough = len(fit) >= LEAST_WINDOWS
    shown = fit if enough else found
    callers = min((len(window.callers) for window in shown), default=0)
    draft.need("callers per window", callers, at_least=least)
    draft.need("windows", len(fit), at_least=LEAST_WINDOWS, by_script=True)
    widest = max((window.overlap for window in shown), default=0.0)
    draft.need("spread / trial latency", round(widest, 3), at_most=WIDEST)
    for window in found:
        if window.unfit and enough:
            draft.notes.append(f"{window.name} does not count: {window.unfit}")
        elif window.unfit:
            draft.lacks.append(f"{window.name}: {window.unfit}")
    draft.samples.extend(window.sample() for window in found)
    draft.rounds = len(fit)
    return len(fit)


def _window(known: Known, view: PhaseView, number: int, least: int) -> Window:
    start, stop = _burst(known, view)
    callers = view.calls[start:stop]
    began = callers[0].call.sent if callers else view.phase.entered
    life = life_in(known, view, began, key=callers[0].call.key if callers else "")
    through = sorted(
        (joined for joined in view.calls[start:] if joined.forwarded), key=first_arrival
    )
    first = min(
        (joined for joined in through if joined.settled is not None),
        key=lambda joined: ends_early(joined) or 0,
        default=None,
    )
    settled = None if first is None else ends_early(first)
    early = [joined for joined in through if settled is None or first_arrival(joined) < settled]
    given = view.phase.given.get("spread")
    spread = max(int(given or 0), _spread(callers))
    latency = settled - first_arrival(through[0]) if settled is not None and through else None
    certain = _certainly_open(known, view, life, start)
    window = Window(
        view=view,
        number=number,
        life=life,
        callers=callers,
        through=through,
        early=early,
        first=first,
        spread=spread,
        latency=latency,
        certain=certain,
        unfit="",
    )
    return replace(window, unfit=_unfit(known, window, least))


def _burst(known: Known, view: PhaseView) -> tuple[int, int]:
    """The slice of so many calls as there were callers: the first after half of the open time.

    Where that is not known, those so many in a row that were sent in the least time.
    """
    calls, size = view.calls, min(view.phase.callers or 0, len(view.calls))
    if not size:
        return len(calls), len(calls)
    trips = (life for life in known.outages if life.phase == view.phase.id and not life.cycle)
    trip = next(trips, None)
    if trip is not None and trip.duration is not None:
        start = index_of(calls, trip.tau.lo + trip.duration // 2)
        return start, min(start + size, len(calls))
    start = min(
        range(len(calls) - size + 1),
        key=lambda index: calls[index + size - 1].call.sent - calls[index].call.sent,
    )
    return start, start + size


def _spread(callers: Sequence[Joined]) -> int:
    return callers[-1].call.sent - callers[0].call.sent if callers else 0


def _certainly_open(known: Known, view: PhaseView, life: Outage | None, start: int) -> bool:
    """It was seen open, and nothing before the burst can have closed it again."""
    if life is None or not shown_open(known, life):
        return False
    tripped = life.tau.lo
    for joined in view.calls[:start]:
        if not joined.forwarded or joined.outcome == "failure":
            continue
        if joined.settled is None or joined.settled.hi is None or joined.settled.hi > tripped:
            return False
    return True


def _unfit(known: Known, window: Window, least: int) -> str:
    """Why it does not count; empty if it does. A phase whose log has a gap lacks what it needs anyway."""
    view, callers = window.view, window.callers
    if view.lack or not callers:
        return view.lack or "no burst is on record"
    reasons = {
        f"{len(callers)} of {least} callers": len(callers) < least,
        "the breaker was not certainly open before the burst": not window.certain,
        "no caller was let through": not window.through,
        f"spread / trial latency is {window.overlap:.2f}, at most {WIDEST}": (
            window.overlap > WIDEST
        ),
    }
    found = next((reason for reason, holds in reasons.items() if holds), "")
    return found or _not_due(known, window)


def _not_due(known: Known, window: Window) -> str:
    """The whole open time must have passed. That nobody called meanwhile is in the spread already."""
    life, began = window.life, window.callers[0].call.sent
    assert life is not None  # certain
    if life.duration is None or life.tau.hi is None:
        return "it is not known how long the breaker stays open, so not whether a trial was due"
    jitter = float(known.terms.jitter.value or 0)
    longest = round(life.duration * (1 + jitter)) + coarseness(known, life.duration)
    due = life.tau.hi + longest
    if began >= due:
        return ""
    return f"the burst came {in_seconds(due - began)} before a trial was due for certain"
