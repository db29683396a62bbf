"""What load an open loop really offered in a round, and what it lacks against what was planned.

A loop that sends late or leaves requests out tests something else than was asked for, and mostly
something milder. It is never fine in silence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.judge.evidence import Call, Lack
from harness.model.events import ArrivalsFinished, ArrivalsStarted
from harness.model.units import Duration, Instant

LEAST_IN_TIME = 0.9
# A request is in time within half a gap of its due time; at high rates within what a machine at its
# limit takes to give a process its turn (measured on two cores with two busy loops beside: 99 % within
# 7 to 22 ms). The number sent is the same then, a few go out together.
LEAST_TOLERANCE = Duration.of_ms(20)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLoad:
    """One step's: of ``planned`` requests ``in_time`` were sent when due, ``dropped`` not at all."""

    step: str
    planned: int
    rate: float
    sent: int
    in_time: int
    dropped: int
    cap: int
    late_p99: Duration
    lasted: Duration
    """From the first due time to the last request sent."""

    @property
    def reached(self) -> float:
        """The rate that was reached, in requests a second."""
        return self.sent / self.lasted.in_s if self.lasted > Duration.ZERO else self.rate


def tolerance(rate: float) -> Duration:
    """How late a request may be and still count as in time."""
    return max(LEAST_TOLERANCE, Duration.of_s(0.5 / rate))


def offered_load(
    started: ArrivalsStarted, finished: ArrivalsFinished, calls: Iterable[Call]
) -> OfferedLoad:
    """From the two ends of the loop and the round's calls."""
    allowed, in_time = tolerance(started.rate), 0
    last: Instant = started.first
    for call in calls:
        if call.burst != started.step:
            continue
        last = max(last, call.sent)
        in_time += call.due is not None and call.sent - call.due <= allowed
    return OfferedLoad(
        step=started.step,
        planned=started.planned,
        rate=started.rate,
        sent=finished.sent,
        in_time=in_time,
        dropped=finished.dropped,
        cap=finished.cap,
        late_p99=finished.late_p99,
        lasted=last - started.first,
    )


def lacks_of_load(loads: Iterable[OfferedLoad]) -> Iterator[Lack]:
    """Why the load was not what was planned; nothing where it was."""
    for load in loads:
        if load.dropped:
            detail = (
                f"arrivals {load.step}: sent {_share(load.sent, load.planned)} of what was planned; "
                f"{load.dropped} of {load.planned} requests were due while {load.cap} were in flight, "
                "and no more may be"
            )
            yield Lack(short="load dropped at the cap", detail=detail, about="traffic")
        if load.in_time < LEAST_IN_TIME * load.sent:
            detail = (
                f"arrivals {load.step}: sent {_share(load.in_time, load.sent)} of its requests when they were due, "
                f"within {tolerance(load.rate)} (99 % within {load.late_p99}), "
                f"and reached {load.reached:.3g} a second instead of {load.rate:.3g}"
            )
            yield Lack(short="load sent late", detail=detail, about="traffic")


def _share(part: int, whole: int) -> str:
    """Rounded down: what is not whole is never 100 %."""
    return f"{100 * part // whole} %"
