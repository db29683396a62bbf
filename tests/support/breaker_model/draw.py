"""A breaker and its surroundings, drawn by a seed: the same seed is always the same breaker."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from tests.support.breaker_model.settings import Kind, Settings, World

KINDS: tuple[Kind, ...] = ("consecutive", "count-window", "time-window")


def drawn(seed: int, kinds: Sequence[Kind] = KINDS) -> tuple[Settings, World]:
    """What a library might be set to, and how restless all around it is."""
    rng = Random(seed)
    kind = rng.choice(kinds)
    drawn = _times_and_trials(rng)
    drawn.update(_counting(rng, kind))
    drawn["per_key"] = rng.random() < 0.4
    drawn["fallback"] = rng.random() < 0.2
    world = World(
        way=rng.choice([0.1, 0.3]),
        jitter=rng.choice([0.05, 0.3, 0.6]),
        lag=rng.choice([0, 1, 5]),
        downstream=rng.choice([1, 3, 10]),
        spread=rng.choice([2, 8, 15]),
    )
    return Settings(kind=kind, **drawn), world


def _times_and_trials(rng: Random) -> dict[str, Any]:
    timeout = rng.choice([150, 250, 400, 600, 1000])
    opened = rng.choice([300, 500, 800, 1000, 1500, 2500])
    permits = rng.choice([1, 1, 1, 2, 3, 5])
    factor = rng.choice([1, 1, 1.5, 2])
    drawn: dict[str, Any] = {
        "timeout": timeout,
        "open": opened,
        "permits": permits,
        "factor": factor,
        "jitter": rng.choice([0, 0, 0.1]),
        "cancels": rng.random() < 0.8,
    }
    if factor > 1:
        drawn["at_most"] = rng.choice([opened * 2, opened * 4])
    to_close = rng.choice([1, 1, permits, 2])
    in_total = rng.random() < 0.2
    drawn["permits_in_total"] = in_total
    drawn["to_close"] = min(to_close, permits) if in_total else to_close
    drawn["ignored_is_success"] = rng.random() < 0.3
    drawn["departure_is_failure"] = rng.random() < 0.2
    if rng.random() < 0.4:
        drawn["slow"] = rng.choice([timeout * 0.4, timeout * 0.7])
    return drawn


def _counting(rng: Random, kind: Kind) -> dict[str, Any]:
    if kind == "consecutive":
        return {"threshold": rng.choice([1, 2, 3, 5, 5, 8, 12])}
    share = rng.choice([0.3, 0.5, 0.6, 0.8])
    if kind == "time-window":
        window, minimum = rng.choice([1000, 2000, 5000]), rng.choice([5, 10, 20])
    else:
        window = rng.choice([10, 20, 40])
        minimum = min(rng.choice([5, 10, window]), window)
    return {"threshold": None, "share": share, "window": window, "minimum": minimum}


def by_the_defaults(settings: Settings) -> Settings:
    """Without what only a declaration could tell from a defect: see the contract's second column (§2)."""
    return replace(settings, slow=None, departure_is_failure=False)
