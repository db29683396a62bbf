"""The phases in which calls fare differently: by key, by id, by draw; a second outage; memory. Pure."""

from collections.abc import Iterator
from math import ceil

from harness.experiment.breaker_phases import Scope, feeds, phase, seconds
from harness.model.breaker_script import ScriptPhase

_SECOND_RATE = 300.0
_REJECTED = 3.3
"""Seconds of rejections at that rate: 900, and what trials take of them."""
_GOOD_BETWEEN = 50
_UNDECLARED_SHARE = 0.3
_AT_ONCE = 20
_GOOD, _REJECTIONS, _WINDOW = 30_000, 10_000, 2_000
_QUIET = 0.5
_CALLS_A_SECOND = 1_000.0
# A call that ends so late within the limit is sure to end by itself.
_WITHIN = 0.8


def keys(scope: Scope) -> Iterator[ScriptPhase]:
    """Only where there is a circuit for each of something."""
    q = scope.q
    if q.declared.isolation not in ("key", "host"):
        return
    both = 0.8 * q.open
    yield phase(
        scope,
        "keys",
        q.start + q.tripping + both + q.closing,
        title="one key fails until it opens; then calls for it and for a healthy one",
        load="open",
        rate=q.rate,
        fault=scope.trip,
        hold=seconds(both),
        until=f"{seconds(both)} are over",
        feeds=feeds(18),
    )


def stragglers(scope: Scope) -> Iterator[ScriptPhase]:
    """A call from before the trip ends (i) well while open, (ii) badly while open, (iii) well in half-open."""
    q = scope.q
    each = {"i": 0.5 * q.open, "ii": 0.8 * q.open, "iii": q.silence + 0.3 * q.open}
    if q.timeout is not None:
        # What the service gives up by itself cannot come so late.
        longest = _WITHIN * q.timeout
        each = {part: min(late, longest) for part, late in each.items()}
        if longest < q.silence:
            del each["iii"]
    hold = sum(max(2 * q.open, late + q.open) for late in each.values())
    yield phase(
        scope,
        "stragglers",
        len(each) * (q.start + q.tripping + q.closing) + hold,
        title="a call from before the trip ends once it is open, or half-open",
        load="open",
        rate=q.rate,
        fault=scope.trip,
        latency=seconds(max(each.values())),
        hold=seconds(hold),
        until=f"its answer and 10 calls behind it, in each part ({', '.join(each)})",
        feeds=feeds(20),
        given={
            "parts": list(each),
            "late": {part: seconds(late).ns for part, late in each.items()},
        },
    )


def second_outage(scope: Scope) -> Iterator[ScriptPhase]:
    """Many rejections, healing, good calls, and again."""
    q = scope.q
    rate = max(q.rate, _SECOND_RATE)
    declared = q.declared.window
    calls = None if declared is None else declared.calls
    rejected = max(_REJECTED, 10 * calls / rate if calls else q.window)
    in_flight = ceil(rate * q.failing_latency) + 1
    bound = max(2 * q.failures, q.failures + in_flight)
    recovery = q.recovery(q.failing_latency)
    first = q.trip_under_load(q.failing_latency) + rejected
    second = 3 * bound
    lasts = first + recovery + _GOOD_BETWEEN / q.rate + second / rate + q.closing
    yield phase(
        scope,
        "second-outage",
        q.start + lasts,
        title="an outage with many rejections, healing, and a second outage",
        load="open",
        rate=rate,
        calls=second,
        fault=scope.trip,
        latency=seconds(q.failing_latency),
        hold=seconds(first),
        until=f"{second} calls of the second outage are sent",
        feeds=feeds(19),
        given={"recovery": seconds(recovery).ns, "good": _GOOD_BETWEEN},
    )


def partial(scope: Scope) -> Iterator[ScriptPhase]:
    """A share of the arrivals fails, drawn from the seed and logged for each."""
    q = scope.q
    share = q.declared.share
    shares = [_UNDECLARED_SHARE] if share is None else [share / 2, min(1.5 * share, 0.95)]
    lasts = max(3 * q.window, 10.0)
    for number, each in enumerate(shares, 1):
        yield phase(
            scope,
            "partial",
            q.start + lasts + q.closing,
            title=f"{each:.0%} of the calls fail, drawn from the seed",
            load="open",
            repetition=number,
            of=len(shares),
            rate=q.rate,
            calls=max(1, int(q.rate * lasts)),
            fault=scope.trip,
            hold=seconds(lasts),
            until=f"{seconds(lasts)} are over",
            feeds=feeds(2, 23, 26),
            given={"share": each},
        )


def memory(scope: Scope) -> Iterator[ScriptPhase]:
    """Only where the service's process is named."""
    q = scope.q
    if q.declared.process is None:
        return
    a_second = min(_CALLS_A_SECOND, _AT_ONCE / max(q.learnt.latency.in_s, 0.001))
    good = _GOOD / a_second + _GOOD / _WINDOW * _QUIET
    rejected = _REJECTIONS / _CALLS_A_SECOND + (_REJECTIONS / _WINDOW + 1) * _QUIET
    yield phase(
        scope,
        "memory",
        q.start + good + q.window + q.tripping + rejected + q.closing,
        title=f"good calls until memory is level, then {_REJECTIONS:,} rejections",
        load="closed",
        calls=_GOOD + _REJECTIONS,
        callers=_AT_ONCE,
        fault=scope.trip,
        until=f"both are over, at most {_GOOD + _REJECTIONS:,} calls",
        feeds=feeds(24),
        given={"good": _GOOD, "rejections": _REJECTIONS, "window": _WINDOW},
    )
