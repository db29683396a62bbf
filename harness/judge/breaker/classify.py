"""What became of each call, on two axes, and the intervals in which the breaker decided on it.

Nothing here knows of states. A status alone decides nothing: the arrivals behind the service do.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from harness.judge.breaker.attempts import transport_retries
from harness.judge.breaker.crowding import Crowding, crowding
from harness.judge.breaker.known import Class, Flag, Interval, Joined
from harness.judge.breaker.outcome import Outcomes
from harness.model.breaker import BreakerPlan
from harness.model.breaker_history import Arrival, BreakerHistory, Call

Outcome = Literal["failure", "success", "nothing"] | None

_NO_FLAGS: frozenset[Flag] = frozenset()
_CUT = ("cut", "downstream-cut")
_LEFT = ("left", "deadline")
_BROKEN = ("refused", "reset", "eof")


def classify(
    history: BreakerHistory, slack: Mapping[str, int], otherwise: int
) -> tuple[Joined, ...]:
    """All calls joined, in their order. ``slack``: δ by phase; ``otherwise`` for calls of no phase."""
    classes = _Classes(history, slack, otherwise)
    return tuple(classes.join(call, slack.get(call.phase, otherwise)) for call in history.calls)


class _Classes:
    def __init__(self, history: BreakerHistory, slack: Mapping[str, int], otherwise: int) -> None:
        self._plan = history.declared
        self._outcomes = Outcomes(history.declared)
        self._crowding: Crowding = crowding(history, otherwise, slack)
        self._gaps = history.gaps
        self._readable = history.readable
        self._apart = history.uncertainty
        self._slow = self._plan.slow.over.ns if self._plan.slow is not None else None
        counted = Counter(call.rid for call in history.calls)
        self._ambiguous = {rid for rid, count in counted.items() if count > 1}

    def join(self, call: Call, slack: int) -> Joined:
        if call.rid in self._ambiguous:
            return Joined(call=call, cls="unknown")
        if not call.arrivals:
            return self._without_arrival(call)
        last = call.arrivals[-1]
        admitted = Interval(call.sent, call.arrivals[0].arrived + self._apart)
        repeats = transport_retries(call.arrivals) if len(call.arrivals) > 1 else 0
        cls, outcome = self._of(call, last)
        flags = _flags(call, cls, last)
        if repeats:
            flags |= {"transport-retried"}
        return Joined(
            call=call,
            cls=cls,
            flags=flags,
            admitted=admitted,
            settled=self._settled(call, cls, last, slack),
            outcome=outcome,
            attempts=len(call.arrivals) - repeats,
            transport_retries=repeats,
        )

    def _without_arrival(self, call: Call) -> Joined:
        if call.end != "answered" or call.ended is None or not self._readable:
            return Joined(call=call, cls="unknown")
        if any(since <= call.ended and until >= call.sent for since, until in self._gaps):
            return Joined(call=call, cls="unknown")
        flags = _NO_FLAGS
        if self._crowding.limit is not None and self._crowding.within(call.sent, call.ended):
            flags |= {"maybe-bulkhead"}
        if _undeclared(call, self._plan):
            flags |= {"undeclared-rejection"}
        decided = Interval(call.sent, call.ended)
        return Joined(call=call, cls="short-circuited", flags=flags, admitted=decided)

    def _of(self, call: Call, last: Arrival) -> tuple[Class, Outcome]:
        if _left_before(call, last):
            return "left-forwarded", self._of_departure(last)
        if self._gave_up(call, last):
            return "timed-out-forwarded", self._worth(None, timed_out=True)
        if last.end == "open":
            return "unknown", None
        if last.end in _CUT:
            return _failed_or(self._worth(None, cut=True))
        return self._of_answer(call, last)

    def _of_answer(self, call: Call, last: Arrival) -> tuple[Class, Outcome]:
        match self._outcomes.of(last.status):
            case "failure":
                return "forwarded-failed", "failure"
            case "ignored":
                return "forwarded-ignored", self._ignored()
            case _:
                return self._of_good(call, last)

    def _of_good(self, call: Call, last: Arrival) -> tuple[Class, Outcome]:
        took = (last.ended or last.arrived) - call.arrivals[0].arrived
        # A share of its own counts slow calls apart; for the failures they are good ones.
        own = self._plan.slow is not None and self._plan.slow.threshold is not None
        if self._slow is not None and took > self._slow:
            return "forwarded-slow", "success" if own else "failure"
        if self._slow is None or own or longest_wait(call) <= self._slow:
            return "forwarded-ok", "success"
        # The hop saw it end in time, yet the service waits longer: for both ways as well.
        return "forwarded-ok", None

    def _of_departure(self, last: Arrival) -> Outcome:
        if last.end == "abandoned":
            declared = self._plan.cancellation
            return None if declared is None else ("failure" if declared == "failure" else "nothing")
        if last.end == "open":
            return None
        # The call went on without its caller, and what came of it counts.
        return self._worth(last.status, cut=last.end in _CUT)

    def _worth(self, status: int | None, *, cut: bool = False, timed_out: bool = False) -> Outcome:
        counts = self._outcomes.of(status, cut=cut, timed_out=timed_out)
        return self._ignored() if counts == "ignored" else counts

    def _ignored(self) -> Outcome:
        return self._plan.ignored_as

    def _gave_up(self, call: Call, last: Arrival) -> bool:
        """The service closed the call, or answered without waiting for it."""
        if last.end == "abandoned":
            return True
        if call.end != "answered" or call.ended is None:
            return False
        return last.ended is None or call.ended + self._apart < last.ended

    def _settled(self, call: Call, cls: Class, last: Arrival, slack: int) -> Interval | None:
        over, ended, apart = call.ended, last.ended, self._apart
        if cls == "unknown":
            return None
        if cls == "timed-out-forwarded" or (cls == "left-forwarded" and last.end == "abandoned"):
            known = [one for one in (over, ended if last.end == "abandoned" else None) if one]
            # A caller without any end saw nothing that could bound it.
            return Interval(min(known) - slack, None if over is None else max(known) + slack)
        if cls == "left-forwarded":
            return None if ended is None else Interval(ended - apart, None)
        if ended is None:
            return None
        return Interval(ended - apart, None if over is None else max(ended, over + slack))


def longest_wait(call: Call) -> int:
    """As long as the service can have waited for it, in ns: no longer than its caller did."""
    return 0 if call.ended is None else call.ended - call.sent


def _left_before(call: Call, last: Arrival) -> bool:
    if call.end not in _LEFT or call.ended is None:
        return False
    return last.ended is None or last.ended >= call.ended


def _failed_or(outcome: Outcome) -> tuple[Class, Outcome]:
    """A cut call failed, unless the declaration takes cuts for something else."""
    if outcome == "failure":
        return "forwarded-failed", outcome
    return ("forwarded-ok", outcome) if outcome == "success" else ("forwarded-ignored", outcome)


def _flags(call: Call, cls: Class, last: Arrival) -> frozenset[Flag]:
    if cls in ("forwarded-ok", "forwarded-slow"):
        error = call.answer in ("other", "rejection") or call.end in _BROKEN
        return frozenset({"masked"}) if error else _NO_FLAGS
    if cls in ("forwarded-failed", "timed-out-forwarded"):
        good = call.answer in ("success", "fallback")
        return frozenset({"fallback-after-failure"}) if good else _NO_FLAGS
    if cls == "left-forwarded" and last.end == "abandoned":
        return frozenset({"cancelled"})
    return _NO_FLAGS


def _undeclared(call: Call, plan: BreakerPlan) -> bool:
    declared = plan.rejection.status is not None or plan.fallback is not None
    return declared and call.answer not in ("rejection", "fallback")
