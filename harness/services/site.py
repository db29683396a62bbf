"""What a service is given to start in, and what it gives back. No kind of service is known here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from harness.model.address import Address
from harness.model.plan import ServicePlan
from harness.processes.group import Record


class Program(Protocol):
    """What was started for a service: a process, or a container."""

    name: str
    log: Path
    pid: int

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        ...

    def running(self) -> bool: ...

    async def ended(self) -> None: ...


Ask = Callable[[], Awaitable[str | None]]
"""A question whether something is ready: None is yes, a text is what it said instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything of the run that a service needs.

    ``env`` is the harness' own environment, from which that of every child is made. ``fill`` fills
    templates, with some values beside those known everywhere. What ``on_stop`` is given runs when the
    stack stops, in the opposite order, also if the service failed to start. ``moved`` says where
    the service's hops are in this run, by the places that its compose file has for them.
    """

    plan: ServicePlan
    folder: Path
    log: Path
    mark: str
    record: Record
    env: Mapping[str, str]
    fill: Callable[[Any, Mapping[str, Any]], Any]
    hide: Callable[[str], None]
    check_host: Callable[[Address], None]
    on_stop: Callable[[Callable[[], Awaitable[None]]], None]
    moved: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.plan.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A service that was started and may not be ready yet.

    ``ask`` is its own way to tell that it is; a ``ready:`` in the plan is asked beside it.
    ``waits`` is false for what should be there already. ``port_given`` tells that its port came from
    the system, so that another may be tried when somebody else took it meanwhile. ``inside`` is where
    containers beside it reach it.
    """

    address: Address | None
    url: str | None
    inside: Address | None = None
    process: Program | None = None
    ask: Ask | None = None
    waits: bool = True
    port_given: bool = False


class ServiceKind(Protocol):
    """One kind of service: a module of this room, or a foreign one of the same form.

    A kind whose programs have an environment of the user's says ``takes_env = True``: its plan's
    ``env`` then holds the variant's variables too.
    """

    kind: ClassVar[str]
    summary: ClassVar[str]
    Params: ClassVar[type]

    def __init__(self, params: Any) -> None: ...

    async def start(self, site: Site) -> Started:
        """Starts it, or finds it running.

        Raises:
            UserError: the files or the machine are not as needed.
            TargetError: it refused or failed.
        """
        ...
