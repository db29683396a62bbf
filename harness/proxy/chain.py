"""One direction's toxics, joined: what one lets out goes into the next. Pure, like the toxics.

Before the first toxic stands a hidden entry, behind the last a hidden exit: the entry takes nothing
after a close, the exit lets nothing out behind one. Toxics can be added, changed and removed
between any two items; bytes held by one that goes continue behind it, in order.

A toxic that reads messages stands in the other direction's chain too, as one who hears. Such toxics
are nested: whoever is nearer the client is so in both chains. So each sees, of every request that it
sees, the answer too, whether the server gave it or a toxic behind it.
"""

from collections.abc import Collection, Sequence

from harness.model.units import Instant
from harness.proxy.items import (
    Across,
    Action,
    Chunk,
    Close,
    Crossing,
    Injected,
    Injection,
    Item,
    Output,
    Skip,
    Skipped,
    WakeAt,
)
from harness.proxy.seat import Seat
from harness.proxy.wire import Value


class _Stage:
    """A seat in this chain; ``heard`` when its toxic belongs to the other direction."""

    __slots__ = ("closed", "heard", "seat", "take")

    def __init__(self, seat: Seat, *, heard: bool) -> None:
        self.seat = seat
        self.heard = heard
        self.take = seat.hear if heard else seat.feed
        self.closed = False
        """A close has passed here: nothing comes after it."""


class Chain:
    """Toxics in order of creation. Every call returns what leaves at the far end, in order."""

    __slots__ = ("_over", "_stages", "closed", "ended", "transparent")

    def __init__(self) -> None:
        self._stages: list[_Stage] = []
        self.transparent = True
        """No toxic acts: what is fed comes out as it is, so a caller may pass it on by itself."""
        self.closed = False
        """A close was taken in."""
        self.ended = False
        """A close has left."""
        self._over = False
        """One for both directions has."""

    @property
    def due_ns(self) -> int | None:
        """The earliest instant at which ``wake`` has something to do, in nanoseconds.

        A bare number, like ``wake_ns``: it is asked for after every chunk.
        """
        first: int | None = None
        for stage in self._stages:
            wake_ns = None if stage.heard else stage.seat.wake_ns
            if wake_ns is not None and (first is None or wake_ns < first):
                first = wake_ns
        return first

    @property
    def due(self) -> Instant | None:
        first = self.due_ns
        return None if first is None else Instant(first)

    @property
    def held(self) -> int:
        """What all toxics together keep back, by ``weight``."""
        return sum(
            stage.seat.held for stage in self._stages if stage.seat.acting and not stage.heard
        )

    @property
    def full(self) -> bool:
        """A toxic holds more than it has room for."""
        for stage in self._stages:
            seat = stage.seat
            if seat.acting and not stage.heard and seat.held > seat.toxic.room:
                return True
        return False

    def feed(self, item: Item, now: Instant) -> list[Output]:
        """The source sent ``item``."""
        if self.closed:
            return []
        self.closed = not isinstance(item, Chunk)
        return self._through(0, [item], [], now)

    def wake(self, now: Instant) -> list[Output]:
        """Lets out what is due. Too early a call does no harm."""
        outputs: list[Output] = []
        for index, stage in enumerate(self._stages):
            # From the first to the last: what one lets out late may be due at the next already.
            seat = stage.seat
            if not stage.heard and seat.wake_ns is not None and seat.wake_ns <= now.ns:
                seat.wake_ns = None
                outputs += self._release(index, seat.wake(now), now)
        return outputs

    def add(self, seat: Seat, now: Instant) -> list[Output]:
        """``seat`` becomes the last one and acts from the next item on."""
        self._stages.append(_Stage(seat, heard=False))
        self._look()
        if not seat.acting:
            return []
        return self._release(len(self._stages) - 1, seat.start(now), now)

    def overhear(self, seat: Seat, *, behind: Collection[str] = ()) -> None:
        """``seat`` of the other direction hears this one.

        ``behind`` names those that read messages and come after it in its own chain; here it stands
        just behind them, and before all others that read messages.
        """
        place = len(self._stages)
        for index, stage in enumerate(self._stages):
            if stage.seat.hears and stage.seat.name not in behind:
                place = index
                break
        self._stages.insert(place, _Stage(seat, heard=True))
        self._look()

    def readers_behind(self, name: str) -> list[str]:
        """Those that read messages and come after ``name``."""
        index, _ = self._find(name)
        return [stage.seat.name for stage in self._stages[index + 1 :] if stage.seat.hears]

    def replace(self, seat: Seat, now: Instant) -> list[Output]:
        """``seat`` takes the place of the one with its name, whose bytes go on behind it."""
        index, stage = self._find(seat.name)
        outputs = self._stopped(index, stage, now) if stage.seat.acting else []
        fresh = _Stage(seat, heard=stage.heard)
        fresh.closed = stage.closed
        self._stages[index] = fresh
        self._look()
        if not stage.heard and seat.acting:
            outputs += self._release(index, seat.start(now), now)
        return outputs

    def update(self, name: str, values: dict[str, Value], now: Instant) -> list[Output]:
        """The attributes of ``name`` changed."""
        index, stage = self._find(name)
        actions = stage.seat.update(values, now)
        # One that does not act may want to be woken by its new values all the same.
        return self._release(index, actions, now) if stage.seat.acting else []

    def enter(self, name: str, item: Item, now: Instant) -> list[Output]:
        """``item`` came across from the other direction, at the place of ``name``."""
        index, _ = self._find(name)
        return self._release(index, [item], now)

    def look_again(self, name: str, now: Instant) -> list[Output]:
        """Whether ``name`` acts has changed: it starts, or gives back what it holds."""
        index, stage = self._find(name)
        self._look()
        if not stage.seat.acting:
            return self._stopped(index, stage, now)
        return [] if stage.heard else self._release(index, stage.seat.start(now), now)

    def remove(self, name: str, now: Instant) -> list[Output]:
        """Takes ``name`` out; what it holds goes on to the toxics behind it."""
        index, stage = self._find(name)
        outputs = self._stopped(index, stage, now) if stage.seat.acting else []
        del self._stages[index]
        self._look()
        return outputs

    def _find(self, name: str) -> tuple[int, _Stage]:
        for index, stage in enumerate(self._stages):
            if stage.seat.name == name:
                return index, stage
        raise KeyError(name)

    def _look(self) -> None:
        self.transparent = not any(stage.seat.acting for stage in self._stages)

    def _stopped(self, index: int, stage: _Stage, now: Instant) -> list[Output]:
        seat = stage.seat
        if stage.heard:
            return self._release(index, seat.stop_hearing(now), now)
        seat.wake_ns = None
        outputs = self._release(index, seat.stop(now), now)
        seat.wake_ns = None
        return outputs

    def _release(self, index: int, actions: Sequence[Action], now: Instant) -> list[Output]:
        """What the toxic at ``index`` answered, taken to the end."""
        outputs: list[Output] = []
        stage = self._stages[index]
        closed = stage.closed or self.ended
        items = _sorted(stage, actions, outputs)
        if closed:
            self._end_all_the_same(actions, outputs)
            return outputs
        return self._through(index + 1, items, outputs, now)

    def _end_all_the_same(self, actions: Sequence[Action], outputs: list[Output]) -> None:
        """This direction has ended behind the toxic, the other goes on; now both shall end."""
        for action in actions:
            if isinstance(action, Close) and action.how != "eof" and not self._over:
                self.ended = self._over = True
                outputs.append(action)

    def _through(
        self, start: int, items: list[Item], outputs: list[Output], now: Instant
    ) -> list[Output]:
        for stage in self._stages[start:]:
            if not items:
                return outputs
            if stage.seat.acting:
                answered: Sequence[Action]
                if len(items) == 1:
                    answered = stage.take(items[0], now)
                else:
                    answered = [action for item in items for action in stage.take(item, now)]
                items = _sorted(stage, answered, outputs)
        for item in items:
            if not self.ended:
                outputs.append(item)
                if isinstance(item, Close):
                    self.ended = True
                    self._over = item.how != "eof"
        return outputs


def _sorted(stage: _Stage, actions: Sequence[Action], outputs: list[Output]) -> list[Item]:
    """Keeps a wish to be woken, notes what is told, returns the items up to a close."""
    items: list[Item] = []
    name = stage.seat.name
    for action in actions:
        if type(action) is Chunk:  # most are, and a match asks slowly
            if not stage.closed:
                items.append(action)
            continue
        match action:
            case Close():
                if not stage.closed:
                    items.append(action)
                    stage.closed = True
            case WakeAt(at):
                stage.seat.wake_ns = at.ns
            case Injected(turn, request):
                outputs.append(Injection(turn, name, request))
            case Across(item):
                outputs.append(Crossing(item, name))
            case Skipped():
                outputs.append(Skip(name))
    return items
