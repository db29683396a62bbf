"""A toxic at its place in one connection: whether it acts, and on which messages.

Most toxics act on all or nothing of a connection (``PlainSeat``). Where requests matter
(``FramedSeat``), a codec cuts both streams into parts, each request is decided when it begins, and
what is not to be touched passes by, without overtaking what the toxic holds back.
"""

from collections import deque
from collections.abc import Callable, Sequence

from harness.model.units import Instant
from harness.protocols.exchange import Exchange, Part
from harness.proxy.items import (
    Across,
    Action,
    Answered,
    Chunk,
    Close,
    Injected,
    Item,
    Skipped,
    weight,
)
from harness.proxy.toxic import Direction, Toxic
from harness.proxy.wire import Value

Choose = Callable[[Part], bool]


class PlainSeat:
    """All of the connection, or nothing of it."""

    __slots__ = ("acting", "feed", "name", "toxic", "wake_ns")

    hears = False

    def __init__(self, name: str, toxic: Toxic, *, acting: bool) -> None:
        self.name = name
        self.toxic = toxic
        self.acting = acting
        self.wake_ns: int | None = None
        self.feed = toxic.feed  # the hot path: one call less

    @property
    def held(self) -> int:
        return self.toxic.held

    def hear(self, item: Item, now: Instant) -> Sequence[Action]:
        raise AssertionError  # pragma: no cover - it does not stand in the other stream

    def start(self, now: Instant) -> Sequence[Action]:
        return self.toxic.start(now)

    def wake(self, now: Instant) -> Sequence[Action]:
        return self.toxic.wake(now)

    def update(self, values: dict[str, Value], now: Instant) -> Sequence[Action]:
        return self.toxic.update(values, now)

    def stop(self, now: Instant) -> Sequence[Action]:
        """It acts no more: what it held, in order."""
        return self.toxic.remove(now)

    def stop_hearing(self, now: Instant) -> Sequence[Action]:
        return ()


class FramedSeat:
    """Message by message. ``choose`` decides on a request at its first part; None: acts on all.

    Only turns behind ``after`` are read, so that a codec never begins in the middle of a message.
    """

    __slots__ = (
        "_after",
        "_behind",
        "_behind_weight",
        "_choose",
        "_chosen",
        "_exchange",
        "_latest",
        "_on_message",
        "_own",
        "_requests",
        "_skip_told",
        "_started",
        "_synced",
        "_turn",
        "acting",
        "hears",
        "name",
        "toxic",
        "wake_ns",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        toxic: Toxic,
        exchange: Exchange,
        *,
        own: Direction,
        acting: bool,
        choose: Choose | None,
        on_message: Callable[[int], None],
        after: int = 0,
    ) -> None:
        """``on_message`` is told of each request that begins to be acted on, in its own stream."""
        self.name = name
        self.toxic = toxic
        self.acting = acting
        self.hears = True
        self.wake_ns: int | None = None
        self._exchange = exchange
        self._own = own
        self._choose = choose
        self._on_message = on_message
        self._after = after
        self._synced = False
        self._turn = 0
        self._chosen: dict[int, bool] = {}
        # Which observed request is the codec's: toxics in front may have swallowed some.
        self._requests: dict[int, int] = {}
        self._latest = choose is None
        self._behind: deque[Item] = deque()
        self._behind_weight = 0
        self._started = False
        self._skip_told = False

    @property
    def held(self) -> int:
        return self.toxic.held + self._behind_weight + self._exchange.held

    def start(self, now: Instant) -> Sequence[Action]:
        if self._choose is not None:
            return ()  # with the first request that it acts on
        self._started = True
        return self.toxic.start(now)

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        """The next item of the toxic's own stream."""
        actions: list[Action] = []
        for each in self._cut(item, now, client=self._own == "upstream", keep=True):
            self._take(each, now, actions)
        if self.toxic.hears:
            actions.extend(self._given_up(now, client=self._own == "downstream"))
        return self._told(actions)

    def hear(self, item: Item, now: Instant) -> Sequence[Action]:
        """The next item of the other stream."""
        parts = self._cut(item, now, client=self._own == "downstream", keep=self.toxic.hears)
        own = self._given_up(now, client=self._own == "upstream")
        if not self.toxic.hears:
            return self._told([item, *own])
        actions: list[Action] = list(own)
        for each in parts:
            if isinstance(each, Close) or not self._acts_on(each):
                actions.extend(self.toxic.bypass(each, now, heard=True))
            else:
                self._start_once(now, actions)
                actions.extend(_told_of(each, self.toxic.hear(each, now)))
        return self._told(actions)

    def wake(self, now: Instant) -> Sequence[Action]:
        actions = list(self.toxic.wake(now))
        self._drain(now, actions)
        return self._told(actions)

    def update(self, values: dict[str, Value], now: Instant) -> Sequence[Action]:
        actions = list(self.toxic.update(values, now))
        if not self._started:
            return ()  # it may want to be woken, and has not begun
        self._drain(now, actions)
        return self._told(actions)

    def stop(self, now: Instant) -> Sequence[Action]:
        """It acts no more: what it held, what waited behind, what the codec kept back."""
        actions: list[Action] = list(self.toxic.remove(now)) if self._started else []
        actions.extend(self._behind)
        self._behind.clear()
        self._behind_weight = 0
        actions.extend(self._flushed(now, client=self._own == "upstream"))
        return self._told(actions)

    def stop_hearing(self, now: Instant) -> Sequence[Action]:
        if not self.toxic.hears:
            return ()
        return self._flushed(now, client=self._own == "downstream")

    # Cutting

    def _cut(self, item: Item, now: Instant, *, client: bool, keep: bool) -> list[Item]:
        """The item as chunks with parts; decides on requests on the way.

        Without ``keep`` the caller passes the item on as it is, so nothing may be kept back.
        """
        if isinstance(item, Close):
            return [*self._flushed(now, client=client), item] if keep else [item]
        if not self._synced:
            self._synced = client and item.turn > self._after
            if not self._synced:
                return [item]
        if client:
            self._turn = item.turn
            parts = self._exchange.client(item.data, item.turn)
            for part in parts:
                if part.first and part.request:
                    self._decide(part)
            if item.request:
                self._match(parts, item.request)
        else:
            # The rest of an answer whose beginning was passed on has no turn; it is its turn's still.
            parts = self._exchange.server(item.data, item.turn or self._turn)
        return [
            Chunk(part.data, item.stamp, item.turn, part, self._requests.get(part.request, 0))
            for part in parts
        ]

    def _match(self, parts: list[Part], request: int) -> None:
        """The first byte of what made these parts is of the observed ``request``."""
        begun = False
        for part in parts:
            if part.first and part.request:
                request += begun
                self._requests[part.request] = request
            begun = begun or part.request > 0

    def _flushed(self, now: Instant, *, client: bool) -> list[Chunk]:
        exchange = self._exchange
        parts = exchange.flush_client() if client else exchange.flush_server()
        return [Chunk(part.data, now, 0, part) for part in parts]

    def _given_up(self, now: Instant, *, client: bool) -> list[Action]:
        """What the codec kept back of the other direction, once it reads no more of either."""
        if self._exchange.readable or self._skip_told:
            return []
        return [Across(chunk) for chunk in self._flushed(now, client=client)]

    def _decide(self, part: Part) -> None:
        if self._choose is not None and part.request not in self._chosen:
            self._chosen[part.request] = self._choose(part)

    # Acting

    def _acts_on(self, item: Item) -> bool:
        if self._started and self.toxic.lasting:
            return True
        if isinstance(item, Close):
            return self._latest
        part = item.part
        if part is None or not part.request:
            return False
        if self._choose is None:
            return True
        return self._chosen.get(part.request, False)

    def _take(self, item: Item, now: Instant, actions: list[Action]) -> None:
        if self._behind or (self.toxic.held and not self._acts_on(item)):
            self._behind.append(item)
            if isinstance(item, Chunk):
                self._behind_weight += weight(item)
        else:
            self._let_in(item, now, actions)

    def _let_in(self, item: Item, now: Instant, actions: list[Action]) -> None:
        acts = self._acts_on(item)
        if isinstance(item, Chunk) and item.part is not None and item.part.request:
            self._latest = acts
            if item.part.first:
                self._begins(item.part.request, acts=acts)
        if acts:
            self._start_once(now, actions)
            actions.extend(_told_of(item, self.toxic.feed(item, now)))
        elif self.toxic.hears:
            actions.extend(self.toxic.bypass(item, now, heard=False))
        else:
            actions.append(item)

    def _begins(self, request: int, *, acts: bool) -> None:
        """A message of ``request`` begins in the toxic's own stream."""
        for kept in (self._chosen, self._requests):
            for older in [number for number in kept if number < request]:
                del kept[older]
        if acts:
            self._on_message(request)

    def _start_once(self, now: Instant, actions: list[Action]) -> None:
        if not self._started:
            self._started = True
            actions.extend(self.toxic.start(now))

    def _drain(self, now: Instant, actions: list[Action]) -> None:
        while self._behind:
            if self.toxic.held and not self._acts_on(self._behind[0]):
                return
            item = self._behind.popleft()
            if isinstance(item, Chunk):
                self._behind_weight -= weight(item)
            self._let_in(item, now, actions)

    def _told(self, actions: list[Action]) -> list[Action]:
        """Tells the codec of requests that get no answer, and the chain of what could not be read."""
        left: list[Action] = []
        for action in actions:
            if isinstance(action, Answered):
                self._exchange.answered(action.request)
            else:
                left.append(action)
        if not self._exchange.readable and not self._skip_told:
            self._skip_told = True
            left.append(Skipped())
        return left


def _told_of(item: Item, actions: Sequence[Action]) -> Sequence[Action]:
    """What the toxic says of a turn is said of the request that ``item`` belongs to."""
    request = item.request if isinstance(item, Chunk) else 0
    if not request:
        return actions
    return [
        Injected(action.turn, request)
        if isinstance(action, Injected) and not action.request
        else action
        for action in actions
    ]


Seat = PlainSeat | FramedSeat
