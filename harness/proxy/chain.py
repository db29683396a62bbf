"""One direction's toxics, joined: what one lets out goes into the next. Pure, like the toxics.

Before the first toxic stands a hidden entry, behind the last a hidden exit: the entry takes nothing
after a close, the exit lets nothing out behind one. Toxics can be added, changed and removed
between any two items; bytes held by one that goes continue behind it, in order.
"""

from collections.abc import Mapping, Sequence

from harness.model.units import Instant
from harness.proxy.items import Action, Chunk, Injected, Injection, Item, Output, WakeAt
from harness.proxy.toxics import Toxic


class _Stage:
    """A toxic at its place. One that does not act (toxicity) lets everything pass."""

    __slots__ = ("acting", "name", "toxic", "wake_ns")

    def __init__(self, name: str, toxic: Toxic, *, acting: bool) -> None:
        self.name = name
        self.toxic = toxic
        self.acting = acting
        self.wake_ns: int | None = None


class Chain:
    """Toxics in order of creation. Every call returns what leaves at the far end, in order."""

    __slots__ = ("_stages", "closed", "ended", "transparent")

    def __init__(self) -> None:
        self._stages: list[_Stage] = []
        self.transparent = True
        """No toxic acts: what is fed comes out as it is, so a caller may pass it on by itself."""
        self.closed = False
        """A close was taken in."""
        self.ended = False
        """A close has left."""

    @property
    def due(self) -> Instant | None:
        """The earliest instant at which ``wake`` has something to do."""
        first: int | None = None
        for stage in self._stages:
            if stage.wake_ns is not None and (first is None or stage.wake_ns < first):
                first = stage.wake_ns
        return None if first is None else Instant(first)

    @property
    def held(self) -> int:
        """What all toxics together keep back, by ``weight``."""
        return sum(stage.toxic.held for stage in self._stages if stage.acting)

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
            if stage.wake_ns is not None and stage.wake_ns <= now.ns:
                stage.wake_ns = None
                outputs += self._release(index, stage.toxic.wake(now), now)
        return outputs

    def add(self, name: str, toxic: Toxic, *, acting: bool) -> None:
        """``toxic`` becomes the last one and acts from the next item on."""
        self._stages.append(_Stage(name, toxic, acting=acting))
        self._look()

    def update(self, name: str, values: Mapping[str, int], now: Instant) -> list[Output]:
        """The attributes of ``name`` changed."""
        index, stage = self._find(name)
        return self._release(index, stage.toxic.update(values, now), now)

    def set_acting(self, name: str, now: Instant, *, acting: bool) -> list[Output]:
        """Whether ``name`` acts was drawn anew; one that stops gives back what it holds."""
        index, stage = self._find(name)
        outputs: list[Output] = []
        if stage.acting and not acting:
            outputs = self._release(index, stage.toxic.remove(now), now)
            stage.wake_ns = None
        stage.acting = acting
        self._look()
        return outputs

    def remove(self, name: str, now: Instant) -> list[Output]:
        """Takes ``name`` out; what it holds goes on to the toxics behind it."""
        outputs = self.set_acting(name, now, acting=False)
        index, _ = self._find(name)
        del self._stages[index]
        return outputs

    def _find(self, name: str) -> tuple[int, _Stage]:
        for index, stage in enumerate(self._stages):
            if stage.name == name:
                return index, stage
        raise KeyError(name)

    def _look(self) -> None:
        self.transparent = not any(stage.acting for stage in self._stages)

    def _release(self, index: int, actions: Sequence[Action], now: Instant) -> list[Output]:
        """What the toxic at ``index`` answered, taken to the end."""
        injections: list[Output] = []
        items = _sorted(self._stages[index], actions, injections)
        return self._through(index + 1, items, injections, now)

    def _through(
        self, start: int, items: list[Item], injections: list[Output], now: Instant
    ) -> list[Output]:
        for stage in self._stages[start:]:
            if not items:
                return injections
            if stage.acting:
                answered: list[Action] = []
                for item in items:
                    answered.extend(stage.toxic.feed(item, now))
                items = _sorted(stage, answered, injections)
        for item in items:
            if not self.ended:
                injections.append(item)
                self.ended = not isinstance(item, Chunk)
        return injections


def _sorted(stage: _Stage, actions: Sequence[Action], injections: list[Output]) -> list[Item]:
    """Keeps a wish to be woken, notes injections, returns the items."""
    items: list[Item] = []
    for action in actions:
        match action:
            case WakeAt(at):
                stage.wake_ns = at.ns
            case Injected(turn):
                injections.append(Injection(turn, stage.name))
            case _:
                items.append(action)
    return items
