"""The plan: what one run of one experiment on one variant will do. Made by ``experiment/``, printed
by the dry run, driven by ``runner/``, written into the first event so that a report needs no file.

Texts may hold ``{placeholders}``; they are filled in at the moment of use, so no secret is in a plan.
``params`` are plain values (text, numbers, lists, maps) that the named kind converts to its own
``Params``; the plan knows no kind.
"""

from typing import Any, Literal

from msgspec import Struct

from harness.model.units import Duration

Params = dict[str, Any]


class HttpCall(Struct, frozen=True, kw_only=True):
    """One HTTP request. ``json`` of ``ABSENT_JSON`` means no body; use ``has_json`` to ask."""

    method: str
    path: str
    headers: dict[str, str] = {}
    json: Any = None
    has_json: bool = False
    body: str | None = None


class ReadyPlan(Struct, frozen=True, kw_only=True):
    """When a service counts as ready: an HTTP answer below 400, or an accepted connection."""

    http: HttpCall | None = None
    limit: Duration


class ServicePlan(Struct, frozen=True, kw_only=True):
    """``kind`` is ``run``, ``url`` or ``embedded-postgres``: a registered kind of ``services/``."""

    name: str
    kind: str
    params: Params
    env: dict[str, str] = {}
    ready: ReadyPlan | None = None


class HopPlan(Struct, frozen=True, kw_only=True):
    """One proxied link; ``source`` dials it instead of ``to``. ``listen`` pins ``host:port``."""

    name: str
    source: str | None
    to: str
    listen: str | None = None


class ResetPlan(Struct, frozen=True, kw_only=True):
    """``kind`` is ``sql`` (params: ``script`` or ``file``, absolute) or ``http`` (params: the call)."""

    kind: str
    on: str
    params: Params


class OperationPlan(Struct, frozen=True, kw_only=True):
    """A request a user of the service makes, and the rules that sort its answer."""

    name: str
    on: str
    http: HttpCall
    vars: dict[str, Any] = {}
    timeout: Duration
    acknowledged: str | None = None
    rejected: str | None = None


class ProbePlan(Struct, frozen=True, kw_only=True):
    """A question about the state; answers one value."""

    name: str
    kind: str
    on: str
    params: Params


class TargetPlan(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    file: str
    """Path of the target file as the user would write it."""
    folder: str
    """Absolute folder of the target file: working directory of its processes, base of its paths."""
    services: tuple[ServicePlan, ...]
    hops: tuple[HopPlan, ...] = ()
    resets: tuple[ResetPlan, ...] = ()
    operations: tuple[OperationPlan, ...] = ()
    probes: tuple[ProbePlan, ...] = ()
    allow_hosts: tuple[str, ...] = ()


class PreparePlan(Struct, frozen=True, kw_only=True):
    """One operation before the rounds; ``capture`` keeps parts of its answer under new names."""

    operation: str
    vars: dict[str, Any] = {}
    capture: dict[str, str] = {}


class HeaderMatch(Struct, frozen=True, kw_only=True):
    """Requests whose ``header`` has one of ``values``."""

    header: str
    values: tuple[str, ...]


class FaultStep(Struct, frozen=True, kw_only=True, tag="fault"):
    """``kind`` is the toxic's or fault's name; it lasts to the end of its round, or ``lasts``.

    ``stream`` is None for a fault that is no toxic; what stands behind it is then left at its
    default. ``per``, ``codec``, ``skip``, ``first``, ``match`` and ``seed`` are None where the
    toxic's own default holds, and no Toxiproxy but ours knows them.
    """

    id: str
    """Unique in the plan and stable: ``latency@db``, with ``#2`` behind a second one."""
    kind: str
    on: str
    params: Params
    stream: Literal["upstream", "downstream"] | None = "downstream"
    toxicity: float = 1.0
    per: Literal["connection", "request"] | None = None
    codec: str | None = None
    skip: int | None = None
    first: int | None = None
    match: HeaderMatch | None = None
    seed: int | None = None
    lasts: Duration | None = None


class BurstPart(Struct, frozen=True, kw_only=True):
    operation: str
    concurrency: int
    vars: dict[str, Any] = {}


class BurstStep(Struct, frozen=True, kw_only=True, tag="burst"):
    """Operations whose last bytes are released together, ``hold`` after they were all written."""

    id: str
    parts: tuple[BurstPart, ...]
    hold: Duration

    @property
    def concurrency(self) -> int:
        return sum(part.concurrency for part in self.parts)


Step = FaultStep | BurstStep


class InvariantPlan(Struct, frozen=True, kw_only=True):
    """``kind`` is a registered invariant: ``always`` or ``at_end``; ``expression`` its source."""

    name: str
    kind: str
    expression: str
    probes: tuple[str, ...] = ()
    """The probes it reads, in order of first mention."""
    every: Duration | None = None
    """How often ``always`` is sampled."""


class SettlePlan(Struct, frozen=True, kw_only=True):
    gap: Duration
    limit: Duration


class Expected(Struct, frozen=True, kw_only=True):
    """``held``, or ``violated``: by any invariant when ``invariants`` is empty, else by just these."""

    verdict: Literal["held", "violated"] = "held"
    invariants: tuple[str, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    experiment: str
    title: str
    file: str
    target: TargetPlan
    variant: str | None
    expected: Expected
    seed: int
    rounds: int
    time_limit: Duration
    prepare: tuple[PreparePlan, ...] = ()
    steady_state: tuple[str, ...] = ()
    recovers_within: Duration
    method: tuple[Step, ...]
    invariants: tuple[InvariantPlan, ...]
    settle: SettlePlan

    @property
    def faults(self) -> tuple[FaultStep, ...]:
        return tuple(step for step in self.method if isinstance(step, FaultStep))

    @property
    def bursts(self) -> tuple[BurstStep, ...]:
        return tuple(step for step in self.method if isinstance(step, BurstStep))
