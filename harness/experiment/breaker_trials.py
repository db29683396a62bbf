"""The phases of the fault script around half-open: bursts of trials, one that hangs, one that is left.

Each trips the breaker by sequential failing calls and waits in silence until a trial is due (contract
§4.3). Pure.
"""

from collections.abc import Iterator
from math import ceil

from harness.experiment.breaker_phases import Scope, feeds, phase, seconds
from harness.model.breaker_script import ScriptPhase

_BURSTS = {"quick": 1, "full": 5}
# So many calls over the bound say that a hung trial wedges it (BRK-13).
_OVER_THE_BOUND = 66
_MOST_LEAVING = 0.2
_LONGEST_SLOW = 60.0


def silent_trial(scope: Scope) -> Iterator[ScriptPhase]:
    q = scope.q
    silence = 1.1 * q.open_after(0)
    yield phase(
        scope,
        "silent-trial",
        q.start + q.tripping + silence + q.open,
        title="a good call",
        load="single",
        calls=1,
        silence=seconds(silence),
        until="it is answered",
        feeds=feeds(7, 12),
    )


def burst_good(scope: Scope) -> Iterator[ScriptPhase]:
    q, times = scope.q, _times(scope)
    for number in range(1, times + 1):
        yield phase(
            scope,
            "burst-good",
            q.start + q.tripping + q.silence + 4 * q.overlapping,
            title="many callers when a trial is due, a healthy downstream",
            load="burst",
            repetition=number,
            of=times,
            calls=q.callers,
            callers=q.callers,
            fault="latency",
            latency=seconds(q.good_latency),
            silence=seconds(q.silence),
            until="all are answered",
            feeds=feeds(8, 10, 11),
        )


def burst_bad(scope: Scope) -> Iterator[ScriptPhase]:
    q, times = scope.q, _times(scope)
    after = q.open_after(1)
    for number in range(1, times + 1):
        yield phase(
            scope,
            "burst-bad",
            q.start + q.tripping + q.silence + q.failing_latency + after,
            title="many callers when a trial is due, a failing downstream",
            load="burst",
            repetition=number,
            of=times,
            rate=q.rate,
            calls=q.callers,
            callers=q.callers,
            fault=scope.trip,
            latency=seconds(q.failing_latency),
            hold=seconds(after),
            silence=seconds(q.silence),
            until=f"all are answered, and {seconds(after)} more",
            feeds=feeds(6, 8, 9),
        )


def _times(scope: Scope) -> int:
    told = scope.q.declared.bursts
    return _BURSTS["full" if scope.full else "quick"] if told is None else told


def hung_trial(scope: Scope) -> Iterator[ScriptPhase]:
    yield _one_hangs(scope, "one trial gets no answer, all others would", leaves=0.0)


def departing_trial(scope: Scope) -> Iterator[ScriptPhase]:
    yield _one_hangs(scope, "one trial gets no answer and its caller leaves", leaves=leaving(scope))


def _one_hangs(scope: Scope, title: str, *, leaves: float) -> ScriptPhase:
    """``leaves``: when its caller hangs up, in seconds; 0 if it stays."""
    q = scope.q
    over = q.lost + 2
    given = {"bound": seconds(q.lost).ns}
    if leaves:
        given["leaves"] = seconds(leaves).ns
    rate = float(min(200, max(20, ceil(_OVER_THE_BOUND / q.lost))))
    return phase(
        scope,
        "departing-trial" if leaves else "hung-trial",
        q.start + q.tripping + q.silence + leaves + over,
        title=title,
        load="single",
        rate=rate,
        calls=1 + int(rate * over),
        fault="blackhole",
        hold=seconds(over),
        silence=seconds(q.silence),
        until=f"{seconds(over)} are over",
        feeds=feeds(14 if leaves else 13),
        given=given,
    )


def leaving(scope: Scope) -> float:
    """When a caller that hangs up does so: min(0.2·T, 0.2 s)."""
    timeout = scope.q.timeout
    return _MOST_LEAVING if timeout is None else min(0.2 * timeout, _MOST_LEAVING)


def slow(scope: Scope) -> Iterator[ScriptPhase]:
    """First just slow, where slowness is declared beside a time-out; then so late that work piles up."""
    q = scope.q
    declared = q.declared
    of = 1
    # By what is declared alone, for what is learnt meanwhile must not give the phases other names.
    if scope.full and declared.slow is not None and declared.call_timeout is not None:
        twice = 2 * declared.slow.over.in_s
        # What is twice as slow as allowed must still come in time, or it is a time-out.
        if twice < 0.9 * declared.call_timeout.in_s:
            of = 2
            yield _slow(scope, twice, q.rate, feeds(15), 1, of)
    yield _slow(scope, q.pile, q.pile_rate, feeds(15, 21), of, of)


def _slow(
    scope: Scope, latency: float, rate: float, fed: tuple[str, ...], number: int, of: int
) -> ScriptPhase:
    q = scope.q
    # A slow call is known when it ends or is given up: so much later is the threshold reached, and
    # then there must still be calls whose rejection shows.
    shows = q.failures / rate + q.noticed + latency + 20 / rate
    long = 3 * max(q.timeout or 0.0, 5.0, latency if scope.full else 0.0)
    load = min(_LONGEST_SLOW, max(shows, long))
    return phase(
        scope,
        "slow",
        q.start + load + min(latency, q.timeout or latency) + q.closing,
        title="a downstream that is just slow",
        load="open",
        repetition=number,
        of=of,
        rate=rate,
        calls=max(1, int(rate * load)),
        fault="latency",
        latency=seconds(latency),
        hold=seconds(load),
        until=f"{seconds(load)} are over",
        feeds=fed,
    )
