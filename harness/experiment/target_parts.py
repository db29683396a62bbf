"""The parts of a target file: services, hops, variants, resets, operations, probes; key by key.

The file as a whole is ``schema.py``, what a single value may look like ``words.py``.
"""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from harness.experiment.http_words import Headers, Line
from harness.experiment.worded import Worded, made
from harness.experiment.wording import Strict
from harness.experiment.words import ExpressionText, PositiveSpan, Text, Variables, problem
from harness.kinds import Described
from harness.model.units import Duration

STARTED = ("run", "node")
"""The kinds of services that are processes of the run's own."""
WHAT_RUNS = "what runs while the experiment does"
CONTAINER = "compose"
"""The word that names a container: a kind of service, or beside another word what stands for it."""


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

    @classmethod
    def for_kind(cls, described: type[Described]) -> type[Worded]:
        """A container needs none that stands for it."""
        return cls if described.kind == CONTAINER else _REPLACEABLE

    @property
    def stand_in(self) -> str | None:
        """``FILE#SERVICE``, what stands for it on a stack of containers."""
        found: str | None = getattr(self, CONTAINER, None)
        return found

    @property
    def takes_env(self) -> bool:
        """Whether its programs have an environment of the user's."""
        return bool(getattr(self.described, "takes_env", False))


_REPLACEABLE = made(
    "Service",
    Service,
    {
        CONTAINER: (
            Text | None,
            Field(None, description="FILE#SERVICE, what stands for it under --stack compose"),
        )
    },
)


class Hop(Strict):
    """One proxied link: ``from`` dials it instead of ``to``."""

    source: Text | None = Field(
        default=None, alias="from", description="the service that dials the hop"
    )
    to: Text = Field(description="the service behind the hop")
    listen: Text | None = Field(
        default=None, description="a pinned host:port; else the system gives a port"
    )
    compose: Text | None = Field(
        default=None, description="SERVICE:PORT, where it listens under --stack compose"
    )


class Variant(Strict):
    """One form of the service."""

    title: Text = Field(default="", description="what is different")
    env: dict[str, Text] = Field(
        default={}, description="environment variables of all that is started; they win"
    )


def no_keys(value: Any) -> Any:
    """``naive:`` alone is a variant without a title."""
    return {} if value is None else value


class Reset(Worded):
    """How the state is put back, directly, never through a hop."""

    # An SQL script is told from the name of a file by its ending.
    hidden: ClassVar[tuple[str, ...]] = ("file",)
    on: Text | None = Field(default=None, description="the service")


# What a command cannot have, and the keys that say it.
_OF_REQUESTS = {"on": "on", "headers": "headers", "payload": "json", "body": "body"}


class Operation(Strict):
    """A request or a command, and the rules that sort its answer."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["http"]}, {"required": ["command"]}]}
    )
    http: Line | None = Field(
        default=None, description="method and path, such as POST /accounts/{account}/withdraw"
    )
    command: Text | None = Field(
        default=None, description="a program, run in the target's folder, without a shell"
    )
    on: Text | None = Field(
        default=None, description="the service; not needed when only one speaks HTTP"
    )
    headers: Headers = Field(default={}, description="texts with {placeholders}")
    payload: Any = Field(
        default=None, alias="json", description="the body as JSON, with {placeholders}"
    )
    body: Text | None = Field(default=None, description="the body as text, with {placeholders}")
    key: Text | None = Field(
        default=None, description="names its effect in the state, with {placeholders}"
    )
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
    def _one_way(self) -> "Operation":
        if self.http is None and self.command is None:
            raise problem("the key 'http' is missing", "http: METHOD /path, or command: PROGRAM")
        if self.http is not None and self.command is not None:
            raise problem("http and command stand together", "one of the two", key="command")
        wrong = [key for name, key in _OF_REQUESTS.items() if name in self.model_fields_set]
        if self.command is not None and wrong:
            raise problem(
                f"{' and '.join(wrong)} beside command",
                "the command alone: it asks no service",
                key=wrong[0],
            )
        return self

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
