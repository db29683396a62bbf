"""Waiting for conditions. The one place in the tests that may pause for a fixed time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from harness.model.units import Duration

T = TypeVar("T")

_PAUSE = Duration.of_ms(5)


class NeverHappened(AssertionError):
    """A condition stayed false: says which, for how long, and what it said last."""

    def __init__(self, what: str, within: Duration, last: object, tail: str) -> None:
        log = f"\nThe last lines of the log:\n{tail}" if tail else ""
        super().__init__(f"{what}: not within {within}; last seen: {last!r}.{log}")


async def until(
    condition: Callable[[], T | None | Awaitable[T | None]],
    *,
    within: Duration,
    what: str,
    log: Callable[[], str] | None = None,
) -> T:
    """The first true value of ``condition``, which may be awaitable; asked at least twice.

    ``what`` is a sentence such as ``the app accepts connections``. ``log`` gives the lines that
    explain a failure.

    Raises:
        NeverHappened: not within ``within``. What ``condition`` raises passes through.
    """
    deadline = time.monotonic_ns() + within.ns
    while True:
        over = time.monotonic_ns() >= deadline
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return cast("T", value)
        if over:
            raise NeverHappened(what, within, value, log() if log else "")
        await asyncio.sleep(_PAUSE.in_s)  # noqa: TID251 - between two looks at the condition


def until_sync(
    condition: Callable[[], T | None],
    *,
    within: Duration,
    what: str,
    log: Callable[[], str] | None = None,
) -> T:
    """The same where no event loop runs."""
    deadline = time.monotonic_ns() + within.ns
    while True:
        over = time.monotonic_ns() >= deadline
        value = condition()
        if value:
            return value
        if over:
            raise NeverHappened(what, within, value, log() if log else "")
        time.sleep(_PAUSE.in_s)  # noqa: TID251 - between two looks at the condition


def stays(condition: Callable[[], bool], *, what: str, looks: int = 100) -> None:
    """Passes if ``condition`` is true at every look. Each must ask the process that could change it:
    then it is that process' own progress that is waited for, however slow the machine is.
    """
    for look in range(1, looks + 1):
        assert condition(), f"{what}: no longer so at look {look} of {looks}"
