"""The plan: what one run of one experiment on one variant will do. Made by ``experiment/``, printed
by the dry run, driven by ``runner/``, written into the first event so that a report needs no file.

Texts may hold ``{placeholders}``; they are filled in at the moment of use, so no secret is in a plan.
``params`` are plain values (text, numbers, lists, maps) that the named kind converts to its own
``Params``; the plan knows no kind.
"""

from typing import Any, Literal

from msgspec import Struct

from harness.model.breaker import BreakerPlan
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


class CommandCall(Struct, frozen=True, kw_only=True):
    """A program to run in the target's folder, without a shell; split into words before it is filled."""

    command: str
    env: dict[str, str] = {}


class ReadyPlan(Struct, frozen=True, kw_only=True):
    """When a service counts as ready: an HTTP answer below 400, or an accepted connection."""

    http: HttpCall | None = None
    limit: Duration


class ServicePlan(Struct, frozen=True, kw_only=True):
    """``kind`` is ``run``, ``url`` or ``embedded-postgres``: a registered kind of ``services/``.

    ``compose`` is ``FILE#SERVICE``, what stands for it on a stack of containers.
    """

    name: str
    kind: str
    params: Params
    env: dict[str, str] = {}
    compose: str | None = None
    ready: ReadyPlan | None = None


class HopPlan(Struct, frozen=True, kw_only=True):
    """One proxied link; ``source`` dials it instead of ``to``. ``listen`` pins ``host:port``.

    ``compose`` is ``SERVICE:PORT``: the proxy's service and where the hop listens among containers.
    """

    name: str
    source: str | None
    to: str
    listen: str | None = None
    compose: str | None = None


class ResetPlan(Struct, frozen=True, kw_only=True):
    """``kind`` is a registered kind of ``services/resets``: ``sql`` (params: ``script`` or ``file``,
    absolute), ``http`` (params: the call), ``redis``, ``command``. ``on`` is empty where nobody is asked.
    """

    kind: str
    on: str
    params: Params


class OperationPlan(Struct, frozen=True, kw_only=True):
    """What a user of the service does, ``http`` or ``command``, and the rules that sort its answer.

    ``on`` is empty for a command. ``key`` is a template that names the operation's effect in the state.
    """

    name: str
    on: str = ""
    http: HttpCall | None = None
    command: CommandCall | None = None
    key: str | None = None
    vars: dict[str, Any] = {}
    timeout: Duration
    acknowledged: str | None = None
    rejected: str | None = None


class ProbePlan(Struct, frozen=True, kw_only=True):
    """A question about the state; answers one value. ``on`` is empty where no service is asked."""

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
    env: dict[str, str] = {}
    """The variant's own variables, for whatever the target starts."""


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
    phase: str = ""
    """The phase of a breaker's script that asks for it; such a step stands in no method."""
    outage: str = ""
    """What it is to the script: status, reset, blackhole, latency, trickle or refuse."""


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


class ArrivalsStep(Struct, frozen=True, kw_only=True, tag="arrivals"):
    """Requests of one operation sent at planned instants, ``rate`` a second, for ``lasts``.

    An open loop: none waits for an earlier one's answer. At ``cap`` in flight those that are due are
    dropped, and counted.
    """

    id: str
    operation: str
    rate: float
    lasts: Duration
    cap: int
    vars: dict[str, Any] = {}

    @property
    def requests(self) -> int:
        """How many are planned; the first is due at once."""
        return max(1, round(self.rate * self.lasts.in_s))


Step = FaultStep | BurstStep | ArrivalsStep


class InvariantPlan(Struct, frozen=True, kw_only=True):
    """``kind`` is a registered invariant, such as ``always``; ``expression`` what stands behind its word."""

    name: str
    kind: str
    expression: str
    probes: tuple[str, ...] = ()
    """The probes it reads, in order of first mention."""
    every: Duration | None = None
    """How often its probes are sampled while a round lasts; None: they are read once it has settled."""
    params: Params = {}
    """The kind's further attributes."""


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
    stop_after: int | None = None
    """So many rounds that broke all that is expected to break are enough; None: all rounds run."""
    time_limit: Duration
    prepare: tuple[PreparePlan, ...] = ()
    steady_state: tuple[str, ...] = ()
    recovers_within: Duration
    method: tuple[Step, ...]
    invariants: tuple[InvariantPlan, ...]
    settle: SettlePlan
    breaker: BreakerPlan | None = None
    """With it the run is the breaker's script, in the place of rounds."""

    @property
    def faults(self) -> tuple[FaultStep, ...]:
        return tuple(step for step in self.method if isinstance(step, FaultStep))

    @property
    def bursts(self) -> tuple[BurstStep, ...]:
        return tuple(step for step in self.method if isinstance(step, BurstStep))

    @property
    def arrivals(self) -> tuple[ArrivalsStep, ...]:
        return tuple(step for step in self.method if isinstance(step, ArrivalsStep))
