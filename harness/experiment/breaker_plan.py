"""The block ``breaker:`` as it was read, to ``BreakerPlan``: what was not declared stays so.

Nothing is checked here any more, and nothing is derived; that is ``breaker_script.py``.
"""

from typing import Any

from harness.experiment.breaker_parts import (
    NONE,
    SHORT_NAMES,
    Breaker,
    IdHeader,
    IdQuery,
    OpenTimes,
)
from harness.model.breaker import (
    BreakerPlan,
    Fallback,
    IdCarrier,
    OpenTime,
    Rejection,
    Retries,
    Slow,
    Trials,
)
from harness.model.units import Duration

# Those that the plan has under the same name and in the same form.
_AS_THEY_ARE = (
    "calls",
    "behind",
    "kind",
    "opens",
    "window",
    "minimum",
    "denominator",
    "failure",
    "ignored",
    "ignored_as",
    "cancellation",
    "stragglers",
    "isolation",
    "key",
    "bulkhead",
    "instances",
    "reaction",
    "recovers_within",
    "errors_when_healthy",
    "process",
    "script",
)


def breaker_plan(block: Breaker, bursts: int | None = None) -> BreakerPlan:
    """``bursts`` is how often each burst of trials is repeated, None for what the script says."""
    share = isinstance(block.threshold, float)
    timeout = block.call_timeout
    return BreakerPlan(
        **{key: getattr(block, key) for key in _AS_THEY_ARE},
        id=_carrier(block.id),
        threshold=None if share else block.threshold,
        share=block.threshold if share else None,
        open=_open(block.open),
        trials=_part(Trials, block.trials) or Trials(),
        call_timeout=timeout if isinstance(timeout, Duration) else None,
        no_call_timeout=timeout == NONE,
        slow=_part(Slow, block.slow),
        rejection=_part(Rejection, block.rejection) or Rejection(),
        fallback=_fallback(block),
        retries=_part(Retries, block.retries),
        phases=_phases(block.phases or ()),
        bursts=bursts,
    )


def _carrier(said: Any) -> IdCarrier:
    match said:
        case IdHeader(header=name):
            # Names of headers are alike in any case; at the hop they are read in small letters.
            return IdCarrier(where="header", name=name.lower())
        case IdQuery(query=name):
            return IdCarrier(where="query", name=name)
        case "traceparent" | "path":
            return IdCarrier(where=said)
        case _:
            return IdCarrier()


def _open(said: Any) -> OpenTime | None:
    if isinstance(said, OpenTimes):
        return OpenTime(
            first=said.first,
            factor=said.factor or 1.0,
            at_most=said.at_most,
            jitter=said.jitter,
        )
    return None if said is None else OpenTime(first=said)


def _part(made: Any, said: Any) -> Any:
    """A part whose keys are those of its struct; None where it was not declared."""
    return None if said is None else made(**dict(said))


def _fallback(block: Breaker) -> Fallback | None:
    said = block.fallback
    if said is None:
        return None
    return Fallback(status=said.status, json=said.payload, has_json=said.has_json)


def _phases(named: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """By their own names, each once."""
    full = [name for word in named for name in SHORT_NAMES.get(word, (word,))]
    return tuple(dict.fromkeys(full))
