"""Probes without a target: they answer from a list."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from harness.model.units import Instant
from harness.observe.read import Reading


def reading(probe: str, value: Any, *, asked: int = 1, answered: int = 2) -> Reading:
    return Reading(
        probe=probe,
        value=value,
        exact=False,
        asked=Instant.of_ns(asked),
        answered=Instant.of_ns(answered),
    )


def answers(**values: Iterable[Any]) -> Callable[[], Awaitable[dict[str, Reading]]]:
    """A ``read`` whose probes give their next value at each call; the last one is repeated."""
    left = {name: list(given) for name, given in values.items()}

    async def read() -> dict[str, Reading]:
        return {
            name: reading(name, given.pop(0) if len(given) > 1 else given[0])
            for name, given in left.items()
        }

    return read


def counts(*moved: int) -> Callable[[], Awaitable[int]]:
    """A ``bytes_moved`` that gives these totals in turn; the last one is repeated."""
    left = list(moved)

    async def read() -> int:
        return left.pop(0) if len(left) > 1 else left[0]

    return read
