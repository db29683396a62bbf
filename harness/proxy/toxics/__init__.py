"""The toxics, one file each, and what they promise. Pure: bytes and instants in, actions out.

No toxic reads a clock, owns a socket or knows its neighbours; the chain joins them and the link
acts. A new one is a file here whose class has the file's name as ``kind``.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, ClassVar, Protocol

from harness.kinds import Registry
from harness.model.units import Duration, Instant
from harness.proxy.items import Action, Item
from harness.proxy.wire import WireAttribute


class Toxic(Protocol):
    """One toxic on one direction of one connection.

    Items come out in the order they went in. ``feed`` is never called after a ``Close`` was fed.
    """

    kind: str
    summary: str
    Params: type
    wire: ClassVar[tuple[WireAttribute, ...]]

    def __init__(self, values: Mapping[str, int], draws: Random) -> None:
        """``values`` has every attribute of ``wire``, in range."""

    @property
    def held(self) -> int:
        """What is kept back, by ``weight``."""

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        """The next item of the stream."""

    def wake(self, now: Instant) -> Sequence[Action]:
        """An instant asked for by ``WakeAt`` has come, or a little more than that."""

    def update(self, values: Mapping[str, int], now: Instant) -> Sequence[Action]:
        """The attributes changed; ``values`` has all of them."""

    def remove(self, now: Instant) -> Sequence[Action]:
        """Gives back what is held, in order. Afterwards the toxic is as new."""

    @classmethod
    def attributes(cls, params: Any) -> dict[str, int]:
        """The ``Params`` as whole numbers for the wire; ``UserError`` when they cannot be."""

    @classmethod
    def expectation(cls, params: Any) -> Duration:
        """The least delay that every message under this toxic must show."""

    @classmethod
    def usual(cls, params: Any) -> Duration:
        """The delay to expect of a message."""

    @classmethod
    def longest(cls, params: Any) -> Duration:
        """The most that a message can be delayed."""

    @classmethod
    def words(cls, params: Any) -> str:
        """For people, such as ``40 ms latency``."""


TOXICS: Registry[Toxic] = Registry(package="harness.proxy.toxics", group="harness.toxics")
