"""The events of the journal: one union, past tense, frozen. Every consumer matches exhaustively.

``n``, ``t`` and ``at`` are set by the journal when it writes. ``t`` is when the event was written;
a moment that matters more precisely has a field of its own, an ``Instant`` on the same clock.
An intention (``…Intended``) is on disk before the action it announces and carries all that undoes it.
"""

from typing import Any, Literal

from harness.model.breaker_events import HopRead as HopRead
from harness.model.breaker_events import LoopLagged as LoopLagged
from harness.model.breaker_events import PhaseEntered as PhaseEntered
from harness.model.breaker_events import PhaseLeft as PhaseLeft
from harness.model.breaker_events import ProcessSampled as ProcessSampled
from harness.model.fault_events import FaultApplied as FaultApplied
from harness.model.fault_events import FaultIntended as FaultIntended
from harness.model.fault_events import FaultNotUndone as FaultNotUndone
from harness.model.fault_events import FaultSeen as FaultSeen
from harness.model.fault_events import FaultUndone as FaultUndone
from harness.model.outcomes import Outcome
from harness.model.plan import Plan
from harness.model.stack_events import ContainerIntended as ContainerIntended
from harness.model.stack_events import ContainerRemoved as ContainerRemoved
from harness.model.stack_events import ContainerStarted as ContainerStarted
from harness.model.stack_events import Event as Event
from harness.model.stack_events import HopClosed as HopClosed
from harness.model.stack_events import HopIntended as HopIntended
from harness.model.stack_events import HopOpened as HopOpened
from harness.model.stack_events import ProcessEnded as ProcessEnded
from harness.model.stack_events import ProcessIntended as ProcessIntended
from harness.model.stack_events import ProcessStarted as ProcessStarted
from harness.model.stack_events import ServiceReady as ServiceReady
from harness.model.units import Duration, Instant

JOURNAL_SCHEMA = 1

Purpose = Literal["steady-before", "steady-after", "reset", "always", "settle", "at-end"]


# The run


class RunStarted(Event, frozen=True, kw_only=True, tag=True):
    """First event. ``mark`` stands in the environment of all that the run starts."""

    schema: int = JOURNAL_SCHEMA
    run: str
    mark: str
    pid: int
    plan: Plan
    environment: dict[str, Any]


class RunFinished(Event, frozen=True, kw_only=True, tag=True):
    """Last event: everything was stopped and undone, or ``not_undone`` says what remains."""

    not_undone: tuple[str, ...] = ()


class LimitReached(Event, frozen=True, kw_only=True, tag=True):
    limit: Duration
    during: str


class Interrupted(Event, frozen=True, kw_only=True, tag=True):
    signal: str
    during: str


class TargetFailed(Event, frozen=True, kw_only=True, tag=True):
    """The target failed in a way that is no verdict. ``detail`` is its own words."""

    what: str
    detail: str
    hint: str = ""


class HarnessFailed(Event, frozen=True, kw_only=True, tag=True):
    what: str
    detail: str


class SetupRefused(Event, frozen=True, kw_only=True, tag=True):
    """Files or machine were not as needed, found out after the run's folder was made: exit 2."""

    message: str


# Course of the run


class Prepared(Event, frozen=True, kw_only=True, tag=True):
    """One operation of ``prepare``; the names captured, never their values."""

    operation: str
    status: int | None
    outcome: Outcome
    captured: tuple[str, ...]


class SteadyStateJudged(Event, frozen=True, kw_only=True, tag=True):
    """One look at it: all of it held, on these readings; ``final`` false: it may recover yet."""

    when: Literal["before", "after"]
    held: bool
    failing: tuple[str, ...]
    values: dict[str, Any]
    final: bool


class ResetDone(Event, frozen=True, kw_only=True, tag=True):
    """``round`` None: before a look at the steady state. ``failing``: what of it does not hold."""

    round: int | None
    failing: tuple[str, ...] = ()


class RoundStarted(Event, frozen=True, kw_only=True, tag=True):
    round: int


class RoundFinished(Event, frozen=True, kw_only=True, tag=True):
    """Method done, settled or given up, faults undone, wire read."""

    round: int


class RoundsCutShort(Event, frozen=True, kw_only=True, tag=True):
    """No further round: ``broken`` of the ``rounds`` so far broke what was expected to break.

    Not recorded when the last planned round is over anyway.
    """

    rounds: int
    broken: int


class Settled(Event, frozen=True, kw_only=True, tag=True):
    round: int
    after: Duration


class NeverSettled(Event, frozen=True, kw_only=True, tag=True):
    """``probes`` never read alike twice, or ``in_flight`` or the bytes ``held`` never came to 0."""

    round: int
    probes: tuple[str, ...]
    in_flight: int
    held: int = 0
    limit: Duration


# Traffic


class BurstWritten(Event, frozen=True, kw_only=True, tag=True):
    """All requests stand at their receivers but for the last byte; the first went out at ``began``."""

    round: int
    burst: str
    requests: int
    warmed: int
    began: Instant | None = None


class BurstReleased(Event, frozen=True, kw_only=True, tag=True):
    """Last bytes went out from ``first`` to ``last``; ``requests`` of them."""

    round: int
    burst: str
    requests: int
    first: Instant
    last: Instant


class ArrivalsStarted(Event, frozen=True, kw_only=True, tag=True):
    """An open loop began: ``planned`` requests, the first due at ``first``, then at ``rate`` a second."""

    round: int
    step: str
    planned: int
    rate: float
    first: Instant
    phase: str = ""


class ArrivalsFinished(Event, frozen=True, kw_only=True, tag=True):
    """All were sent or ``dropped`` because ``cap`` were in flight.

    ``late_p99`` is how far behind their due time they were sent, ``most`` the highest number in flight.
    """

    round: int
    step: str
    sent: int
    dropped: int
    late_p99: Duration
    late_max: Duration
    most: int
    cap: int
    phase: str = ""


class OperationSent(Event, frozen=True, kw_only=True, tag=True):
    """``op`` is unique in the run. ``sent`` is the moment just before its last byte was written.

    Of an open loop it is the moment before its first byte, and ``due`` when that was planned.
    ``phase`` names the phase of a breaker's script; what bears one belongs to no round.
    """

    op: int
    operation: str
    round: int
    burst: str
    rid: str
    request: int
    sent: Instant
    key: str | None = None
    """What names its effect in the state; requests with one key are tries of one thing."""
    due: Instant | None = None
    phase: str = ""
    circuit: str = ""
    """The circuit it belongs to, where a breaker keeps several."""


class OperationReturned(Event, frozen=True, kw_only=True, tag=True):
    """The end of an operation. ``first`` and ``last`` are the answer's bytes; None without any.

    With a ``phase`` ``last`` is the moment of its end, however it came, and ``how`` says which that
    was; ``left`` is our own planned departure. ``answer`` sorts what came by what was declared.
    """

    op: int
    operation: str
    round: int
    status: int | None
    outcome: Outcome
    first: Instant | None
    last: Instant
    phase: str = ""
    how: Literal["", "answered", "left", "deadline", "refused", "reset", "eof"] = ""
    answer: Literal["success", "fallback", "rejection", "other", "none"] = "none"
    size: int = 0


# The wire


class HopRequestArrived(Event, frozen=True, kw_only=True, tag=True):
    """A turn began: client bytes after server bytes. Those before the release are left out.

    With a ``phase`` it is an HTTP request whose head was complete at ``arrived``, before any toxic.
    """

    hop: str
    conn: int
    seq: int
    arrived: Instant
    rid: str | None = None
    phase: str = ""
    method: str = ""
    instance: str | None = None
    """The process whose connection it came on, where that is known."""


class HopRequestEnded(Event, frozen=True, kw_only=True, tag=True):
    """``answered`` when the first byte of its answer was passed on to the client.

    ``upstream`` is when that byte came from the server, before any toxic; ``injected`` names the
    toxics that acted on the turn, as our own proxy reports them.

    With a ``phase`` it is the end of an HTTP request: ``ended`` is just before the last byte of its
    answer was handed on, ``began`` whether any byte of an answer was.
    """

    hop: str
    conn: int
    seq: int
    end: Literal["answered", "abandoned", "cut", "downstream-cut"]
    ended: Instant
    upstream: Instant | None = None
    injected: tuple[str, ...] = ()
    phase: str = ""
    status: int | None = None
    began: bool = False


class HopCounted(Event, frozen=True, kw_only=True, tag=True):
    """What moved through a hop in a round. ``turns``: since the release; ``dropped``: not kept."""

    hop: str
    round: int
    connections: int
    bytes_up: int
    bytes_down: int
    turns: int
    dropped: int


# State


class ProbeRead(Event, frozen=True, kw_only=True, tag=True):
    """One reading: a plain value, or an exact decimal or fraction as text with ``exact`` true.

    ``hidden``: it held a secret, so ``value`` is not what was read. A failed one is ``TargetFailed``.
    """

    probe: str
    purpose: Purpose
    round: int | None
    asked: Instant
    answered: Instant
    value: Any
    exact: bool = False
    hidden: bool = False


AnyEvent = (
    RunStarted
    | RunFinished
    | LimitReached
    | Interrupted
    | TargetFailed
    | HarnessFailed
    | SetupRefused
    | ProcessIntended
    | ProcessStarted
    | ProcessEnded
    | ServiceReady
    | ContainerIntended
    | ContainerStarted
    | ContainerRemoved
    | HopIntended
    | HopOpened
    | HopClosed
    | Prepared
    | SteadyStateJudged
    | ResetDone
    | RoundStarted
    | RoundFinished
    | RoundsCutShort
    | Settled
    | NeverSettled
    | FaultIntended
    | FaultApplied
    | FaultSeen
    | FaultUndone
    | FaultNotUndone
    | ArrivalsStarted
    | ArrivalsFinished
    | PhaseEntered
    | PhaseLeft
    | LoopLagged
    | ProcessSampled
    | HopRead
    | BurstWritten
    | BurstReleased
    | OperationSent
    | OperationReturned
    | HopRequestArrived
    | HopRequestEnded
    | HopCounted
    | ProbeRead
)
