"""The trace a delaying toxic leaves on the wire: which messages bear it, and which rule it out.

Pure: turns and a time window in, ``FaultSeen`` out. Nothing here asks a proxy.

Our own proxy names the toxics that acted on each turn. Before a foreign proxy stands a hop of ours
that sees turns from outside; there, a message that came back sooner than the toxic allows proves
that the toxic was not in force, and one that took as long bears its trace. The second is the weaker
proof (a lock in the database delays too), so it never stands alone: one sooner message outweighs it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from harness.model.events import FaultSeen
from harness.model.units import Duration, Instant


class Turn(Protocol):
    """What a hop saw of one request and its answer."""

    @property
    def arrived(self) -> Instant: ...
    @property
    def upstream(self) -> Instant | None: ...
    @property
    def ended(self) -> Instant: ...
    @property
    def end(self) -> str: ...
    @property
    def injected(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a message must look like while the toxic is in force.

    ``least`` is the shortest possible delay, ``usual`` the one to expect; ``certain`` is false when
    the toxic may spare a message (toxicity below 1, or a draw that can come to nothing).
    """

    toxic: str
    least: Duration
    usual: Duration
    certain: bool
    where: str
    """``hop db``, for the words."""
    what: str
    """``40 ms latency``, for the words."""


def seen(
    promise: Promise,
    turns: Iterable[Turn],
    *,
    since: Instant,
    until: Instant,
    reported: bool,
    fault: str,
    round: int,
) -> FaultSeen:
    """Judges the turns that lie wholly within [since, until] and were answered.

    ``reported`` is true when the turns come from our own proxy, which names what acted on each.
    """
    inside = [t for t in turns if t.end == "answered" and since <= t.arrived and t.ended <= until]
    hit = [t for t in inside if _bears(t, promise, reported=reported)]
    missed = len(inside) - len(hit) if promise.certain else 0
    delays = [_delay(t, reported=reported).ns for t in hit]
    middle = Duration.of_ns(int(median(delays))) if delays else None
    return FaultSeen(
        fault=fault,
        round=round,
        messages=len(inside),
        hit=len(hit),
        missed=missed,
        median=middle,
        summary=_words(promise, len(inside), len(hit), missed, middle),
    )


def _bears(turn: Turn, promise: Promise, *, reported: bool) -> bool:
    took = turn.ended - turn.arrived
    if reported:
        # The proxy's word and its clock must agree: a name without the delay is no trace.
        return promise.toxic in turn.injected and took >= promise.least
    return took >= (promise.least or promise.usual)


def _delay(turn: Turn, *, reported: bool) -> Duration:
    if reported and turn.upstream is not None and turn.upstream <= turn.ended:
        held_back = turn.ended - turn.upstream
        # An upstream toxic delays before the server speaks; then the whole turn is the measure.
        return held_back if held_back.in_ms >= 1 else turn.ended - turn.arrived
    return turn.ended - turn.arrived


def _words(promise: Promise, messages: int, hit: int, missed: int, middle: Duration | None) -> str:
    if not messages:
        return f"no message passed {promise.where} while {promise.what} was in force"
    if not hit:
        return f"none of {messages} messages of {promise.where} bears a trace of {promise.what}"
    tail = f", {missed} of {messages} were not delayed by it" if missed else ""
    return f"{promise.what} seen on {hit} messages of {promise.where} (median {middle}){tail}"
