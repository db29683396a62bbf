"""The block ``breaker:`` that says what the model is set to."""

from harness.model.breaker import (
    BreakerPlan,
    Fallback,
    OpenTime,
    Rejection,
    Retries,
    ScriptName,
    Slow,
    Trials,
    Window,
)
from harness.model.units import Duration
from tests.support.breaker_model.settings import Settings

REJECTED = 503
FALLBACK = 203


def undeclared(script: ScriptName, phases: tuple[str, ...] = ()) -> BreakerPlan:
    """Nothing but what must be there."""
    return BreakerPlan(calls="fetch", behind="downstream", script=script, phases=phases)


def declared(
    settings: Settings,
    script: ScriptName,
    phases: tuple[str, ...] = (),
    *,
    bursts: int | None = None,
) -> BreakerPlan:
    """Everything, as it is."""
    s = settings
    return BreakerPlan(
        calls="fetch",
        behind="downstream",
        kind=s.kind,
        threshold=s.threshold,
        share=s.share,
        opens="above" if s.above else "at",
        window=_window(s),
        minimum=s.minimum,
        denominator="admitted" if s.admitted else "settled",
        open=OpenTime(
            first=_span(s.open),
            factor=s.factor,
            at_most=None if s.at_most is None else _span(s.at_most),
            jitter=s.jitter,
        ),
        trials=Trials(
            permits=s.permits,
            to_close=s.to_close,
            to_reopen=s.to_reopen,
            lost_after=None if s.lost_after is None else _span(s.lost_after),
            others="rejected",
        ),
        call_timeout=None if s.timeout is None else _span(s.timeout),
        no_call_timeout=s.timeout is None,
        slow=None if s.slow is None else Slow(over=_span(s.slow), threshold=s.slow_share),
        ignored="status >= 400 and status < 500",
        ignored_as="success" if s.ignored_is_success else "nothing",
        cancellation="failure" if s.departure_is_failure else "ignored",
        stragglers="ignored",
        rejection=Rejection(status=REJECTED, within=_span(50)),
        fallback=Fallback(status=FALLBACK) if s.fallback else None,
        retries=Retries(attempts=s.attempts),
        isolation="key" if s.per_key else None,
        key="{account}" if s.per_key else None,
        bulkhead=s.bulkhead,
        instances=s.instances,
        process="app" if s.process else None,
        script=script,
        phases=phases,
        bursts=bursts,
    )


def _span(ms: float) -> Duration:
    return Duration.of_ms(ms)


def _window(settings: Settings) -> Window | None:
    if settings.window is None:
        return None
    if settings.kind == "time-window":
        return Window(time=_span(settings.window))
    return Window(calls=round(settings.window))
