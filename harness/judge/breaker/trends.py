"""How much was under way at each moment, at the front and behind, and whether that kept growing.

Everything here counts joined calls; nothing reads a gauge of the service. Samples are 100 ms apart
(contract §5.5), peaks are exact. Instants and spans in nanoseconds since the run's start.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.judge.breaker.known import MS, Joined, Known, PhaseView
from harness.model.breaker_history import Arrival

STEP = 100 * MS

# Growing for certain: by a fifth, and by more than a handful (contract §5.5).
_BY_SHARE = 1.2
_BY_COUNT = 5


@dataclass(frozen=True, slots=True)
class InFlight:
    """What began and ended when, each sorted; what has no end on record stays under way."""

    begins: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int | None]]) -> "InFlight":
        """From ``(begin, end)`` each; an end before its begin counts as never under way."""
        kept = [(begin, end) for begin, end in spans if end is None or end > begin]
        return cls(
            begins=sorted(begin for begin, _ in kept),
            ends=sorted(end for _, end in kept if end is not None),
        )

    def at(self, instant: int) -> int:
        return bisect_right(self.begins, instant) - bisect_right(self.ends, instant)

    def samples(self, since: int, until: int, step: int = STEP) -> list[int]:
        """How many were under way at ``since``, a step later, and so on up to ``until``."""
        return [self.at(instant) for instant in range(since, until + 1, step)]

    def peak(self, since: int = 0, until: int | None = None) -> tuple[int, int]:
        """The most at one moment in [since, until], and the first such moment; (0, since) for none."""
        best, when = self.at(since), since
        first = bisect_right(self.begins, since)
        last = len(self.begins) if until is None else bisect_right(self.begins, until)
        ended, ends = bisect_right(self.ends, since), self.ends
        for index in range(first, last):
            begin = self.begins[index]
            while ended < len(ends) and ends[ended] <= begin:
                ended += 1
            if index + 1 - ended > best:
                best, when = index + 1 - ended, begin
        return best, when


def pending(calls: Iterable[Joined], patience: int) -> InFlight:
    """Calls that their callers still wait for.

    Rejections in progress are no pending work: one that is short-circuited counts only from
    ``patience`` after its sending on, when it has been waiting for something else.
    """
    return InFlight.of(pending_span(joined, patience) for joined in calls)


def pending_span(joined: Joined, patience: int) -> tuple[int, int | None]:
    call = joined.call
    rejected = joined.cls == "short-circuited"
    return (call.sent + patience if rejected else call.sent), call.ended


def behind(arrivals: Iterable[Arrival], slack: int) -> InFlight:
    """Requests on the back hop, each attempt one."""
    return InFlight.of(behind_span(arrival, slack) for arrival in arrivals)


def arrivals_of(calls: Iterable[Joined]) -> Iterable[Arrival]:
    return (arrival for joined in calls for arrival in joined.call.arrivals)


def behind_span(arrival: Arrival, slack: int) -> tuple[int, int | None]:
    """From its arrival to its end; that of an abandoned one is noticed up to ``slack`` late."""
    if arrival.ended is None or arrival.end != "abandoned":
        return arrival.arrived, arrival.ended
    return arrival.arrived, arrival.ended - slack


def arrivals_during(known: Known, view: PhaseView) -> list[Arrival]:
    """All that came to the hop in this phase, whether or not a call of ours is known to have caused it.

    What remains to count by where ids do not join.
    """
    left, strays = view.phase.left, known.history.strays
    first = bisect_left(strays, view.phase.entered, key=_arrived)
    last = len(strays) if left is None else bisect_right(strays, left, key=_arrived)
    return [*arrivals_of(view.calls), *strays[first:last]]


def growing(samples: Sequence[int]) -> bool:
    """Whether the least of the last quarter certainly exceeds the most of the first (contract §5.5)."""
    quarter = len(samples) // 4
    if quarter < 1:
        return False
    before, after = max(samples[:quarter]), min(samples[-quarter:])
    return after > before * _BY_SHARE and after > before + _BY_COUNT


def still_rising(samples: Sequence[int]) -> bool:
    """Whether it was growing and had not levelled when the samples end.

    What grew for a while and then levelled also has a higher last quarter; here the least of the last
    tenth exceeds all before the last quarter as well.
    """
    quarter, tenth = len(samples) // 4, len(samples) // 10
    if not growing(samples) or tenth < 1:
        return False
    return min(samples[-tenth:]) > max(samples[:-quarter])


def most_sent_within(sent: Sequence[int], span: int) -> int:
    """The most calls sent in any stretch of ``span``, counted; ``sent`` is sorted."""
    first = most = 0
    for index, instant in enumerate(sent):
        while instant - sent[first] > span:
            first += 1
        most = max(most, index + 1 - first)
    return most


def load_of(view: PhaseView) -> tuple[int, int]:
    """From the fault, or the first call, to the last call sent: where load was on."""
    if not view.calls:
        return view.phase.entered, view.phase.entered
    begin = view.calls[0].call.sent
    if view.faults:
        begin = max(begin, view.faults[0].applied[1])
    return begin, max(begin, view.calls[-1].call.sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Open sockets of the service's process: the most in the baseline, and in one phase."""

    before: int
    most: int


def sockets_in(known: Known, view: PhaseView) -> Sockets | None:
    """None where they were not read in both."""
    baseline = {phase.phase.id for phase in known.phases_of(1)}
    before, during = [], []
    for sample in known.history.samples:
        if sample.sockets is not None:
            if sample.phase in baseline:
                before.append(sample.sockets)
            elif sample.phase == view.phase.id:
                during.append(sample.sockets)
    return Sockets(before=max(before), most=max(during)) if before and during else None


def sent_between(view: PhaseView, since: int, until: int) -> Sequence[Joined]:
    """The phase's calls sent in (since, until]."""
    first = bisect_right(view.calls, since, key=_sent)
    last = bisect_right(view.calls, until, key=_sent)
    return view.calls[first:last]


def sent_from(view: PhaseView, since: int) -> Sequence[Joined]:
    """The phase's calls sent at ``since`` or later."""
    return view.calls[bisect_left(view.calls, since, key=_sent) :]


def _sent(joined: Joined) -> int:
    return joined.call.sent


def _arrived(arrival: Arrival) -> int:
    return arrival.arrived
