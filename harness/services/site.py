"""What a service is given to start in, and what it gives back. No kind of service is known here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from harness.model.address import Address
from harness.model.plan import ServicePlan
from harness.processes.group import ProcessGroup, Record

Ask = Callable[[], Awaitable[str | None]]
"""A question whether something is ready: None is yes, a text is what it said instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything of the run that a service needs.

    ``env`` is the harness' own environment, from which that of every child is made. ``fill`` fills
    templates, with some values beside those known everywhere. What ``on_stop`` is given runs when the
    stack stops, in the opposite order, also if the service failed to start.
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

    @property
    def name(self) -> str:
        return self.plan.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A service that was started and may not be ready yet.

    ``ask`` is its own way to tell that it is; a ``ready:`` in the plan is asked beside it.
    ``waits`` is false for what should be there already. ``port_given`` tells that its port came from
    the system, so that another may be tried when somebody else took it meanwhile.
    """

    address: Address | None
    url: str | None
    process: ProcessGroup | None = None
    ask: Ask | None = None
    waits: bool = True
    port_given: bool = False


class ServiceKind(Protocol):
    """One kind of service: a module of this room, or a foreign one of the same form."""

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
