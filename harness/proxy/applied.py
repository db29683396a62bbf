"""The toxics of one connection: seats in its two chains, each with its own draws.

Which toxics there are is the proxy's state; here they take effect, on open connections too.
"""

from collections.abc import Callable
from random import Random

from harness.model.units import Instant
from harness.protocols.codecs import CODECS
from harness.protocols.exchange import Head, Part
from harness.protocols.turn import TurnCodec
from harness.proxy.items import Item
from harness.proxy.link import Link
from harness.proxy.seat import FramedSeat, PlainSeat, Seat
from harness.proxy.states import ToxicState
from harness.proxy.toxics import TOXICS
from harness.proxy.trigger import Shared


def draws_of(seed: int, toxic: str, connection: int, request: int | None = None) -> Random:
    """The same seed, name, connection of the proxy and request of it give the same draws."""
    return Random(_key(seed, toxic, connection, request))  # noqa: S311 - repeatable is the point


def _key(seed: int, toxic: str, connection: int, request: int | None) -> str:
    tail = "" if request is None else f"\x1f{request}"
    return f"{seed}\x1f{toxic}\x1f{connection}{tail}"


def is_per_request(state: ToxicState) -> bool:
    """Whether toxicity and counts are drawn and counted for each request."""
    ours = state.extensions
    per = ours.per or ("request" if ours.match else TOXICS[state.type].per)
    return per == "request"


def codec_of(state: ToxicState) -> str:
    ours = state.extensions
    return ours.codec or ("http" if ours.match else TOXICS[state.type].codecs[0])


class AppliedToxics:
    """``number`` is the connection's. Whether a toxic acts is drawn first, then what it does."""

    def __init__(
        self,
        number: int,
        *,
        seed: int,
        up: Link,
        down: Link,
        clock: Callable[[], Instant],
        codec: TurnCodec,
    ) -> None:
        self._number = number
        self._seed = seed
        self._up = up
        self._down = down
        self._clock = clock
        self._codec = codec
        self._seats: dict[str, _Seated] = {}

    def add(self, state: ToxicState, shared: Shared) -> None:
        seated = self._seat(state, shared)
        self._seats[state.name] = seated
        own, other = self._links(state)
        now = self._clock()
        if seated.seat.hears:
            other.chain.overhear(seated.seat)
        own.deliver(own.chain.add(seated.seat, now))

    def change(self, before: ToxicState, after: ToxicState, shared: Shared) -> None:
        """Only what is different is changed, so an equal update disturbs nothing."""
        if _sits_otherwise(before, after):
            same = is_per_request(before) == is_per_request(after)
            acting = self._seats[after.name].seat.acting if same else None
            self._reseat(after, shared, acting=acting)
            if same and before.toxicity != after.toxicity:
                self._set_acting(self._seats[after.name], self._clock())
            return
        seated, now = self._seats[after.name], self._clock()
        own, _ = self._links(after)
        seated.state = after
        if before.attributes != after.attributes:
            own.deliver(own.chain.update(after.name, dict(after.attributes), now))
        if before.toxicity != after.toxicity:
            self._set_acting(seated, now)

    def remove(self, state: ToxicState) -> None:
        seated = self._seats.pop(state.name)
        own, other = self._links(state)
        if seated.seat.hears:
            other.deliver(other.chain.remove(state.name, self._clock()))
        own.deliver(own.chain.remove(state.name, self._clock()))

    def cross(self, item: Item, toxic: str) -> None:
        """``toxic`` sends ``item`` into the stream in which it was not fed."""
        seated = self._seats.get(toxic)
        if seated is not None:
            own, _ = self._links(seated.state)
            own.deliver(own.chain.enter(toxic, item, self._clock()))

    def shared(self, toxic: str) -> Shared | None:
        seated = self._seats.get(toxic)
        return None if seated is None else seated.shared

    def needs_upstream(self) -> bool:
        """False while no byte of the client can reach the server."""
        return all(
            # Requests that it leaves alone need one all the same.
            is_per_request(seated.state) or seated.seat.toxic.needs_upstream()
            for seated in self._seats.values()
            if seated.seat.acting
        )

    def _seat(self, state: ToxicState, shared: Shared, acting: bool | None = None) -> "_Seated":
        """``acting`` has been decided before, or is drawn."""
        seed = self._seed if state.extensions.seed is None else state.extensions.seed
        draws = draws_of(seed, state.name, self._number)
        toxic = TOXICS[state.type](state.attributes, draws, shared.common)
        seated = _Seated(state, shared, seed=seed, connection=self._number, draws=draws)
        per_request = is_per_request(state)
        if acting is None:
            if not per_request:
                # One that is as good as over must not use up what a counted toxic has.
                spent = shared.trigger.counts and self._codec.idle_for_good
                seated.inside = not spent and shared.trigger.enter()
            acting = state.toxicity > 0 if per_request else seated.draw_connection()
        if not per_request and not toxic.framed:
            seated.seat = PlainSeat(state.name, toxic, acting=acting)
            return seated
        seated.seat = FramedSeat(
            state.name,
            toxic,
            CODECS[codec_of(state)](),
            own=state.direction,
            acting=acting,
            choose=seated.choose if per_request else None,
            on_message=seated.begin_message if per_request else _nothing,
            after=self._codec.latest,
        )
        return seated

    def _reseat(self, state: ToxicState, shared: Shared, *, acting: bool | None) -> None:
        was = self._seats[state.name]
        before = was.seat
        seated = self._seat(state, shared, acting)
        if acting is not None:
            seated.inside = was.inside
        self._seats[state.name] = seated
        own, other = self._links(state)
        now = self._clock()
        if before.hears and seated.seat.hears:
            other.deliver(other.chain.replace(seated.seat, now))
        elif before.hears:
            other.deliver(other.chain.remove(state.name, now))
        elif seated.seat.hears:
            other.chain.overhear(seated.seat, behind=own.chain.readers_behind(state.name))
        own.deliver(own.chain.replace(seated.seat, now))

    def _set_acting(self, seated: "_Seated", now: Instant) -> None:
        state, seat = seated.state, seated.seat
        if is_per_request(state):
            acting = state.toxicity > 0
        else:
            acting = seated.draw_connection()
        if acting == seat.acting:
            return
        if acting and seat.hears:
            # It has missed what passed meanwhile: its codec would wait for answers of the past.
            self._reseat(state, seated.shared, acting=True)
            return
        own, other = self._links(state)
        seat.acting = acting
        if seat.hears:
            other.deliver(other.chain.look_again(state.name, now))
        own.deliver(own.chain.look_again(state.name, now))

    def _links(self, state: ToxicState) -> tuple[Link, Link]:
        if state.direction == "upstream":
            return self._up, self._down
        return self._down, self._up


class _Seated:
    """One toxic of the connection: its seat, and how it draws."""

    seat: Seat

    def __init__(
        self, state: ToxicState, shared: Shared, *, seed: int, connection: int, draws: Random
    ) -> None:
        self.state = state
        self.shared = shared
        self.draws = draws
        self.inside = True
        """The connection lies in the window of those that are acted on."""
        self._seed = seed
        self._connection = connection
        match = state.extensions.match
        self._values = frozenset(match.values if match is not None else ())

    def draw_connection(self) -> bool:
        return self.shared.trigger.decide(
            self.draws.random, self.state.toxicity, inside=self.inside
        )

    def choose(self, part: Part) -> bool:
        """Whether the request that begins with ``part`` is acted on."""
        match = self.state.extensions.match
        if match is not None and not self._matches(part.head, match.header):
            return False
        draws = draws_of(self._seed, self.state.name, self._connection, part.request)
        trigger = self.shared.trigger
        return trigger.decide(draws.random, self.state.toxicity, inside=trigger.enter())

    def _matches(self, head: Head | None, header: str) -> bool:
        return head is not None and not self._values.isdisjoint(head.values(header))

    def begin_message(self, request: int) -> None:
        """What the toxic draws for this request depends on nothing that came before it."""
        self.draws.seed(_key(self._seed, self.state.name, self._connection, request) + "\x1fdoes")


def _sits_otherwise(before: ToxicState, after: ToxicState) -> bool:
    """Whether the change is one of who is acted on, beyond toxicity and lifetimes."""
    one, other = before.extensions, after.extensions
    return (one.seed, one.per, one.codec, one.match) != (
        other.seed, other.per, other.codec, other.match
    )  # fmt: skip


def _nothing(_request: int) -> None:
    pass
