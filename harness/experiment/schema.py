"""The two files as a whole: every key, its type, its default. JSON Schema comes from here too.

Rules that need two keys or two files stand in ``checks_target.py`` and its neighbours. The words for
faults, probes and so on come in as ``Kinds``.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from harness.experiment.breaker_parts import BREAKER
from harness.experiment.experiment_parts import (
    BURST,
    EXPECTED_VARIANTS,
    Arrivals,
    Invariant,
    Prepare,
    Settle,
    Step,
    Use,
)
from harness.experiment.fault_parts import Fault
from harness.experiment.target_parts import (
    WHAT_RUNS,
    Hop,
    Operation,
    Probe,
    Reset,
    Service,
    Variant,
    no_keys,
)
from harness.experiment.worded import choice, either, list_of, made, mapping_of
from harness.experiment.wording import Strict
from harness.experiment.words import (
    DashedName,
    ExpressionText,
    FolderName,
    Identifier,
    PositiveSpan,
    Span,
    Text,
)
from harness.kinds import Kinds
from harness.model.units import Duration, Rate, Size

MAX_ROUNDS = 100_000
# A breaker's run follows a script and judges what is numbered.
INSTEAD_OF_A_BREAKER = ("method", "invariants")

Fields = dict[str, tuple[Any, Any]]
"""The keys of a file: type and default of each."""

_INCLUDE: tuple[Any, Any] = (
    str | list[str] | None,
    Field(None, description="files whose keys are drawn in"),
)


def target_fields(kinds: Kinds) -> Fields:
    """The keys of a target file."""
    reset = choice(kinds.resets, Reset, "reset")
    variant = Annotated[Variant, BeforeValidator(no_keys)]
    return {
        "target": (FolderName, Field(description="the target's name")),
        "title": (Text, Field("", description="what it is, in a line")),
        "services": (
            mapping_of(DashedName, choice(kinds.services, Service, "service")),
            Field({}, description=WHAT_RUNS),
        ),
        "hops": (dict[DashedName, Hop], Field({}, description="proxied links between services")),
        "variants": (
            mapping_of(FolderName, variant),
            Field({}, description="forms of the service, filled in as {variant}"),
        ),
        "reset": (
            either(
                lambda value: "<list>" if isinstance(value, list) else "<one>",
                {"<one>": reset, "<list>": list_of(reset)},
            ),
            Field(
                [],
                description="puts the state back, before every round and each look at the steady state",
            ),
        ),
        "operations": (
            dict[Identifier, Operation],
            Field({}, description="requests of the service's users, or commands"),
        ),
        "probes": (
            mapping_of(Identifier, choice(kinds.probes, Probe, "probe")),
            Field({}, description="questions about the state"),
        ),
        "allow_hosts": (
            list[Text],
            Field([], description="hosts other than this machine that may be reached"),
        ),
    }


def experiment_fields(kinds: Kinds, *, inline: bool = False) -> Fields:
    """The keys of an experiment file; ``inline`` also describes a target within it, for schemas."""
    target: Any = Use
    if inline:
        target = Use | made("InlineTarget", Strict, target_fields(kinds))
    return {
        "experiment": (FolderName, Field(description="the experiment's name")),
        "title": (Text, Field("", description="what it shows, in a line")),
        "target": (target, Field(description="what is tested")),
        "variants": (
            EXPECTED_VARIANTS | None,
            Field(None, description="which variants, and what is expected of each; else all, held"),
        ),
        **_happening_fields(kinds),
        **_judging_fields(kinds),
    }


def _happening_fields(kinds: Kinds) -> Fields:
    """What is done, how often, and for how long."""
    fault = choice(kinds.faults, Fault, "fault")
    step = made(
        "Step",
        Step,
        {
            "fault": (fault | None, None),
            "burst": (BURST | None, None),
            "arrivals": (Arrivals | None, None),
        },
    )
    return {
        "prepare": (
            list[Prepare],
            Field([], description="operations that run once before the rounds"),
        ),
        "rounds": (
            Annotated[int, Field(ge=1, le=MAX_ROUNDS)],
            Field(1, description="how often the method runs, each time after a reset"),
        ),
        "method": (
            list_of(step),
            Field(description="the steps of one round, in order", min_length=1),
        ),
        "breaker": (
            BREAKER | None,
            Field(None, description="a circuit breaker to judge, in the place of a method"),
        ),
        "time": (PositiveSpan | None, Field(None, description="limit for the whole run")),
        "seed": (
            Annotated[int, Field(ge=0, lt=2**63)] | None,
            Field(None, description="a whole number; else drawn, and printed"),
        ),
    }


def _judging_fields(kinds: Kinds) -> Fields:
    """What must be true, and when."""
    return {
        "steady_state": (
            list[ExpressionText],
            Field([], description="what is true when nothing is wrong"),
        ),
        "recovers_within": (
            Span,
            Field(Duration.of_s(10), description="for the steady state after the last undo"),
        ),
        "invariants": (
            mapping_of(DashedName, choice(kinds.invariants, Invariant, "invariant")),
            Field(description="what must hold", min_length=1),
        ),
        "settle": (Settle, Field(Settle(), description="when the state counts as at rest")),
    }


def json_schema(which: Literal["experiment", "target"], kinds: Kinds) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one of the two files, for editors."""
    fields = target_fields(kinds) if which == "target" else experiment_fields(kinds, inline=True)
    model = made(f"{which.capitalize()}File", Strict, {**fields, "include": _INCLUDE})
    schema: dict[str, Any] = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    schema["$schema"] = GenerateJsonSchema.schema_dialect
    schema["title"] = f"{which.capitalize()} file"
    required = schema.pop("required")
    # A file may leave out what a file that it includes has.
    schema["anyOf"] = [{"required": required}, {"required": ["include"]}]
    if which == "experiment":
        without = [key for key in required if key not in INSTEAD_OF_A_BREAKER]
        schema["anyOf"].insert(1, {"required": [*without, "breaker"]})
    return schema


class _Generator(GenerateJsonSchema):
    """Defaults as they are written in YAML; no titles, which would only repeat the keys."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, Duration | Size | Rate):
            return dft.text()
        if isinstance(dft, Strict):
            return {key: self.encode_default(value) for key, value in dft}
        if isinstance(dft, float):
            return f"{dft:.0%}"  # toxicity, the one percentage
        return super().encode_default(dft)

    def get_title_from_name(self, name: str) -> str:
        return name

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        # A key that may be left out; with nothing behind it, it is an error.
        return self.generate_inner(schema["schema"])
