"""The parts of an experiment file: bursts, arrivals, invariants, expectations; key by key.

Faults are ``fault_parts.py``, a circuit breaker is ``breaker_parts.py``, the file as a whole is ``schema.py``, what a single value may look
like ``words.py``.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from harness.experiment.nodes import Path
from harness.experiment.worded import Worded, annotated, either, mapping_of
from harness.experiment.wording import Strict
from harness.experiment.words import (
    ExpressionText,
    Frequency,
    PositiveSpan,
    Span,
    Text,
    VariableName,
    Variables,
    describe,
    problem,
)
from harness.model.units import Duration

MAX_CONCURRENCY = 10_000
DEFAULT_HOLD = Duration.of_ms(100)


class Use(Strict):
    """Where the target is described."""

    use: Text = Field(description="a folder with a target.yaml, or the file itself")


class ViolatedBy(Strict):
    """The invariants that are expected to be broken, exactly these."""

    violated: list[Text] = Field(min_length=1, description="names of invariants, or steady-state")


Concurrency = Annotated[int, Field(ge=1, le=MAX_CONCURRENCY)]
STEPS = ("fault", "burst", "arrivals")
_ONE_OF = "fault, burst and arrivals"


class BurstPart(Strict):
    """Requests of one operation."""

    operation: Text = Field(description="an operation of the target")
    concurrency: Concurrency = Field(description="how many requests")
    vars: Variables = Field(
        default={}, description="values for this burst; they win over the operation's own"
    )


class OneBurst(BurstPart):
    """Requests of one operation that arrive together."""

    hold: Span = Field(default=DEFAULT_HOLD, description="from all being written to the last bytes")

    def parts(self, at: Path) -> list[tuple[Path, BurstPart]]:
        return [(at, self)]


class ManyBurst(Strict):
    """Requests of several operations that arrive together."""

    operations: list[BurstPart] = Field(min_length=1, description="each with its own concurrency")
    hold: Span = Field(default=DEFAULT_HOLD, description="from all being written to the last bytes")

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


BURST: Any = annotated(
    either(_burst_form, {"<one>": OneBurst, "<many>": ManyBurst, "<list>": list[BurstPart]}),
    BeforeValidator(_some_burst),
)


class Arrivals(Strict):
    """Requests of one operation at planned instants, whatever earlier ones do: an open loop."""

    operation: Text = Field(description="an operation of the target")
    rate: Frequency = Field(description="how many in a time")
    lasts: PositiveSpan = Field(alias="for", description="how long")
    vars: Variables = Field(
        default={}, description="values for these requests; they win over the operation's own"
    )
    cap: Concurrency | None = Field(
        default=None, description="so many in flight, at most; what is due beyond is dropped"
    )


class Step(Strict):
    """One step of the method: a fault, a burst or arrivals. The subclass knows their types."""

    fault: Any = None
    burst: Any = None
    arrivals: Arrivals | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Step":
        there = [name for name in STEPS if getattr(self, name) is not None]
        if len(there) != 1:
            found = f"{' and '.join(there)} stand together" if there else "the step is empty"
            raise problem(found, f"one of {_ONE_OF}", "Write each as a step of its own.")
        return self


class Prepare(Strict):
    """One operation before the rounds."""

    operation: Text = Field(description="an operation of the target")
    vars: Variables = Field(default={}, description="values for this request")
    capture: dict[VariableName, ExpressionText] = Field(
        default={}, description="what to keep of the answer, by name"
    )


class Settle(Strict):
    """When the state counts as at rest."""

    gap: PositiveSpan = Field(default=Duration.of_ms(100), description="between two equal readings")
    limit: PositiveSpan = Field(
        default=Duration.of_s(10), description="then it counts as never settled"
    )


class Invariant(Worded):
    """What must hold."""

    @property
    def word(self) -> str:
        """What stands behind its word: an ``expression``, or the name of an ``operation``."""
        word: str = getattr(self.described, "word", "expression")
        return word

    @property
    def sampled(self) -> bool:
        """Whether its probes are read while a round lasts, and not once it has settled."""
        return "every" in self.attributes.values()

    @property
    def keys(self) -> str | None:
        """The probe that lists the keys of an operation's effects."""
        keys: str | None = self.given().get("keys")
        return keys


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
EXPECTATION: Any = either(_expected, {"<violated>": ViolatedBy, "<word>": _ExpectedWord})


def _variants(value: Any) -> str | None:
    return "<list>" if isinstance(value, list) else "<mapping>"


def _some_variants(value: Any) -> Any:
    if not isinstance(value, dict | list) or not value:
        raise problem(
            f"found {describe(value)}", "a list of variants, or a mapping of variants to verdicts"
        )
    return value


EXPECTED_VARIANTS: Any = annotated(
    either(_variants, {"<list>": list[Text], "<mapping>": mapping_of(Text, EXPECTATION)}),
    BeforeValidator(_some_variants),
)
