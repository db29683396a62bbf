"""The events of a breaker's script: its phases, and what was looked at beside its traffic."""

from typing import Any, Literal

from msgspec import field

from harness.model.stack_events import Event
from harness.model.units import Duration, Instant

NO_ROUND = 0
"""The round of what a script does: it belongs to a phase, and to no round."""


class PhaseEntered(Event, frozen=True, kw_only=True, tag=True):
    """A phase of the script began. For its fields see ``model/breaker_history.py: Phase``."""

    phase: str
    number: int
    name: str
    repetition: int = 1
    rate: float | None = None
    planned: int | None = None
    callers: int | None = None
    fault: str | None = None
    latency: Duration = Duration.ZERO
    given: dict[str, Any] = field(default_factory=dict)


class PhaseLeft(Event, frozen=True, kw_only=True, tag=True):
    """Its calls have ended or been given up, its faults are undone.

    ``reached`` false: it could not begin as it must, for the reason ``why``. ``given`` is what was
    found out meanwhile: who was hung or left, how wide the burst was.
    """

    phase: str
    reached: bool = True
    why: str = ""
    given: dict[str, Any] = field(default_factory=dict)


class LoopLagged(Event, frozen=True, kw_only=True, tag=True):
    """How late a timer of ours fired at worst in a phase: among the callers, or in the hop."""

    phase: str
    worst: Duration
    where: Literal["callers", "hop"]


class ProcessSampled(Event, frozen=True, kw_only=True, tag=True):
    """A service's process at one moment: memory in bytes, its sockets, its event loop's delay.

    What could not be read is None. ``rejections`` and ``warming`` mark the windows of the phase that
    looks at memory.
    """

    service: str
    process: int
    phase: str
    taken: Instant
    memory: int | None = None
    sockets: int | None = None
    loop_lag: Duration | None = None
    rejections: int | None = None
    warming: bool = False


class HopRead(Event, frozen=True, kw_only=True, tag=True):
    """The hop's log of HTTP requests was read up to the end of a phase.

    ``dropped`` requests were no longer kept; ``unreadable`` connections did not speak HTTP/1.
    """

    hop: str
    phase: str
    since: Instant
    until: Instant
    requests: int
    connections: int
    dropped: int = 0
    unreadable: int = 0
    open: int = 0
