"""What the runner asks of a fault, whatever its kind: intend, apply, undo, verify.

How a kind does that is its own module's; ``known.py`` knows them all. All methods block; callers
give them a thread.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.faults.trace import Window
from harness.model.events import FaultApplied, FaultIntended, FaultSeen, FaultUndone
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.protocols.turn import Turn

LAPSED = "its lease ended, for this process was too slow to renew it"


@dataclass(frozen=True, slots=True, kw_only=True)
class HopOnProxy:
    """Where a fault goes: the proxy ``proxy`` of the server at ``admin``.

    ``watch_proxy`` at ``watch_admin`` sees its traffic; it is that proxy itself when it is
    ours (``observed`` is ``here``), else one of ours before it.
    """

    admin: str
    proxy: str
    observed: Literal["here", "before"]
    watch_admin: str
    watch_proxy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a fault of this run is put on a server with.

    ``lease`` takes it back when this process is gone; None where the server has no leases, and so
    none of the keys beyond Toxiproxy's. ``lapses`` counts the leases that ended before it was due.
    """

    seed: int
    lease: str | None = None
    lapses: Callable[[], int] = lambda: 0


class Fault(Protocol):
    """One fault step in one round."""

    step: FaultStep
    round: int

    def intend(self) -> FaultIntended:
        """Everything that undoes it, to be on disk before it is applied."""

    def apply(self, terms: Terms) -> FaultApplied:
        """Raises ``ProxyCallFailed`` or ``ProxyUnreachable``; then it may be there or not."""

    @property
    def asks_before_release(self) -> bool:
        """Whether ``before_release`` has anything to do; the moment is a delicate one."""

    def before_release(self) -> None:
        """What the wire saw so far is no evidence: the burst behind it is about to be released."""

    def undo(self) -> FaultUndone:
        """Raises ``ProxyCallFailed`` or ``ProxyUnreachable``; then it may still be there."""

    def gone(self, why: str = "") -> FaultUndone:
        """What is said when the proxy that held it does not answer any more, or ``why`` instead."""

    def verify(
        self,
        turns: Sequence[Turn],
        others: Sequence["Fault"],
        *,
        released: Instant | None = None,
    ) -> FaultSeen:
        """What the wire says of it, from the turns of its hop in this round.

        ``others`` are the round's other faults on the same hop. ``released`` is when the first
        burst behind its step began to arrive, None where there was none: what it did to those that
        warmed up before is no evidence, and a fault that was over by then was never met.
        """

    @property
    def window(self) -> Window:
        """When it was certainly in force; empty if it never was."""

    @property
    def delays_all_by(self) -> Duration:
        """What it adds to every message without exception."""

    @property
    def ends_with_the_run(self) -> bool:
        """True on our own proxy, which the run stops in any case, and its faults with it."""

    @property
    def remains(self) -> tuple[str, str]:
        """What is left when undoing failed, and the command that removes it."""


def now() -> Instant:
    """The clock that proxies of ours stamp turns with."""
    return Instant.of_ns(time.monotonic_ns())
