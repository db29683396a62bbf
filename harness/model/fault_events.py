"""The events of a fault's life: intended, applied, seen on the wire, undone or not."""

from typing import Literal

from harness.model.plan import Params
from harness.model.stack_events import Event
from harness.model.units import Duration, Instant


class FaultIntended(Event, frozen=True, kw_only=True, tag=True):
    """``undo`` is all that ``kind`` needs to take it back in another process; ``words`` are for people."""

    fault: str
    kind: str
    on: str
    round: int
    params: Params
    undo: Params
    words: str = ""
    phase: str = ""
    """The phase of a breaker's script that it belongs to; then it belongs to no round."""
    outage: str = ""
    """What it is to the script: status, reset, blackhole, latency, trickle or refuse."""


class FaultApplied(Event, frozen=True, kw_only=True, tag=True):
    """In force somewhere within [asked, confirmed]: before the call, and after its answer."""

    fault: str
    round: int
    asked: Instant
    confirmed: Instant


class FaultSeen(Event, frozen=True, kw_only=True, tag=True):
    """What the wire said of the fault in this round: of messages or, as ``of`` says, connections.

    ``messages`` fell into its time; ``hit`` bear its trace; ``missed`` rule it out. ``median`` is
    the delay seen on those hit; ``unseen`` says why nothing could be seen, where that is known.
    """

    fault: str
    round: int
    messages: int
    hit: int
    missed: int
    median: Duration | None
    summary: str
    of: Literal["message", "connection"] = "message"
    unseen: str = ""


class FaultUndone(Event, frozen=True, kw_only=True, tag=True):
    """``found`` is false when it was gone already; ``why`` says how that came, where it is known.

    ``as_applied`` is false when it was still there, but no longer as it had been applied.
    """

    fault: str
    round: int
    asked: Instant
    confirmed: Instant
    found: bool
    as_applied: bool = True
    why: str = ""
    by: Literal["runner", "guardian"] = "runner"


class FaultNotUndone(Event, frozen=True, kw_only=True, tag=True):
    """Undoing failed. ``remains`` says what is left, ``command`` removes it."""

    fault: str
    round: int
    because: str
    remains: str
    command: str
