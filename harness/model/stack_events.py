"""Events of what a run starts: processes, services, hops, containers. ``events.py`` has all the others.

Intentions come first and carry what undoes them, as there.
"""

from typing import Literal

from msgspec import Struct

from harness.model.units import Duration


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    n: int = 0
    t: int = 0
    at: str = ""


class ProcessIntended(Event, frozen=True, kw_only=True, tag=True):
    """About to be started in a process group of its own, with the run's mark in its environment."""

    name: str
    argv: tuple[str, ...]


class ProcessStarted(Event, frozen=True, kw_only=True, tag=True):
    """``created`` is the process' start time, so that a reused pid is not mistaken for it."""

    name: str
    pid: int
    pgid: int
    created: float


class ProcessEnded(Event, frozen=True, kw_only=True, tag=True):
    """``expected`` is false when it ended although nobody stopped it."""

    name: str
    pid: int
    exit_code: int | None
    expected: bool


class ServiceReady(Event, frozen=True, kw_only=True, tag=True):
    name: str
    address: str
    after: Duration


class HopIntended(Event, frozen=True, kw_only=True, tag=True):
    """A proxy named ``proxy`` is about to be made on the server whose API is at ``admin``."""

    hop: str
    admin: str
    proxy: str


class HopOpened(Event, frozen=True, kw_only=True, tag=True):
    """``observed`` tells who sees the wire: our own proxy, or an own hop before a foreign one."""

    hop: str
    admin: str
    proxy: str
    listen: str
    upstream: str
    observed: Literal["here", "before"]


class HopClosed(Event, frozen=True, kw_only=True, tag=True):
    hop: str
    admin: str
    proxy: str
    found: bool


class ContainerIntended(Event, frozen=True, kw_only=True, tag=True):
    """A container of the run's own is about to be made of ``image``; its label holds the run's mark."""

    name: str
    container: str
    image: str


class ContainerStarted(Event, frozen=True, kw_only=True, tag=True):
    name: str
    container: str
    id: str


class ContainerRemoved(Event, frozen=True, kw_only=True, tag=True):
    name: str
    container: str
    found: bool
