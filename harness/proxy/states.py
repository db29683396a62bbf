"""What a caller asks for and what there is: plain values between the API and the server's state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

LONGEST_NAME = 1024


class Refused(Exception):
    """A call that changed nothing: its HTTP status and the message of its answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicSpec:
    """A toxic as asked for; None is what was not given."""

    name: str | None = None
    type: str | None = None
    stream: str | None = None
    toxicity: float | None = None
    attributes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySpec:
    """A proxy as asked for; None is what was not given."""

    name: str | None = None
    listen: str | None = None
    upstream: str | None = None
    enabled: bool | None = None
    toxics: tuple[ToxicSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicState:
    """A toxic that is there. ``stream`` stays as it was spelled; ``attributes`` has all of them."""

    name: str
    type: str
    stream: str
    toxicity: float
    attributes: Mapping[str, int]

    @property
    def direction(self) -> Literal["upstream", "downstream"]:
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
