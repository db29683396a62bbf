"""What a story declares of its breaker, in ms and with short names."""

from typing import Any

from harness.model.breaker import (
    BreakerPlan,
    Fallback,
    OpenTime,
    Rejection,
    Retries,
    Slow,
    Trials,
    Window,
)
from harness.model.units import Duration


def declared_plan(
    *,
    threshold: int | None,
    open_for: float | None,
    permits: int | None,
    call_timeout: float | str | None,
    **declared: Any,
) -> BreakerPlan:
    """The block ``breaker:``, with the short names of ``Story`` for its parts."""
    take = declared.pop
    share = take("share", None)
    kind = take("kind", None if threshold is None and share is None else "consecutive")
    slow, slow_share = take("slow", None), take("slow_share", None)
    retries = {name: take(name, None) for name in ("attempts", "budget", "around")}
    retries = {name: value for name, value in retries.items() if value is not None}
    recovers_within = _span(take("recovers_within", None))
    fallback = take("fallback", None)
    return BreakerPlan(
        calls="fetch",
        behind="downstream",
        kind=kind,
        threshold=None if share is not None else threshold,
        share=share,
        window=_window(kind, take("window", None)),
        open=None if open_for is None else _open_time(open_for, declared),
        trials=Trials(
            permits=permits,
            to_close=take("to_close", None),
            to_reopen=take("to_reopen", None),
            lost_after=_span(take("lost_after", None)),
            others=take("others", None),
        ),
        call_timeout=None if isinstance(call_timeout, str) else _span(call_timeout),
        no_call_timeout=call_timeout == "none",
        slow=None if slow is None else Slow(over=Duration.of_ms(slow), threshold=slow_share),
        rejection=Rejection(
            status=take("rejection_status", None), within=_span(take("within", None))
        ),
        fallback=Fallback(**fallback) if isinstance(fallback, dict) else fallback,
        retries=Retries(**retries) if retries else None,
        reaction=Duration.of_ms(take("reaction", 0)),
        recovers_within=recovers_within,
        **declared,
    )


def _open_time(first: float, declared: dict[str, Any]) -> OpenTime:
    return OpenTime(
        first=Duration.of_ms(first),
        factor=declared.pop("factor", 1.0),
        at_most=_span(declared.pop("at_most", None)),
        jitter=declared.pop("jitter", 0.0),
    )


def _span(ms: float | None) -> Duration | None:
    return None if ms is None else Duration.of_ms(ms)


def _window(kind: str | None, window: float | Window | None) -> Window | None:
    if window is None or isinstance(window, Window):
        return window
    return (
        Window(time=Duration.of_ms(window))
        if kind == "time-window"
        else Window(calls=round(window))
    )
