"""The parts of a target file: services, hops, variants, resets, operations, probes; key by key.

The file as a whole is ``schema.py``, what a single value may look like ``words.py``.
"""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from harness.experiment.http_words import Headers, Line
from harness.experiment.worded import Worded
from harness.experiment.wording import Strict
from harness.experiment.words import ExpressionText, PositiveSpan, Text, Variables, problem
from harness.model.units import Duration


class Ready(Strict):
    """When a service counts as ready: an HTTP answer below 400, or else an accepted connection."""

    http: Line | None = Field(default=None, description="the request that must succeed")
    within: PositiveSpan = Field(default=Duration.of_s(30), description="how long it may take")


class Service(Worded):
    """Something that runs while the experiment does."""

    env: dict[str, Text] = Field(
        default={}, description="environment variables, texts with {placeholders}"
    )
    ready: Ready | None = Field(default=None, description="how to see that it is up")


class Hop(Strict):
    """One proxied link: ``from`` dials it instead of ``to``."""

    source: Text | None = Field(
        default=None, alias="from", description="the service that dials the hop"
    )
    to: Text = Field(description="the service behind the hop")
    listen: Text | None = Field(
        default=None, description="a pinned host:port; else the system gives a port"
    )


class Variant(Strict):
    """One form of the service."""

    title: Text = Field(default="", description="what is different")


def no_keys(value: Any) -> Any:
    """``naive:`` alone is a variant without a title."""
    return {} if value is None else value


class Reset(Worded):
    """How the state is put back, directly, never through a hop."""

    # An SQL script is told from the name of a file by its ending.
    hidden: ClassVar[tuple[str, ...]] = ("file",)
    on: Text | None = Field(default=None, description="the service")


class Operation(Strict):
    """A request, and the rules that sort its answer."""

    http: Line = Field(description="method and path, such as POST /accounts/{account}/withdraw")
    on: Text | None = Field(
        default=None, description="the service; not needed when only one speaks HTTP"
    )
    headers: Headers = Field(default={}, description="texts with {placeholders}")
    payload: Any = Field(
        default=None, alias="json", description="the body as JSON, with {placeholders}"
    )
    body: Text | None = Field(default=None, description="the body as text, with {placeholders}")
    vars: Variables = Field(
        default={}, description="values for the placeholders; a list has one for each request"
    )
    timeout: PositiveSpan = Field(
        default=Duration.of_s(30), description="what takes longer is unknown"
    )
    acknowledged: ExpressionText | None = Field(
        default=None, description="true if it took effect; without any rule: 2xx"
    )
    rejected: ExpressionText | None = Field(
        default=None, description="true if it certainly had no effect; without any rule: 4xx"
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
        default=None, description="the service; not needed when only one can be asked so"
    )
