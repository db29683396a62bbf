"""A fault as the file tells it: its word, its attributes, and the keys that all faults share.

Which kinds there are comes from the vocabulary; a kind with streams is a toxic, and what it allows
is what its own class says. Rules that need two keys are ``checks_faults.py``.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from harness.experiment.http_words import HeaderName, HeaderValue
from harness.experiment.worded import Worded, made
from harness.experiment.wording import Strict
from harness.experiment.words import Percent, PositiveSpan, Text
from harness.kinds import Described
from harness.model.plan import HeaderMatch

Whole = Annotated[int, Field(ge=0, lt=2**63)]
Counted = Annotated[int, Field(ge=1, lt=2**63)]


class Match(Strict):
    """Requests whose header has one of these values."""

    header: HeaderName = Field(description="the name of a header, in any case")
    values: list[HeaderValue] = Field(min_length=1, description="any of these, exactly")


class Fault(Worded):
    """What is done to a hop."""

    nestable: ClassVar[bool] = True
    on: Text = Field(description="the hop")
    lasts: PositiveSpan | None = Field(
        default=None, alias="for", description="else to the end of the round"
    )

    @classmethod
    def for_kind(cls, described: type[Described]) -> type[Worded]:
        """A toxic has a stream, and says which."""
        return _on_a_stream(described) if hasattr(described, "streams") else cls

    @property
    def codec_in_use(self) -> str | None:
        """By which messages are told apart; None for a fault that is no toxic."""
        return None

    def in_a_step(self) -> dict[str, Any]:
        """What a plan's step says beside place, time and the kind's own attributes."""
        return {"stream": None}


class ToxicFault(Fault):
    """A toxic. The subclass knows which streams and codecs its kind has."""

    toxic: ClassVar[Any]
    stream: Literal["upstream", "downstream"] = Field(default="downstream")
    toxicity: Percent = Field(
        default=1.0, description="the share of connections (or requests, see per) it acts on"
    )
    per: Literal["connection", "request"] | None = Field(
        default=None, description="what toxicity, skip and first are about"
    )
    codec: str | None = Field(default=None)
    skip: Whole | None = Field(default=None, description="leaves so many alone first")
    first: Counted | None = Field(default=None, description="acts on so many, then on none")
    match: Match | None = Field(
        default=None, description="acts on requests with this header alone; reads HTTP"
    )
    seed: Whole | None = Field(default=None, description="of its draws; else the run's")

    @property
    def codec_in_use(self) -> str | None:
        default: str = "http" if self.match else self.toxic.codecs[0]
        return self.codec or default

    @property
    def per_in_use(self) -> str:
        default: str = "request" if self.match else self.toxic.per
        return self.per or default

    def in_a_step(self) -> dict[str, Any]:
        """Only what a Toxiproxy would not do anyway, so that any can be asked for all that it has."""
        match, per, codec = self.match, self.per_in_use, self.codec_in_use
        plain = per == self.toxic.per == "connection"
        return {
            "stream": self.stream,
            "toxicity": self.toxicity,
            "per": None if plain else per,
            "codec": None if codec == self.toxic.codecs[0] else codec,
            "skip": self.skip or None,
            "first": self.first,
            "match": match and HeaderMatch(header=match.header, values=tuple(match.values)),
            "seed": self.seed,
        }


def _on_a_stream(toxic: Any) -> type[Worded]:
    streams: Any = Literal[tuple(toxic.streams)]
    codecs: Any = Literal[tuple(toxic.codecs)]
    base = made(
        "Fault",
        ToxicFault,
        {
            "stream": (streams, Field(toxic.streams[0], description="which direction")),
            "codec": (codecs | None, Field(None, description="how messages are told apart")),
        },
    )
    base.toxic = toxic
    return base
