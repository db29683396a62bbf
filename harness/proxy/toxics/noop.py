"""Noop: does nothing to what passes, and says that it passed: a toxic was there."""

from collections.abc import Sequence

from harness.model.units import Instant
from harness.proxy.items import Action, Chunk, Injected, Item
from harness.proxy.toxic import NoParams, Toxic


class Noop(Toxic):
    """The base class does nothing already; this gives it a name."""

    kind = "noop"
    summary = "Does nothing; every byte and every close passes untouched."

    def feed(self, item: Item, now: Instant) -> Sequence[Action]:
        return (Injected(item.turn), item) if isinstance(item, Chunk) else (item,)

    @classmethod
    def words(cls, params: NoParams) -> str:
        return "nothing (noop)"
