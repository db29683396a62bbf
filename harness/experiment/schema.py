"""The shape of the two files: every key, its type, its default. JSON Schema comes from here too.

Rules that need two keys or two files stand in ``checks_target.py`` and its neighbours; what a single
value may look like is ``words.py``. The words for faults, probes and so on come in as ``Kinds``.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from harness.experiment.nodes import Path
from harness.experiment.worded import Worded, choice, either
from harness.experiment.wording import Strict
from harness.experiment.words import (
    DashedName,
    ExpressionText,
    FolderName,
    Headers,
    Identifier,
    Line,
    Percent,
    PositiveSpan,
    Span,
    Text,
    Variables,
    VariableName,
    describe,
    problem,
)
from harness.kinds import Kinds
from harness.model.units import Duration

MAX_CONCURRENCY = 10_000
MAX_ROUNDS = 100_000
DEFAULT_HOLD = Duration.of_ms(100)

Fields = dict[str, tuple[Any, Any]]
"""The keys of a file: type and default of each; ``...`` says that there is none."""


# Parts of a target


class Ready(Strict):
    """When a service counts as ready: an HTTP answer below 400, or else an accepted connection."""

    http: Line | None = Field(None, description="the request that must succeed")
    within: PositiveSpan = Field(Duration.of_s(30), description="how long it may take")


class Service(Worded):
    """Something that runs while the experiment does."""

    env: dict[str, Text] = Field({}, description="environment variables, texts with {placeholders}")
    ready: Ready | None = Field(None, description="how to see that it is up")


class Hop(Strict):
    """One proxied link: ``from`` dials it instead of ``to``."""

    source: Text | None = Field(None, alias="from", description="the service that dials the hop")
    to: Text = Field(description="the service behind the hop")
    listen: Text | None = Field(
        None, description="a pinned host:port; else the system gives a port"
    )


class Variant(Strict):
    """One form of the service."""

    title: Text = Field("", description="what is different")


def _no_keys(value: Any) -> Any:
    return {} if value is None else value


class Reset(Worded):
    """How the state is put back, directly, never through a hop."""

    # An SQL script is told from the name of a file by its ending.
    hidden: ClassVar[tuple[str, ...]] = ("file",)
    on: Text | None = Field(None, description="the service")


class Operation(Strict):
    """A request, and the rules that sort its answer."""

    http: Line = Field(description="method and path, such as POST /accounts/{account}/withdraw")
    on: Text | None = Field(None, description="the service; not needed when only one speaks HTTP")
    headers: Headers = Field({}, description="texts with {placeholders}")
    payload: Any = Field(None, alias="json", description="the body as JSON, with {placeholders}")
    body: Text | None = Field(None, description="the body as text, with {placeholders}")
    vars: Variables = Field(
        {}, description="values for the placeholders; a list has one for each request"
    )
    timeout: PositiveSpan = Field(Duration.of_s(30), description="what takes longer is unknown")
    acknowledged: ExpressionText | None = Field(
        None, description="true if it took effect; without any rule: 2xx"
    )
    rejected: ExpressionText | None = Field(
        None, description="true if it certainly had no effect; without any rule: 4xx"
    )

    @model_validator(mode="after")
    def _one_body(self) -> "Operation":
        if self.has_json and self.body is not None:
            raise problem("json and body stand together", "one of the two")
        return self

    @property
    def has_json(self) -> bool:
        return "payload" in self.model_fields_set


class Probe(Worded):
    """A question about the state that has one value as its answer."""

    on: Text | None = Field(
        None, description="the service; not needed when only one can be asked so"
    )


# Parts of an experiment


class Use(Strict):
    """Where the target is described."""

    use: Text = Field(description="a folder with a target.yaml, or the file itself")


class ViolatedBy(Strict):
    """The invariants that are expected to be broken, exactly these."""

    violated: list[Text] = Field(min_length=1, description="names of invariants, or steady-state")


class Fault(Worded):
    """What is done to a hop."""

    nestable: ClassVar[bool] = True
    on: Text = Field(description="the hop")
    lasts: PositiveSpan | None = Field(
        None, alias="for", description="else to the end of the round"
    )
    stream: Literal["upstream", "downstream"] = Field("downstream", description="which direction")
    toxicity: Percent = Field(1.0, description="the share of connections it acts on")


Concurrency = Annotated[int, Field(ge=1, le=MAX_CONCURRENCY)]


class BurstPart(Strict):
    """Requests of one operation."""

    operation: Text = Field(description="an operation of the target")
    concurrency: Concurrency = Field(description="how many requests")
    vars: Variables = Field(
        {}, description="values for this burst; they win over the operation's own"
    )


class OneBurst(BurstPart):
    """Requests of one operation that arrive together."""

    hold: Span = Field(DEFAULT_HOLD, description="from all being written to the last bytes")

    def parts(self, at: Path) -> list[tuple[Path, BurstPart]]:
        return [(at, self)]


class ManyBurst(Strict):
    """Requests of several operations that arrive together."""

    operations: list[BurstPart] = Field(min_length=1, description="each with its own concurrency")
    hold: Span = Field(DEFAULT_HOLD, description="from all being written to the last bytes")

    def parts(self, at: Path) -> list[tuple[Path, BurstPart]]:
        return [((*at, "operations", i), part) for i, part in enumerate(self.operations)]


def burst_parts(burst: Any, at: Path) -> list[tuple[Path, BurstPart]]:
    """The parts of a burst in any of its three forms, each with its place."""
    if isinstance(burst, list):
        return [((*at, i), part) for i, part in enumerate(burst)]
    found: list[tuple[Path, BurstPart]] = burst.parts(at)
    return found


def _burst_form(value: Any) -> str | None:
    if isinstance(value, list):
        return "<list>"
    return "<many>" if isinstance(value, dict) and "operations" in value else "<one>"


def _some_burst(value: Any) -> Any:
    if not isinstance(value, dict | list) or value == []:
        raise problem(
            f"found {describe(value)}", "{operation: …, concurrency: …}, or a list of these"
        )
    return value


Burst = Annotated[
    either(_burst_form, {"<one>": OneBurst, "<many>": ManyBurst, "<list>": list[BurstPart]}),
    BeforeValidator(_some_burst),
]


class Step(Strict):
    """One step of the method: a fault or a burst. The subclass knows the faults."""

    fault: Any = None
    burst: Burst | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Step":
        if (self.fault is None) == (self.burst is None):
            found = (
                "fault and burst stand together" if self.fault is not None else "the step is empty"
            )
            raise problem(found, "one of fault and burst", "Write each as a step of its own.")
        return self


class Prepare(Strict):
    """One operation before the rounds."""

    operation: Text = Field(description="an operation of the target")
    vars: Variables = Field({}, description="values for this request")
    capture: dict[VariableName, ExpressionText] = Field(
        {}, description="what to keep of the answer, by name"
    )


class Settle(Strict):
    """When the state counts as at rest."""

    gap: PositiveSpan = Field(Duration.of_ms(100), description="between two equal readings")
    limit: PositiveSpan = Field(Duration.of_s(10), description="then it counts as never settled")


class Invariant(Worded):
    """What must hold."""


def _expected(value: Any) -> str | None:
    return "<violated>" if isinstance(value, dict) else "<word>"


def _held_or_violated(value: Any) -> str:
    if value in ("held", "violated"):
        return str(value)
    raise problem(
        f"found {describe(value)}", "held, violated, or {violated: [names of invariants]}"
    )


_ExpectedWord = Annotated[
    str, PlainValidator(_held_or_violated), WithJsonSchema({"enum": ["held", "violated"]})
]
Expectation = either(_expected, {"<violated>": ViolatedBy, "<word>": _ExpectedWord})


def _variants(value: Any) -> str | None:
    return "<list>" if isinstance(value, list) else "<mapping>"


def _some_variants(value: Any) -> Any:
    if not isinstance(value, dict | list) or not value:
        raise problem(
            f"found {describe(value)}", "a list of variants, or a mapping of variants to verdicts"
        )
    return value


ExpectedVariants = Annotated[
    either(_variants, {"<list>": list[Text], "<mapping>": dict[Text, Expectation]}),
    BeforeValidator(_some_variants),
]


# The files

_INCLUDE: tuple[Any, Any] = (
    str | list[str] | None,
    Field(None, description="files whose keys are drawn in"),
)


def target_fields(kinds: Kinds) -> Fields:
    """The keys of a target file."""
    reset = choice(kinds.resets, Reset, "reset")
    variant = Annotated[Variant, BeforeValidator(_no_keys)]
    return {
        "target": (FolderName, Field(description="the target's name")),
        "title": (Text, Field("", description="what it is, in a line")),
        "services": (
            dict[DashedName, choice(kinds.services, Service, "service")],  # type: ignore[misc]  # made at run time
            Field(description="what runs while the experiment does", min_length=1),
        ),
        "hops": (dict[DashedName, Hop], Field({}, description="proxied links between services")),
        "variants": (
            dict[FolderName, variant],
            Field({}, description="forms of the service, filled in as {variant}"),
        ),  # type: ignore[valid-type]
        "reset": (
            either(
                lambda value: "<list>" if isinstance(value, list) else "<one>",
                {"<one>": reset, "<list>": list[reset]},
            ),
            Field(
                [],
                description="puts the state back, before every round and each look at the steady state",
            ),
        ),
        "operations": (
            dict[Identifier, Operation],
            Field({}, description="requests of the service's users"),
        ),
        "probes": (
            dict[Identifier, choice(kinds.probes, Probe, "probe")],  # type: ignore[misc]
            Field({}, description="questions about the state"),
        ),
        "allow_hosts": (
            list[Text],
            Field([], description="hosts other than this machine that may be reached"),
        ),
    }


def experiment_fields(kinds: Kinds, *, inline: bool = False) -> Fields:
    """The keys of an experiment file; ``inline`` also describes a target within it, for schemas."""
    step = create_model(
        "Step", __base__=Step, fault=(choice(kinds.faults, Fault, "fault") | None, None)
    )
    target: Any = Use
    if inline:
        target = Use | create_model("InlineTarget", __base__=Strict, **target_fields(kinds))  # type: ignore[call-overload]
    return {
        "experiment": (FolderName, Field(description="the experiment's name")),
        "title": (Text, Field("", description="what it shows, in a line")),
        "target": (target, Field(description="what is tested")),
        "variants": (
            ExpectedVariants | None,
            Field(None, description="which variants, and what is expected of each; else all, held"),
        ),
        "steady_state": (
            list[ExpressionText],
            Field([], description="what is true when nothing is wrong"),
        ),
        "recovers_within": (
            Span,
            Field(Duration.of_s(10), description="for the steady state after the last undo"),
        ),
        "rounds": (
            Annotated[int, Field(ge=1, le=MAX_ROUNDS)],
            Field(1, description="how often the method runs, each time after a reset"),
        ),
        "method": (list[step], Field(description="the steps of one round, in order", min_length=1)),  # type: ignore[valid-type]
        "invariants": (
            dict[DashedName, choice(kinds.invariants, Invariant, "invariant")],  # type: ignore[misc]
            Field(description="what must hold", min_length=1),
        ),
        "settle": (Settle, Field(Settle(), description="when the state counts as at rest")),
        "prepare": (
            list[Prepare],
            Field([], description="operations that run once before the rounds"),
        ),
        "time": (PositiveSpan | None, Field(None, description="limit for the whole run")),
        "seed": (
            Annotated[int, Field(ge=0, lt=2**63)] | None,
            Field(None, description="a whole number; else drawn, and printed"),
        ),
    }


def json_schema(which: Literal["experiment", "target"], kinds: Kinds) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one of the two files, for editors."""
    fields = target_fields(kinds) if which == "target" else experiment_fields(kinds, inline=True)
    model = create_model(f"{which.capitalize()}File", __base__=Strict, **fields, include=_INCLUDE)  # type: ignore[call-overload]
    schema: dict[str, Any] = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    schema["$schema"] = GenerateJsonSchema.schema_dialect
    schema["title"] = f"{which.capitalize()} file"
    # A file may leave out what a file that it includes has.
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["include"]}]
    return schema


class _Generator(GenerateJsonSchema):
    """Defaults as they are written in YAML; no titles, which would only repeat the keys."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, Duration):
            return dft.text()
        return super().encode_default(dft)

    def get_title_from_name(self, name: str) -> str:
        return name

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        # A key that may be left out; with nothing behind it, it is an error.
        return self.generate_inner(schema["schema"])
