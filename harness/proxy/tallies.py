"""What the toxics of one proxy did, also those that are gone: a fault often ends between two scrapes."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from harness.proxy.states import ToxicState
from harness.proxy.trigger import Shared

KEPT = 1_000


class Tally(Struct, frozen=True, kw_only=True):
    """Totals of all toxics of this name, type and stream since the proxy was made."""

    toxic: str
    type: str
    stream: str
    injections: int
    skipped: int


Key = tuple[str, str, str]


class Tallies:
    """Of toxics that are gone, the newest ``KEPT`` names; of those that are there, always."""

    def __init__(self) -> None:
        self._gone: dict[Key, tuple[int, int]] = {}

    def add(self, state: ToxicState, shared: Shared) -> None:
        """The toxic goes."""
        key = _key(state)
        injections, skipped = self._gone.pop(key, (0, 0))
        self._gone[key] = (injections + shared.injections, skipped + shared.skipped)
        if len(self._gone) > KEPT:
            del self._gone[next(iter(self._gone))]

    def all(self, present: Iterable[ToxicState], shared: Mapping[str, Shared]) -> tuple[Tally, ...]:
        """Those that are gone and those that are there, one for each name, type and stream."""
        totals = dict(self._gone)
        for state in present:
            injections, skipped = totals.get(_key(state), (0, 0))
            now = shared[state.name]
            totals[_key(state)] = (injections + now.injections, skipped + now.skipped)
        return tuple(
            Tally(toxic=toxic, type=kind, stream=stream, injections=injections, skipped=skipped)
            for (toxic, kind, stream), (injections, skipped) in totals.items()
        )


def _key(state: ToxicState) -> Key:
    return state.name, state.type, state.direction
