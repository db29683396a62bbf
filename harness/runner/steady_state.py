"""Looks at the steady state: after a reset, every expression on one reading of every probe."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression
from harness.model.errors import TargetError
from harness.model.events import AnyEvent, SteadyStateJudged
from harness.model.units import Duration
from harness.observe.read import Reading
from harness.runner.clock import now
from harness.runner.readings import values

# Between two looks; short beside `recovers_within`, long beside a query.
_BETWEEN_LOOKS = Duration.of_ms(100)


async def look(
    expressions: Sequence[Expression],
    *,
    when: Literal["before", "after"],
    read: Callable[[], Awaitable[Mapping[str, Reading]]],
    limit: Duration,
    record: Callable[[AnyEvent], object],
) -> bool:
    """True once all expressions hold together, False when they do not within ``limit``.

    Raises:
        TargetError: an expression cannot be evaluated on what was read.
    """
    started = now()
    while True:
        seen = values(await read())
        failing = tuple(e.source for e in expressions if not _holds(e, seen))
        final = not failing or now() - started >= limit
        record(
            SteadyStateJudged(
                when=when,
                held=not failing,
                failing=failing,
                values={name: _plain(value) for name, value in seen.items()},
                final=final,
            )
        )
        if final:
            return not failing
        await asyncio.sleep(_BETWEEN_LOOKS.in_s)  # noqa: TID251 - between two looks


async def failing_now(
    expressions: Sequence[Expression],
    *,
    read: Callable[[], Awaitable[Mapping[str, Reading]]],
    limit: Duration,
) -> tuple[str, ...]:
    """The expressions that do not hold within ``limit``; without an event of its own.

    Raises:
        TargetError: an expression cannot be evaluated on what was read.
    """
    started = now()
    while True:
        seen = values(await read()) if expressions else {}
        failing = tuple(e.source for e in expressions if not _holds(e, seen))
        if not failing or now() - started >= limit:
            return failing
        await asyncio.sleep(_BETWEEN_LOOKS.in_s)  # noqa: TID251 - between two looks


def _holds(expression: Expression, seen: Mapping[str, Any]) -> bool:
    try:
        return evaluate(expression, seen) is True
    except EvaluationProblem as problem:
        raise TargetError(f"steady state {expression.source!r}", str(problem)) from problem


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | list | dict | None) else str(value)
