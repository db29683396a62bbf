"""The block ``breaker:`` of an experiment file, key by key: what is declared of a circuit breaker.

Only ``calls`` and ``behind`` must be there. Rules that need two keys are ``checks_breaker.py``; how the
block becomes a plan is ``breaker_plan.py``.
"""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from harness.experiment.http_words import HeaderName
from harness.experiment.report import unknown
from harness.experiment.worded import annotated, either
from harness.experiment.wording import Strict
from harness.experiment.words import (
    ExpressionText,
    Percent,
    PercentFromZero,
    PositiveSpan,
    Span,
    Text,
    describe,
    percent,
    positive_span,
    problem,
    text,
)
from harness.model.breaker import BreakerKind, Denominator, ScriptName, Window
from harness.model.breaker_script import PhaseName
from harness.model.units import Duration

PHASES: tuple[str, ...] = get_args(PhaseName)
SHORT_NAMES = {"trip": ("exact-trip",), "burst": ("burst-good", "burst-bad")}
"""Words for phases that are easier to remember than their names."""

NONE = "none"
MAX_COUNT = 10_000
"""Failures in a row; a script cannot wait for more of them."""

Counted = Annotated[int, Field(ge=1, le=1_000_000)]
_AtOnce = Annotated[int, Field(ge=1, le=10_000)]
_Few = Annotated[int, Field(ge=1, le=1_000)]
_Status = Annotated[int, Field(ge=100, le=599)]


def _parameter_name(value: object) -> str:
    name = text(value)
    if not re.fullmatch(r"[A-Za-z0-9_.~-]{1,100}", name):
        raise problem(f"{name!r} is no name of a parameter", "letters, digits, -, ., _ and ~")
    return name


ParameterName = Annotated[str, PlainValidator(_parameter_name), WithJsonSchema({"type": "string"})]


class IdHeader(Strict):
    """The id stands in a header of its own."""

    header: HeaderName = Field(description="the name of the header")


class IdQuery(Strict):
    """The id stands in the query of the URL."""

    query: ParameterName = Field(description="the name of the parameter")


_CARRIERS = "{header: NAME}, {query: NAME}, traceparent or path"


def _carrier(value: object) -> str:
    if value in ("traceparent", "path"):
        return str(value)
    hint = f"Write id: {{header: {value}}}." if isinstance(value, str) and "-" in value else ""
    raise problem(f"found {describe(value)}", _CARRIERS, hint)


def _carrier_form(value: Any) -> str:
    if isinstance(value, dict):
        return "<query>" if "query" in value else "<header>"
    return "<word>"


_CarrierWord = Annotated[
    str, PlainValidator(_carrier), WithJsonSchema({"enum": ["traceparent", "path"]})
]
CARRIER: Any = either(
    _carrier_form, {"<query>": IdQuery, "<header>": IdHeader, "<word>": _CarrierWord}
)


def _threshold(value: object) -> int | float:
    """A count stays whole, a share becomes a fraction."""
    if isinstance(value, str):
        return percent(value)
    if isinstance(value, bool) or not isinstance(value, int):
        hint = f"Write {value:.0%}." if isinstance(value, float) and 0 < value < 1 else ""
        raise problem(f"found {describe(value)}", "a count such as 5, or a share such as 50%", hint)
    if not 1 <= value <= MAX_COUNT:
        raise problem(f"{value} is out of range", f"a count from 1 to {MAX_COUNT}")
    return value


_PERCENT_TEXT = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"}
_SPAN_TEXT = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|min|h)\s*$"}
_WHOLE_NUMBER = {"type": "integer", "minimum": 1}

Threshold = Annotated[
    Any,
    PlainValidator(_threshold),
    WithJsonSchema({"anyOf": [_WHOLE_NUMBER, _PERCENT_TEXT]}),
]


def _window(value: object) -> Window:
    if isinstance(value, str):
        return Window(time=positive_span(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise problem(f"found {describe(value)}", "calls such as 100, or a duration such as 10s")
    if not 1 <= value <= 1_000_000:
        raise problem(f"{value} is out of range", "1 to 1000000 calls")
    return Window(calls=value)


WindowText = Annotated[
    Any, PlainValidator(_window), WithJsonSchema({"anyOf": [_WHOLE_NUMBER, _SPAN_TEXT]})
]


def _call_timeout(value: object) -> Duration | str:
    return NONE if value == NONE else positive_span(value)


CallTimeout = Annotated[
    Any,
    PlainValidator(_call_timeout),
    WithJsonSchema({"anyOf": [{"const": NONE}, _SPAN_TEXT]}),
]


class OpenTimes(Strict):
    """How long it stays open, and how that grows."""

    first: PositiveSpan = Field(description="the first time")
    factor: Annotated[float, Field(ge=1, le=100)] | None = Field(
        default=None, description="by so much longer each time it opens again; else as long"
    )
    at_most: PositiveSpan | None = Field(default=None, description="never longer than this")
    jitter: PercentFromZero = Field(default=0.0, description="up or down at random")


OPEN: Any = either(
    lambda value: "<mapping>" if isinstance(value, dict) else "<span>",
    {"<mapping>": OpenTimes, "<span>": PositiveSpan},
)


class Trials(Strict):
    """The calls let through in half-open."""

    permits: _Few | None = Field(default=None, description="how many at once")
    to_close: _Few | None = Field(default=None, description="so many good ones close it")
    to_reopen: _Few | None = Field(default=None, description="so many failed ones open it again")
    lost_after: PositiveSpan | None = Field(
        default=None, description="a trial without an answer gives its permit back after so long"
    )
    others: Literal["rejected", "wait"] | None = Field(
        default=None, description="what calls beside the trials get"
    )


class Slow(Strict):
    """When a call counts as slow."""

    over: PositiveSpan = Field(description="what takes longer is slow")
    threshold: Percent | None = Field(
        default=None, description="so large a share of slow calls opens it; else as for failures"
    )


class Rejection(Strict):
    """What a short-circuited call is answered."""

    status: _Status | None = Field(default=None, description="the status")
    within: PositiveSpan | None = Field(default=None, description="how fast")


class Fallback(Strict):
    """What a short-circuited call is answered in the place of an error."""

    status: _Status | None = Field(default=None, description="the status")
    payload: Any = Field(default=None, alias="json", description="the body, as JSON")

    @property
    def has_json(self) -> bool:
        return "payload" in self.model_fields_set


class Retries(Strict):
    """What the service itself repeats."""

    attempts: _Few | None = Field(
        default=None, description="requests for one call, the first included"
    )
    budget: PercentFromZero | None = Field(
        default=None, description="repeats as a share of all calls, at most"
    )
    around: Literal["call", "breaker"] = Field(
        default="call", description="call: one call of the breaker; breaker: each attempt is one"
    )


def _phase(value: object) -> str:
    word = text(value)
    if word in PHASES or word in SHORT_NAMES:
        return word
    raise problem(*unknown("phase", word, (*PHASES, *SHORT_NAMES)))


Phase = Annotated[str, PlainValidator(_phase), WithJsonSchema({"enum": [*PHASES, *SHORT_NAMES]})]


def _names_calls(value: Any) -> Any:
    if not isinstance(value, dict):
        raise problem(f"found {describe(value)}", "a mapping with calls: OPERATION and behind: HOP")
    return value


class Breaker(Strict):
    """A circuit breaker between callers and a hop."""

    calls: Text = Field(description="the operation whose calls it guards")
    behind: Text = Field(description="the hop that it guards")
    id: CARRIER = Field(default=None, description="where a request carries its id")
    kind: BreakerKind | None = Field(default=None, description="by what it opens")
    threshold: Threshold = Field(default=None, description="so many failures, or such a share")
    opens: Literal["at", "above"] | None = Field(
        default=None, description="at the threshold, or only above it"
    )
    window: WindowText = Field(default=None, description="the calls or the time it looks back at")
    minimum: Counted | None = Field(
        default=None, description="calls in the window before a share is looked at"
    )
    denominator: Denominator | None = Field(
        default=None, description="the calls that a share is of"
    )
    open: OPEN = Field(default=None, description="how long it stays open")
    trials: Trials | None = Field(default=None, description="the calls let through in half-open")
    call_timeout: CallTimeout = Field(
        default=None, description="when the service gives up a call, or none"
    )
    slow: Slow | None = Field(default=None, description="when a call counts as slow")
    failure: ExpressionText | None = Field(
        default=None, description="which calls count as failed, over status, cut and timed_out"
    )
    ignored: ExpressionText | None = Field(
        default=None, description="which answers count as neither, over status"
    )
    ignored_as: Literal["nothing", "success"] | None = Field(
        default=None, description="what an ignored answer counts as"
    )
    cancellation: Literal["ignored", "failure"] | None = Field(
        default=None, description="what a call counts as whose caller has left"
    )
    stragglers: Literal["ignored", "counted"] | None = Field(
        default=None, description="what calls of an earlier state count as"
    )
    rejection: Rejection | None = Field(
        default=None, description="what a short-circuited call is answered"
    )
    fallback: Fallback | None = Field(
        default=None, description="what it is answered in the place of an error"
    )
    retries: Retries | None = Field(default=None, description="what the service repeats")
    isolation: Literal["none", "key", "host"] | None = Field(
        default=None, description="for what there is a circuit each"
    )
    key: Text | None = Field(
        default=None, description="the circuit that a call belongs to, with {placeholders}"
    )
    bulkhead: _AtOnce | None = Field(default=None, description="calls at once that are admitted")
    instances: _Few | None = Field(default=None, description="processes, each with its own breaker")
    reaction: Span = Field(default=Duration.ZERO, description="how late it may notice")
    recovers_within: PositiveSpan | None = Field(
        default=None, description="from healing to good calls again"
    )
    errors_when_healthy: PercentFromZero = Field(
        default=0.0, description="the share of calls that may fail while nothing is wrong"
    )
    process: Text | None = Field(
        default=None, description="the service whose memory and event loop are looked at"
    )
    script: ScriptName = Field(default="quick", description="quick takes about a minute")
    phases: Annotated[list[Phase], Field(min_length=1)] | None = Field(
        default=None, description="the phases to run; else all of the script"
    )


BREAKER: Any = annotated(Breaker, BeforeValidator(_names_calls))
