"""What a toxic is: bytes and instants in, actions out. The base class of those here and of yours.

No toxic reads a clock, owns a socket or knows its neighbours; the chain joins them and the link
acts. A toxic of your own is a subclass that an entry point of the group ``harness.toxics`` names.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, ClassVar, Literal

from msgspec import Struct

from harness.kinds import params
from harness.model.units import Duration, Instant
from harness.proxy.items import Action, Item
from harness.proxy.wire import Attribute, Value

Direction = Literal["upstream", "downstream"]
Per = Literal["connection", "request"]

Effect = Literal["delay", "end", "silence", "answer", "unseen"]
"""What a turn shows of a toxic from outside: it takes longer; its connection ends; it is never
answered; somebody else answers; nothing at all."""


class Trace(Struct, frozen=True, kw_only=True):
    """What the wire must show while the toxic is in force.

    ``least`` is the shortest delay of a message under it, ``usual`` the one to expect, ``longest``
    the most (None: that depends on what is sent).
    """

    effect: Effect
    least: Duration = Duration.ZERO
    usual: Duration = Duration.ZERO
    longest: Duration | None = Duration.ZERO


@params
class NoParams:
    """No attributes."""


class Toxic:
    """One toxic on one stream of one connection. As it stands here it lets everything pass.

    Items come out in the order they went in. Nothing is fed after a ``Close`` was.
    """

    kind: str
    """The word in YAML and the ``type`` in the API; also the name of the module."""
    summary: str
    """One line for people."""

    Params: type = NoParams
    """The attributes in YAML, with the units of the model: a class made by ``params``."""
    wire: ClassVar[tuple[Attribute, ...]] = ()
    """The attributes in the API, in the order in which they are shown."""
    streams: ClassVar[tuple[Direction, ...]] = ("downstream", "upstream")
    """Where it can be; the first is the default."""
    per: ClassVar[Per] = "connection"
    """What toxicity is drawn for, unless said."""
    codecs: ClassVar[tuple[str, ...]] = ("turn", "http", "postgres", "redis")
    """By which of these it can tell messages apart; the first is the default."""
    framed: bool = False
    """True: every chunk it is fed has a ``part``, and bytes of no message pass it by. An instance
    may say otherwise than its class."""
    lasting: ClassVar[bool] = False
    """True: it drops bytes, so once it acted on a message it acts on all behind it: a stream goes
    on without its end, but never with a hole."""
    room: ClassVar[int] = 1024 * 1024
    """Reading from the source stops while more bytes than this are held, by ``weight``."""
    hears: ClassVar[bool] = False
    """True: it stands in the other stream too, before what comes there (``hear``)."""

    def __init__(
        self, values: Mapping[str, Value], draws: Random, common: MutableMapping[str, Any]
    ) -> None:
        """``values`` is as ``completed`` gives it and ``check`` passed it.

        ``common`` starts empty and is shared by all connections of this toxic's proxy.
        """
        self.values = values
        self.draws = draws
        self.common = common

    @property
    def held(self) -> int:
        """What is kept back, by ``weight``."""
        return 0

    def start(self, now: Instant) -> Sequence[Action]:
        """It begins to act: its connection opened, or it came to an open one."""
        return ()

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        """The next item of its stream."""
        return (item,)

    def hear(self, item: Item, now: Instant) -> Sequence[Action]:
        """The next item of the other stream; what is answered goes on there (``hears``)."""
        return (item,)

    def bypass(self, item: Item, now: Instant, *, heard: bool) -> Sequence[Action]:
        """A piece of a message that it does not act on, in its own stream or the one it hears.

        Only told to toxics that hear; nothing of them is held back at this moment.
        """
        return (item,)

    def wake(self, now: Instant) -> Sequence[Action]:
        """An instant asked for by ``WakeAt`` has come, or a little more than that."""
        return ()

    def update(self, values: Mapping[str, Value], now: Instant) -> Sequence[Action]:
        """The attributes changed; ``values`` has all of them."""
        self.values = values
        return ()

    def remove(self, now: Instant) -> Sequence[Action]:
        """Gives back what is held, in order; afterwards it is as new."""
        return ()

    def needs_upstream(self) -> bool:
        """False while no byte of the client can reach the server, so none need be dialled."""
        return True

    @classmethod
    def check(cls, values: Mapping[str, Value]) -> None:
        """Rules between attributes.

        Raises:
            WireProblem: the values do not go together.
        """

    @classmethod
    def attributes(cls, params: Any) -> dict[str, Value]:
        """The ``Params`` as the API takes them.

        Raises:
            UserError: they cannot be said there.
        """
        return {}

    @classmethod
    def trace(cls, params: Any) -> Trace:
        """What the wire shows of it."""
        return Trace(effect="unseen")

    @classmethod
    def words(cls, params: Any) -> str:
        """For people, such as ``40 ms latency``."""
        return cls.kind
