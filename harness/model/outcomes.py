"""What became of an operation: acknowledged, rejected, or unknown. Time-outs are never failures."""

from typing import Literal

from msgspec import Struct


class Acknowledged(Struct, frozen=True, tag="acknowledged"):
    """The service said that it took effect."""


class Rejected(Struct, frozen=True, tag="rejected"):
    """The service said that it certainly had no effect."""


class Unknown(Struct, frozen=True, tag="unknown"):
    """Nobody can say: a cut, a time-out, or an answer that neither rule matches.

    ``because`` is a short reason for people, such as ``no answer within 30 s``.
    """

    because: str


Outcome = Acknowledged | Rejected | Unknown
OutcomeWord = Literal["acknowledged", "rejected", "unknown"]
