"""What has ended, numbered in the order in which it did, the newest of it kept for whoever asks."""

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Numbers begin at 0. ``dropped`` counts what was asked for when it was no longer kept."""

    __slots__ = ("_first", "_items", "_kept", "_told", "dropped")

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._items: deque[T] = deque()
        self._first = 0
        self._told = 0  # what is before this number is counted as dropped already, or was read
        self.dropped = 0

    def append(self, item: T) -> None:
        if len(self._items) == self._kept:
            self._items.popleft()
            self._first += 1
        self._items.append(item)

    def since(self, after: int, most: int | None = None) -> tuple[list[T], int]:
        """Those from number ``after`` on, ``most`` of them at most; and the number behind them."""
        if after < self._first:
            self.dropped += self._first - max(after, self._told)
            self._told = self._first
        skipped = min(max(0, after - self._first), len(self._items))
        behind = len(self._items) - skipped
        if behind > skipped:
            found = list(islice(self._items, skipped, None if most is None else skipped + most))
        else:
            # A deque is walked from one of its ends; who asks often wants what is at the far one.
            found = list(islice(reversed(self._items), behind))
            found.reverse()
            found = found[:most]
        return found, self._first + skipped + len(found)

    @property
    def next(self) -> int:
        """The number that the next one gets."""
        return self._first + len(self._items)
