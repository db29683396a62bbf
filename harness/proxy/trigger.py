"""Which requests (or connections) a toxic acts on, and what all its connections share.

The order is fixed: ``match``, then ``skip`` and ``first``, then the draw of toxicity.
"""

from collections.abc import Callable, MutableMapping
from typing import Any


class Trigger:
    """Lets ``skip`` pass, is for the next ``first`` (None: for all), then for none."""

    __slots__ = ("_first", "_skip", "hit", "seen")

    def __init__(self, skip: int = 0, first: int | None = None) -> None:
        self._skip = skip
        self._first = first
        self.seen = 0
        self.hit = 0
        """How many the toxic acted on, or will."""

    @property
    def counts(self) -> bool:
        """It is not for all."""
        return self._skip > 0 or self._first is not None

    def enter(self) -> bool:
        """Counts one more; whether it lies in the window."""
        number = self.seen
        self.seen += 1
        return number >= self._skip and (self._first is None or number < self._skip + self._first)

    def decide(self, draw: Callable[[], float], toxicity: float, *, inside: bool) -> bool:
        """``draw`` gives a number in [0, 1) and is called whether or not it lies in the window.

        So the draws of a toxic do not depend on where its window lies.
        """
        acts = draw() < toxicity and inside
        self.hit += acts
        return acts


class Shared:
    """What the connections of one toxic have in common, for as long as the toxic is there."""

    __slots__ = ("common", "injections", "skipped", "trigger")

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self.common: MutableMapping[str, Any] = {}
        self.injections = 0
        """Turns (or closes) it acted on."""
        self.skipped = 0
        """Connections it left alone because it could not read them."""
