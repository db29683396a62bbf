"""The trace a fault leaves on the wire: which messages bear it, and which rule it out.

Pure: turns and a time window in, ``FaultSeen`` out. Nothing here asks a proxy, and no toxic is known.

Our own proxy names the toxics that acted on each turn, and then the turn must not say otherwise.
Before a foreign proxy stands a hop of ours that sees turns from outside; there, a message that took
as long, was cut, or was never answered bears the trace of a toxic that does such things. That is the
weaker proof (a lock in the database delays too), so one message that came back sooner than the toxic
allows outweighs it; and what looks from outside as if nothing had been done is never taken for seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

from msgspec.structs import replace

from harness.model.events import FaultSeen
from harness.model.units import Duration, Instant
from harness.protocols.turn import Turn
from harness.proxy.toxic import Trace

# From outside, silence is a message that waited this long for nothing. Well above what a service
# takes that is not asked to be slow, well below the time-outs that clients have.
SILENT = Duration.of_ms(100)

OVER = "was over before the first request was released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the wire must show while the toxic is in force.

    ``certain``: no message can be spared (no share, no count, no header decides). ``sure``: some
    message cannot, if any comes at all. ``beside`` is the delay that other faults of the same hop
    certainly add, so that none is taken for the other.
    """

    toxic: str
    trace: Trace
    certain: bool
    sure: bool = True
    where: str
    """``hop db``, for the words."""
    what: str
    """``40 ms latency``, for the words."""
    beside: Duration = Duration.ZERO

    @property
    def rules_out(self) -> bool:
        """Whether a message can prove that it was not in force."""
        return self.certain and self.trace.effect == "delay" and bool(self.trace.least)

    @property
    def tells_outside(self) -> bool:
        """Whether what looks like it from outside is its doing, and not a service's that is like that.

        A delay asks every message, for a slow service would show it on all the others.
        """
        return self.certain if self.trace.effect == "delay" else self.sure

    @property
    def outside(self) -> Duration:
        """How long a message takes at the least that bears its trace, as seen from outside."""
        own = self.trace.least or self.trace.usual
        return own + self.beside if own else own


def may_leave_no_turn(trace: Trace) -> bool:
    """Whether no turn need show it, so that its proxy's own count of what it did is a trace.

    Such are the end of a connection, and what is done behind the first byte of an answer.
    """
    return trace.effect in ("end", "unseen") or (trace.effect == "delay" and not trace.least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time in which the fault was certainly in force."""

    since: Instant
    until: Instant

    def overlaps(self, turn: Turn) -> bool:
        return self.since <= turn.ended and turn.arrived <= self.until

    def holds(self, turn: Turn) -> bool:
        return self.since <= turn.arrived and turn.ended <= self.until

    def was_over_at(self, released: Instant | None) -> bool:
        """Whether no request of the burst behind it can have met it."""
        return released is not None and self.since < self.until <= released

    def saw_the_answer(self, turn: Turn) -> bool:
        return turn.end == "answered" and turn.ended <= self.until

    def waited(self, turn: Turn) -> Duration:
        """How much of it the turn spent without an answer."""
        return min(turn.ended, self.until) - max(turn.arrived, self.since)


def seen(
    promise: Promise,
    turns: Iterable[Turn],
    window: Window,
    *,
    reported: bool,
    fault: str,
    round: int,
    counted: int | None = None,
    released: Instant | None = None,
) -> FaultSeen:
    """Judges the turns that fall into ``window``; of answered ones, a delay asks those wholly in it.

    ``reported`` is true when the turns come from our own proxy, which names what acted on each;
    ``counted`` is then how often the toxic acted since ``released``, None where nobody knows.
    ``released`` is when the burst behind the fault began to arrive: what came before was warming up.
    """
    if window.was_over_at(released):
        return never_met(fault, round, what=promise.what, where=promise.where)
    trace = promise.trace
    every = [turn for turn in turns if released is None or turn.arrived >= released]
    there = [turn for turn in every if _says_something(turn, promise, window, reported=reported)]
    if reported:
        last = _last_turns(every)
        hits = [turn for turn in there if _is_reported(turn, promise, window, last)]
    else:
        hits = [turn for turn in there if _looks_like(turn, promise, window)]
    missed = _missed(there, hits, promise, reported=reported)
    let_go = sum(_let_go(turn, promise, window) for turn in every) if reported else 0
    delays = [_delay(turn, reported=reported).ns for turn in hits if turn.end == "answered"]
    # Where it depends on what is sent, or comes behind the first byte, the figure would mislead.
    delayed = bool(delays) and trace.effect == "delay" and bool(trace.least or trace.usual)
    more = 0
    if reported and may_leave_no_turn(trace) and (trace.effect == "end" or not hits):
        # What it counted beyond the turns that name it came behind the first byte of an answer. Only
        # an end comes once; of anything else, that may be one more piece of what is a hit already.
        more = max(0, (counted or 0) - sum(promise.toxic in turn.injected for turn in every))
    told = FaultSeen(
        fault=fault,
        round=round,
        messages=max(len(there) + let_go, len(hits) + more),
        hit=len(hits) + more,
        missed=missed,
        median=Duration.of_ns(int(median(delays))) if delayed else None,
        summary="",
        of="connection" if more and not hits and _shows_in_closes(trace) else "message",
        unseen="" if hits or more else _let_go_early(let_go) if reported else _blind(promise),
    )
    return _with_summary(told, promise, reported=reported)


def never_met(
    fault: str,
    round: int,
    *,
    what: str,
    where: str,
    of: Literal["message", "connection"] = "message",
) -> FaultSeen:
    """Of a fault that was over before anything was released: what it did, it did to warming up."""
    return FaultSeen(
        fault=fault,
        round=round,
        messages=0,
        hit=0,
        missed=0,
        median=None,
        summary=f"{what} on {where} {OVER}",
        of=of,
        unseen=f"it {OVER}",
    )


def _says_something(turn: Turn, promise: Promise, window: Window, *, reported: bool) -> bool:
    if promise.trace.effect != "delay":
        return window.overlaps(turn)
    if turn.end == "answered":
        return window.holds(turn) or (
            reported
            and promise.toxic in turn.injected
            and _kept_waiting(turn, window)
            and not _let_go(turn, promise, window)
        )
    return reported and promise.toxic in turn.injected and window.overlaps(turn)


def _kept_waiting(turn: Turn, window: Window) -> bool:
    """Its answer came with the undo, or later."""
    return window.since <= turn.arrived <= window.until < turn.ended


def _let_go(turn: Turn, promise: Promise, window: Window) -> bool:
    """It was held, and its toxic's undo let it go before its time: nobody met the delay as told."""
    return (
        promise.trace.effect == "delay"
        and promise.toxic in turn.injected
        and turn.end == "answered"
        and _kept_waiting(turn, window)
        and turn.ended - turn.arrived < promise.trace.least
    )


def _let_go_early(count: int) -> str:
    """Why nothing was seen of a delay that is longer than the fault lasts; empty of none."""
    if not count:
        return ""
    what = "the message it held was" if count == 1 else f"all {count} messages it held were"
    return f"{what} let go by its undo, before the delay was over; let it last longer"


def _shows_in_closes(trace: Trace) -> bool:
    """Whether what its proxy counts are ends of connections, and not turns.

    A toxic that shows nowhere and yet holds something back holds an end back.
    """
    return trace.effect == "end" or (trace.effect == "unseen" and trace.longest != Duration.ZERO)


def _is_reported(turn: Turn, promise: Promise, window: Window, last: Mapping[int, int]) -> bool:
    """The proxy's word and the turn must agree: a name without what it stands for is no trace."""
    if promise.toxic not in turn.injected:
        return False
    answered = window.saw_the_answer(turn)
    match promise.trace.effect:
        case "delay":
            return not answered or turn.ended - turn.arrived >= promise.trace.least
        case "end":
            # It may end in the middle of the answer, whose first byte ended the turn.
            return not answered or turn.seq == last[turn.conn]
        case "silence":
            return not answered
        case "answer":
            return turn.end == "answered"
        case _:
            return True


def _looks_like(turn: Turn, promise: Promise, window: Window) -> bool:
    """The same from outside, where nobody names a toxic."""
    if not promise.tells_outside:
        return False
    match promise.trace.effect:
        case "delay":
            return bool(promise.outside) and turn.ended - turn.arrived >= promise.outside
        case "end":
            return turn.end == "cut" and window.since <= turn.ended <= window.until
        case "silence":
            return not window.saw_the_answer(turn) and window.waited(turn) >= SILENT
        case _:
            return False


def _may_be_the_service(promise: Promise) -> str:
    """Why what looks like it proves nothing; empty where it does, or where nothing looks like it."""
    if promise.tells_outside:
        return ""
    match promise.trace.effect:
        case "end":
            return "a share of messages cannot be told from a service that cuts them itself"
        case "silence":
            return "a share of messages cannot be told from a slow service"
        case "delay" if promise.outside:
            return "a share of messages cannot be told from a slow service"
        case _:
            return ""


def _blind(promise: Promise) -> str:
    """Why a hop before the proxy cannot see it; empty where it could."""
    blind = _may_be_the_service(promise)
    if blind:
        return blind
    match promise.trace.effect:
        case "answer":
            return "an answer of the toxic looks like one of the service from outside"
        case "unseen":
            return "it leaves no trace that can be seen from outside"
        case "end":
            return "no message was cut, and an end in the middle of an answer does not show outside"
        case "delay" if not promise.outside:
            return "how long it delays depends on what is sent, which no hop can tell from outside"
        case _:
            return ""


def _missed(
    there: Iterable[Turn], hits: Iterable[Turn], promise: Promise, *, reported: bool
) -> int:
    """How many answered messages prove that the toxic was not in force."""
    if not promise.rules_out:
        return 0
    answered = [turn for turn in there if turn.end == "answered"]
    if reported:
        return len(answered) - sum(turn.end == "answered" for turn in hits)
    return sum(turn.ended - turn.arrived < promise.trace.least for turn in answered)


def _last_turns(turns: Iterable[Turn]) -> dict[int, int]:
    """The number of the last turn of each connection."""
    last: dict[int, int] = {}
    for turn in turns:
        last[turn.conn] = max(turn.seq, last.get(turn.conn, 0))
    return last


def _delay(turn: Turn, *, reported: bool) -> Duration:
    if reported and turn.upstream is not None and turn.upstream <= turn.ended:
        held_back = turn.ended - turn.upstream
        # An upstream toxic delays before the server speaks; then the whole turn is the measure.
        return held_back if held_back.in_ms >= 1 else turn.ended - turn.arrived
    return turn.ended - turn.arrived


def _with_summary(told: FaultSeen, promise: Promise, *, reported: bool) -> FaultSeen:
    what, where, of = promise.what, promise.where, f"{told.of}s" if told.hit != 1 else told.of
    if told.unseen:
        seen = "was not met" if reported else "cannot be seen"
        summary = f"{what} {seen} on {where}: {told.unseen}"
    elif not told.messages:
        summary = f"no message passed {where} while {what} was in force"
    elif not told.hit:
        summary = f"none of {told.messages} messages of {where} bears a trace of {what}"
    else:
        middle = f" (median {told.median})" if told.median is not None else ""
        tail = f", {told.missed} of {told.messages} were not delayed by it" if told.missed else ""
        summary = f"{what} seen on {told.hit} {of} of {where}{middle}{tail}"
    return replace(told, summary=summary)
