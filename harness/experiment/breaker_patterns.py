"""The phases of sequential calls in a given order: below the threshold, departures, ignored answers.

One letter a call, as ``given["pattern"]`` has them: F fails, S succeeds, L is left by its caller while
it hangs, I is answered with ``given["ignored_status"]``. The parts of a pattern are named in ``parts``,
each with its first call in ``part_from``. Before the calls whose numbers stand in ``pauses`` nobody calls
for so many nanoseconds. A pattern that ends in failures of which it is not known how many it takes is
over with the first rejection. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any

from harness.experiment.breaker_phases import Scope, feeds, phase, seconds
from harness.experiment.breaker_quantities import GAP
from harness.experiment.breaker_statuses import ignored_status
from harness.experiment.breaker_trials import leaving
from harness.model.breaker_script import PhaseName, ScriptPhase

_GROUPS = 6
_MANY = 5
_MOST = 20_000
_POINTS = 0.1
"""How far below its threshold a share stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """``pauses`` in seconds, by the number of the call behind them in this part."""

    name: str
    title: str
    letters: str
    pauses: dict[int, float] = field(default_factory=dict)


def below(scope: Scope) -> Iterator[ScriptPhase]:
    """The patterns of BRK-02: nothing may be rejected in any of them."""
    parts = [*_below(scope), *_forgotten(scope)]
    if parts:
        yield _phase(scope, "below", parts, feeds(2))


def _below(scope: Scope) -> Iterator[_Part]:
    share = scope.q.declared.share
    if share is None:
        fewer = _fewer(scope)
        yield _Part(
            name="a",
            title=f"{fewer} failures, then a success, {_GROUPS} times",
            letters=("F" * fewer + "S") * _GROUPS,
        )
    elif share > _POINTS:
        share -= _POINTS
        letters = [
            "F" if floor((number + 1) * share) > floor(number * share) else "S"
            for number in range(_calls_of_two_windows(scope))
        ]
        yield _Part(
            name="b",
            title=f"{share:.0%} of {len(letters)} calls fail",
            letters="".join(letters),
        )


def _fewer(scope: Scope) -> int:
    """One below a declared count; one that was found may be off by a few, and half of it is below."""
    k = scope.q.threshold
    return k - 1 if scope.q.declared.threshold is not None else k // 2


def _calls_of_two_windows(scope: Scope) -> int:
    window = scope.q.declared.window
    if window is None:
        return 20
    calls = 2 * (window.calls or 0) if window.time is None else ceil(2.1 * window.time.in_s / GAP)
    return min(max(20, calls), _MOST)


def _forgotten(scope: Scope) -> Iterator[_Part]:
    """Parts (c) and (d): what a window of time must have forgotten by the next call."""
    q, declared = scope.q, scope.q.declared
    if declared.kind != "time-window" or not q.window:
        return
    fewer = _fewer(scope) if declared.share is None else (declared.minimum or 1) - 1
    if fewer < 1:
        return
    longer = q.window * 1.1
    yield _Part(
        name="c+d",
        title=f"{fewer} failures, {seconds(longer)} of silence, one failure",
        letters="F" * (fewer + 1),
        pauses={0: longer, fewer: longer},
    )


def departures(scope: Scope) -> Iterator[ScriptPhase]:
    """BRK-16: a caller that leaves counts as nothing. Without a failure before it that cannot show."""
    if scope.q.declared.threshold == 1:
        return
    k = scope.q.threshold
    part = _Part(
        name="a",
        title=f"{k - 1} failures, one caller leaves, failures until it opens",
        letters="F" * (k - 1) + "L" + "F" * (2 * k + 2),
    )
    leaves = seconds(leaving(scope)).ns
    yield _phase(scope, "departures", [part], feeds(16), opens=True, leaves=leaves)


def ignored(scope: Scope) -> Iterator[ScriptPhase]:
    """BRK-17: an ignored answer neither opens it nor keeps it from opening."""
    k = scope.q.threshold
    status = ignored_status(scope.q.declared) or 404
    many = _Part(
        name="a", title=f"{_MANY * k} answers of {status}", letters="I" * (_MANY * k) + "SSS"
    )
    then = _Part(
        name="b",
        title=f"{k - 1} failures, one {status}, failures until it opens",
        letters="F" * (k - 1) + "I" + "F" * (2 * k + 2),
    )
    yield _phase(scope, "ignored", [many, then], feeds(17), opens=True, ignored_status=status)


def _phase(
    scope: Scope,
    name: PhaseName,
    parts: list[_Part],
    fed: tuple[str, ...],
    *,
    opens: bool = False,
    **given: Any,
) -> ScriptPhase:
    """The parts, one behind the other. ``opens``: the last one ends with the first rejection."""
    q = scope.q
    letters = ""
    pauses: dict[str, int] = {}
    begins: dict[str, int] = {}
    for part in parts:
        begins[part.name] = len(letters)
        pauses |= {str(len(letters) + at): seconds(pause).ns for at, pause in part.pauses.items()}
        letters += part.letters
    lasts = len(letters) * q.sequential + letters.count("L") * leaving(scope)
    lasts += sum(pauses.values()) / 1e9 + (q.closing if opens else 0.0)
    return phase(
        scope,
        name,
        q.start + lasts,
        title="; then ".join(part.title for part in parts),
        load="sequential",
        calls=len(letters),
        until=f"{'the first rejection, or ' if opens else ''}{len(letters)} calls",
        feeds=fed,
        given={
            "pattern": list(letters),
            "parts": [part.name for part in parts],
            "part_from": begins,
            **({"pauses": pauses} if pauses else {}),
            **given,
        },
    )
