"""What a caller asks for and what there is: plain values between the API and the server's state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.proxy.toxic import Direction, Per
from harness.proxy.wire import Value, WireProblem, WrongType

LONGEST_NAME = 1024


class Refused(Exception):
    """A call that changed nothing: its HTTP status and the message of its answer.

    ``place`` is the entry that is to blame, from 1, where a list was asked for.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.place: int | None = None
        super().__init__(message)


def refusal_of(problem: WireProblem) -> Refused:
    """Values of a wrong type make the body bad, as Toxiproxy says it."""
    prefix = "bad request body: " if isinstance(problem, WrongType) else ""
    return Refused(400, f"{prefix}{problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Acts on requests whose ``header`` has one of ``values``."""

    header: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What a toxic has beyond Toxiproxy's five keys; None is what was not set.

    Times in milliseconds. ``skip`` and ``first`` count what ``per`` names.
    """

    seed: int | None = None
    per: Per | None = None
    codec: str | None = None
    skip: int | None = None
    first: int | None = None
    match: Match | None = None
    duration: int | None = None
    lease: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicSpec:
    """A toxic as asked for; None is what was not given.

    ``extensions`` has the raw values of the keys that were given, null among them.
    """

    name: str | None = None
    type: str | None = None
    stream: str | None = None
    toxicity: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySpec:
    """A proxy as asked for; None is what was not given.

    ``extensions`` has the raw values of the keys that were given, null among them.
    """

    name: str | None = None
    listen: str | None = None
    upstream: str | None = None
    enabled: bool | None = None
    toxics: tuple[ToxicSpec, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicState:
    """A toxic that is there. ``stream`` stays as it was spelled; ``attributes`` has all of them."""

    name: str
    type: str
    stream: str
    toxicity: float
    attributes: Mapping[str, Value]
    extensions: Extensions = Extensions()

    @property
    def direction(self) -> Direction:
        return "upstream" if self.stream.lower() == "upstream" else "downstream"


def checked_name(name: str) -> str:
    """The name, if it can stand in a path.

    Raises:
        Refused: ``.``, ``..`` or too long.
    """
    if name in {".", ".."}:
        raise Refused(400, f"name: {name} cannot be addressed, use another one")
    if len(name.encode()) > LONGEST_NAME:
        raise Refused(400, f"name: longer than {LONGEST_NAME} bytes")
    return name
