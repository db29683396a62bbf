"""What was seen of a breaker from outside, joined: each call with the arrivals that it caused.

All times are whole nanoseconds since the run's start, on one clock. Made from the journal by a pure
projection, or by hand in tests; the judge reads nothing else. These are values that exist in hundreds
of thousands: bare numbers and texts, which the garbage collector need not follow.
"""

from typing import Any, Literal

from msgspec import Struct

from harness.model.breaker import BreakerPlan

CallEnd = Literal["answered", "left", "deadline", "refused", "reset", "eof", "open"]
"""``left`` is our planned departure; ``open`` has no end on record."""
ArrivalEnd = Literal["answered", "abandoned", "cut", "downstream-cut", "open"]
"""``abandoned``: the service closed first. ``cut``: our hop did. ``downstream-cut``: the other side."""
Answer = Literal["success", "fallback", "rejection", "other", "none"]


class Arrival(Struct, frozen=True, kw_only=True, gc=False):
    """One request at the hop. ``arrived``: its head was complete, before any toxic acted.

    ``ended`` of an answered one is just before the last byte goes to the kernel, a lower bound.
    ``began``: a byte of a response was passed on to the service.
    """

    conn: int
    seq: int
    arrived: int
    rid: str | None = None
    ended: int | None = None
    end: ArrivalEnd = "open"
    status: int | None = None
    began: bool = False
    method: str = "GET"
    injected: tuple[str, ...] = ()
    instance: str | None = None
    """Whose connection it came on, where that is known."""


class Call(Struct, frozen=True, kw_only=True, gc=False):
    """One call of ours. ``due`` is when it was to be sent, ``sent`` just before its first byte was.

    ``ended`` is just after the last byte of the answer, or when we left or the error surfaced.
    """

    rid: str
    phase: str
    due: int
    sent: int
    key: str = ""
    ended: int | None = None
    end: CallEnd = "open"
    status: int | None = None
    first: int | None = None
    answer: Answer = "none"
    arrivals: tuple[Arrival, ...] = ()
    """In the order in which they arrived."""


class Phase(Struct, frozen=True, kw_only=True):
    """One phase of the script, as it was run. ``number`` and ``name`` are the script's (contract §4.3).

    ``id`` is unique in the run; ``round`` counts repetitions from 1. ``planned`` calls at ``rate`` a
    second (None: not at a rate); ``callers`` at once in a burst. ``fault`` is what the downstream was
    made to do, ``latency`` how much later it answered. ``reached`` false: it could not begin as it
    must, for the reason ``why``.
    """

    id: str
    number: int
    name: str
    entered: int
    left: int | None = None
    round: int = 1
    rate: float | None = None
    planned: int | None = None
    callers: int | None = None
    fault: str | None = None
    latency: int = 0
    reached: bool = True
    why: str = ""
    lag: int = 0
    """How late a timer of ours fired in it, at worst."""
    capped: bool = False
    """The bound on our own calls in flight was reached, so some were not sent when due."""
    given: dict[str, Any] = {}
    """What else the script set: rids of what was hung or left, patterns, the burst's spread."""


class FaultSpan(Struct, frozen=True, kw_only=True):
    """One fault at the hop. It began within ``applied`` and ended within ``undone``."""

    phase: str
    kind: str
    params: dict[str, Any]
    applied: tuple[int, int]
    undone: tuple[int, int] | None = None
    injected: int = 0
    needs_seen: bool = True
    """False where nothing can be hit, as of a fault of which no arrival may come."""


class Sample(Struct, frozen=True, kw_only=True, gc=False):
    """The service's process at one moment; None is what could not be read."""

    at: int
    phase: str
    pid: int
    rss: int | None = None
    sockets: int | None = None
    loop_lag: int | None = None
    rejections: int | None = None
    """Of a window of rejections that ended just before: how many there were (phase ``memory``)."""
    warming: bool = False
    """It closes a window of good calls, before the rejections."""


class BreakerHistory(Struct, frozen=True, kw_only=True):
    """Everything the judge knows. ``calls`` in the order in which they were sent, ``strays`` as they arrived.

    ``gaps`` are stretches of which the hop's log was lost. ``uncertainty`` is how far the clocks of
    several machines may be apart. ``instances_seen`` counts the processes behind the hop's connections.
    """

    declared: BreakerPlan
    phases: tuple[Phase, ...]
    calls: tuple[Call, ...]
    strays: tuple[Arrival, ...] = ()
    faults: tuple[FaultSpan, ...] = ()
    samples: tuple[Sample, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    uncertainty: int = 0
    instances_seen: int = 1
    readable: bool = True
    """False: the hop did not speak HTTP/1, so arrivals carry no ids."""
    started: int = 0
    callers: str = "one process"
