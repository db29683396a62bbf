"""What an experiment declares of a circuit breaker. Only ``calls`` and ``behind`` must be there.

What is None was not declared: the judge infers it, or judges by a bound that every library keeps, and
says which of the two it did.
"""

from typing import Any, Literal

from msgspec import Struct

from harness.model.units import Duration

BreakerKind = Literal["consecutive", "count-window", "time-window", "in-flight", "eject"]
Denominator = Literal["settled", "admitted", "offered"]
ScriptName = Literal["quick", "full"]

DEFAULT_FAILURE = "status >= 500 or cut or timed_out"
DEFAULT_HEADER = "x-request-id"


class IdCarrier(Struct, frozen=True, kw_only=True):
    """Where a request carries its id; ``name`` is that of the header or query parameter.

    For ``path`` the id is a whole segment of it; for ``traceparent`` its trace id.
    """

    where: Literal["header", "traceparent", "query", "path"] = "header"
    name: str = DEFAULT_HEADER

    @property
    def words(self) -> str:
        """As a report names it: ``header x-request-id``."""
        return f"{self.where} {self.name}" if self.where in ("header", "query") else self.where


class OpenTime(Struct, frozen=True, kw_only=True):
    """How long it stays open: ``first``, then by ``factor`` more each time it opens again."""

    first: Duration
    factor: float = 1.0
    at_most: Duration | None = None
    jitter: float = 0.0
    """A share: 0.1 is 10 % up or down."""


class Trials(Struct, frozen=True, kw_only=True):
    """The calls let through in half-open."""

    permits: int | None = None
    to_close: int | None = None
    to_reopen: int | None = None
    lost_after: Duration | None = None
    others: Literal["rejected", "wait"] | None = None


class Slow(Struct, frozen=True, kw_only=True):
    """A call over ``over`` counts as slow; ``threshold`` is a share of its own, if there is one."""

    over: Duration
    threshold: float | None = None


class Rejection(Struct, frozen=True, kw_only=True):
    status: int | None = None
    within: Duration | None = None


class Fallback(Struct, frozen=True, kw_only=True):
    """What a short-circuited call is answered instead. ``has_json`` tells null from none."""

    status: int | None = None
    json: Any = None
    has_json: bool = False


class Retries(Struct, frozen=True, kw_only=True):
    """``around`` the call: one call of the breaker; around the breaker: each attempt is one."""

    attempts: int | None = None
    budget: float | None = None
    around: Literal["call", "breaker"] = "call"


class Window(Struct, frozen=True, kw_only=True):
    """Either so many ``calls`` or so much ``time``."""

    calls: int | None = None
    time: Duration | None = None


class BreakerPlan(Struct, frozen=True, kw_only=True):
    """The block ``breaker:`` of an experiment, as written."""

    calls: str
    """An operation of the target."""
    behind: str
    """A hop of the target."""
    id: IdCarrier = IdCarrier()
    kind: BreakerKind | None = None
    threshold: int | None = None
    """So many failures."""
    share: float | None = None
    """The threshold as a share of the calls, 0 to 1; one of the two at most."""
    opens: Literal["at", "above"] | None = None
    window: Window | None = None
    minimum: int | None = None
    denominator: Denominator | None = None
    open: OpenTime | None = None
    trials: Trials = Trials()
    call_timeout: Duration | None = None
    no_call_timeout: bool = False
    """``call_timeout: none`` was written: it is known that there is none."""
    slow: Slow | None = None
    failure: str | None = None
    """An expression over ``status``, ``cut`` and ``timed_out``; None: ``DEFAULT_FAILURE``."""
    ignored: str | None = None
    ignored_as: Literal["nothing", "success"] | None = None
    cancellation: Literal["ignored", "failure"] | None = None
    stragglers: Literal["ignored", "counted"] | None = None
    rejection: Rejection = Rejection()
    fallback: Fallback | None = None
    retries: Retries | None = None
    isolation: Literal["none", "key", "host"] | None = None
    key: str | None = None
    """A template: the circuit that a call belongs to."""
    bulkhead: int | None = None
    instances: int | None = None
    reaction: Duration = Duration.ZERO
    recovers_within: Duration | None = None
    errors_when_healthy: float = 0.0
    process: str | None = None
    """A service of the target file whose memory and event loop are looked at."""
    script: ScriptName = "quick"
    phases: tuple[str, ...] = ()
    """Names of the phases to run; all of the script without any."""
    bursts: int | None = None
    """How often each burst of trials is repeated; None: what the script says."""
