"""The toxics of one connection: instances in its two chains, each with its own draws.

Which toxics there are is the proxy's state; here they take effect, on open connections too.
"""

from collections.abc import Callable
from random import Random

from harness.model.units import Instant
from harness.proxy.link import Link
from harness.proxy.states import ToxicState
from harness.proxy.toxics import TOXICS


def draws_of(seed: int, toxic: str, connection: int) -> Random:
    """The same seed, name and number of the connection on its proxy give the same draws."""
    return Random(f"{seed}\x1f{toxic}\x1f{connection}")  # noqa: S311 - repeatable is the point


class AppliedToxics:
    """``number`` is the connection's. Whether a toxic acts is drawn first, then what it does."""

    def __init__(
        self, number: int, *, seed: int, up: Link, down: Link, clock: Callable[[], Instant]
    ) -> None:
        self._number = number
        self._seed = seed
        self._up = up
        self._down = down
        self._clock = clock
        self._draws: dict[str, Random] = {}

    def add(self, state: ToxicState) -> None:
        draws = draws_of(self._seed, state.name, self._number)
        self._draws[state.name] = draws
        acting = draws.random() < state.toxicity
        toxic = TOXICS[state.type](state.attributes, draws)
        self._link(state).chain.add(state.name, toxic, acting=acting)

    def change(self, before: ToxicState, after: ToxicState) -> None:
        """Only what is different is changed, so an equal update disturbs nothing."""
        link, now = self._link(after), self._clock()
        if before.attributes != after.attributes:
            link.deliver(link.chain.update(after.name, after.attributes, now))
        if before.toxicity != after.toxicity:
            acting = self._draws[after.name].random() < after.toxicity
            link.deliver(link.chain.set_acting(after.name, now, acting=acting))

    def remove(self, state: ToxicState) -> None:
        link = self._link(state)
        link.deliver(link.chain.remove(state.name, self._clock()))
        del self._draws[state.name]

    def _link(self, state: ToxicState) -> Link:
        return self._up if state.direction == "upstream" else self._down
