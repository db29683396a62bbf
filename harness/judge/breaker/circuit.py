"""The calls of one circuit over phases that follow on each other, sorted in the three ways the fold asks for."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.judge.breaker.known import Joined, PhaseView
from harness.judge.breaker.rule import Rule
from harness.judge.breaker.settlements import (
    FAIL,
    NONE,
    Settlement,
    settlements,
    slow_ones,
)
from harness.judge.breaker.sliding import Counted
from harness.model.breaker import BreakerPlan

SECOND_OUTAGE = 17
WARM_UP, HEAL = 0, 6
"""Phases that go on from the one before; all others begin with a circuit closed for certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One circuit from ``entered`` to ``until``; what else there is of it was closed before or after.

    ``calls`` by ``sent``, ``rejected`` and ``refused`` too; ``forwarded`` by first arrival; settlements
    by lower ends. ``refused`` has those as well that a bulkhead may have rejected: they show no open
    state, yet where one is due they are no sign of a closed one either.
    """

    key: str
    views: Sequence[PhaseView]
    calls: Sequence[Joined]
    rejected: Sequence[Joined]
    refused: Sequence[Joined]
    forwarded: Sequence[Joined]
    settled: Sequence[Settlement]
    slow: Sequence[Settlement]
    entered: int
    until: int
    past: "Past"

    @property
    def clears(self) -> bool:
        """Whether a closing empties a window here.

        By the letter it always does. Only the phase of the second outage holds a breaker to that, so that
        one which keeps its window is told so once (BRK-19).
        """
        return self.views[0].number == SECOND_OUTAGE

    def view_at(self, instant: int) -> PhaseView:
        """The phase at an instant; the last one that had begun."""
        begun = [view for view in self.views if view.phase.entered <= instant]
        return begun[-1] if begun else self.views[0]

    def rejected_from(self, instant: int) -> Sequence[Joined]:
        """Rejected ones sent at ``instant`` or later."""
        return self.rejected[bisect_left(self.rejected, instant, key=_sent) :]

    def refused_from(self, instant: int) -> Sequence[Joined]:
        """The same with those that a bulkhead may have rejected."""
        return self.refused[bisect_left(self.refused, instant, key=_sent) :]

    def forwarded_from(self, instant: int) -> Sequence[Joined]:
        """Forwarded ones that arrived at ``instant`` or later."""
        return self.forwarded[bisect_left(self.forwarded, instant, key=_arrived) :]

    def counted_since(self, instant: int) -> Counted:
        """What a share may be taken of: for certain what came from ``instant`` on, perhaps all before."""
        admitted, refused = _spans(self.forwarded), _spans(self.refused)
        since = [span for span in admitted if span[0] >= instant]
        refused_since = [span for span in refused if span[0] >= instant]
        cleared = self.clears and instant > self.entered
        return Counted(
            admitted=since,
            refused=refused_since,
            perhaps_admitted=since if cleared else [*self.past.admitted, *admitted],
            perhaps_refused=refused_since if cleared else [*self.past.refused, *refused],
        )


@dataclass(slots=True, kw_only=True)
class Past:
    """What a window may still hold of a circuit's calls before: nobody knows whether closing clears it."""

    settled: list[Settlement] = field(default_factory=list)
    slow: list[Settlement] = field(default_factory=list)
    admitted: list[tuple[int, int]] = field(default_factory=list)
    refused: list[tuple[int, int]] = field(default_factory=list)

    def after(self, circuit: Circuit, window: Rule | None) -> "Past":
        """As it is once this course of the circuit is over."""
        if window is None or window.window is None:
            return self
        return Past(
            settled=_last([*self.settled, *_perhaps(circuit.settled)], window, circuit.until),
            slow=_last([*self.slow, *_perhaps(circuit.slow)], window, circuit.until),
            admitted=_since([*self.admitted, *_spans(circuit.forwarded)], window, circuit.until),
            refused=_since([*self.refused, *_spans(circuit.refused)], window, circuit.until),
        )


def groups_of(views: Sequence[PhaseView]) -> list[list[PhaseView]]:
    """Phases that share one course: each that begins closed for certain, with those that go on from it.

    The calls that bring a circuit to its next beginning go on from where the phase before left it. A
    group whose first phase did not reach its beginning shows no lives, yet a window may hold its calls.
    """
    groups: list[list[PhaseView]] = []
    for view in views:
        goes_on = view.number in (WARM_UP, HEAL) or view.phase.given.get("continues")
        if goes_on and groups:
            groups[-1].append(view)
        else:
            groups.append([view])
    return groups


def circuits_of(
    group: Sequence[PhaseView], plan: BreakerPlan, slack: int, past: Mapping[str, Past]
) -> list[Circuit]:
    """By key, where keys are declared to have circuits of their own; else all calls are one's.

    ``past``: by key, what came before this group.
    """
    apart = plan.isolation in ("key", "host")
    by_key: dict[str, list[Joined]] = {}
    for view in group:
        for joined in view.calls:
            by_key.setdefault(joined.call.key if apart else "", []).append(joined)
    return [
        _circuit(key, group, calls, plan, slack, past.get(key, Past()))
        for key, calls in sorted(by_key.items())
    ]


def counting(
    settled: Sequence[Settlement],
    since: int,
    trials: set[str],
    stragglers: str | None,
    window: Rule | None,
) -> list[Settlement]:
    """What may count after a closing at ``since``: not the trials, and stragglers as declared.

    A ``window`` may still hold what settled before, its trials too.
    """
    found = []
    for one in settled:
        if one.hi <= since or one.joined.call.rid in trials:
            if window is not None and window.window is not None:
                found.append(Settlement(one.lo, one.hi, one.mask | NONE, one.joined))
        elif one.joined.call.sent < since and stragglers != "counted":
            mask = NONE if stragglers == "ignored" else one.mask | NONE
            found.append(Settlement(max(one.lo, since), one.hi, mask, one.joined))
        else:
            found.append(one)
    return sorted(found, key=_lower)


def _circuit(
    key: str,
    group: Sequence[PhaseView],
    calls: list[Joined],
    plan: BreakerPlan,
    slack: int,
    past: Past,
) -> Circuit:
    calls.sort(key=_sent)
    own = plan.slow is not None and plan.slow.threshold is not None
    last = group[-1].phase
    settled = settlements(calls, plan, slack)
    ends = [j.call.ended for j in calls[-1000:] if j.call.ended is not None]
    return Circuit(
        key=key,
        views=group,
        calls=calls,
        rejected=[joined for joined in calls if joined.rejected],
        refused=[joined for joined in calls if joined.cls == "short-circuited"],
        forwarded=sorted((joined for joined in calls if joined.forwarded), key=_arrived),
        settled=settled,
        slow=slow_ones(calls, plan) if own else (),
        entered=group[0].phase.entered,
        until=last.left if last.left is not None else max([last.entered, *ends]),
        past=past,
    )


def failing(settled: Sequence[Settlement], since: int) -> list[Settlement]:
    """Those that may count as failures and did not settle before ``since``."""
    return [one for one in settled if one.mask & FAIL and one.lo >= since]


def _perhaps(settled: Sequence[Settlement]) -> list[Settlement]:
    return [Settlement(one.lo, one.hi, one.mask | NONE, one.joined) for one in settled]


def _last(settled: list[Settlement], window: Rule, until: int) -> list[Settlement]:
    """What a window may still reach when the circuit's next course begins."""
    assert window.window is not None
    if window.kind == "time-window":
        return [one for one in settled if one.hi > until - window.window]
    # Twice the window: how many of the next calls take their place first is not known.
    return sorted(settled, key=lambda one: one.hi)[-2 * window.window :]


def _since(spans: list[tuple[int, int]], window: Rule, until: int) -> list[tuple[int, int]]:
    assert window.window is not None
    if window.kind == "time-window":
        return [span for span in spans if span[1] > until - window.window]
    return spans[-2 * window.window :]


def _spans(calls: Sequence[Joined]) -> list[tuple[int, int]]:
    """When each was let in or refused."""
    return [
        (one.admitted.lo, one.admitted.lo if one.admitted.hi is None else one.admitted.hi)
        for one in calls
        if one.admitted is not None
    ]


def _sent(joined: Joined) -> int:
    return joined.call.sent


def _arrived(joined: Joined) -> int:
    return joined.call.arrivals[0].arrived


def _lower(settlement: Settlement) -> int:
    return settlement.lo
