"""Exact statistics for shares, rates, quantiles and slopes: small numbers, no approximation by a normal.

Bounds are one-sided: an accusation rests on a lower one
of 99.9 %, ``held`` on an upper one of 95 % (contract §5.3).
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, fsum, lgamma, log
from statistics import median

from harness.judge.binomial import at_least, at_most, root
from harness.judge.power import smallest_shown

ACCUSING = 0.999
HOLDING = 0.95

_MOST_TRIES = 1 << 30


def clopper_pearson_lower(x: int, m: int, confidence: float = ACCUSING) -> float:
    """The one-sided lower bound for the chance behind ``x`` of ``m``: there ``P(≥ x) = 1 − confidence``.

    Raises:
        ValueError: there was no try, or there were more successes than tries.
    """
    _sensible(x, m)
    if x == 0:
        return 0.0
    return root(lambda chance: at_least(x, m, chance) < 1 - confidence)


def clopper_pearson_upper(x: int, m: int, confidence: float = HOLDING) -> float:
    """The one-sided upper bound: there ``P(≤ x) = 1 − confidence``.

    Raises:
        ValueError: there was no try, or there were more successes than tries.
    """
    _sensible(x, m)
    if x == m:
        return 1.0
    return root(lambda chance: at_most(x, m, chance) > 1 - confidence)


def _sensible(x: int, m: int) -> None:
    if m < 1 or not 0 <= x <= m:
        raise ValueError(f"{x} of {m} has no bound: expected 0 <= x <= m and m >= 1")


def zero_bound(m: int) -> float:
    """The upper 95 % bound after none of ``m``: 1 − 0.05^(1/m) (contract §5.2).

    Raises:
        ValueError: ``m`` is below 1.
    """
    return smallest_shown(m, confidence=HOLDING)


def deciding_m(
    x: int, m: int, limit: float, *, lower: float = ACCUSING, upper: float = HOLDING
) -> int | None:
    """How many tries would decide about ``limit`` if the share stayed that of ``x`` in ``m``.

    Found by doubling and halving: whole counts make the bounds a saw, so it may be a tooth off. None
    where the share is the limit itself, or more than a billion tries would be needed.

    Raises:
        ValueError: there was no try, or there were more successes than tries.
    """
    _sensible(x, m)
    share = x / m

    def decides(tries: int) -> bool:
        if share > limit:
            return clopper_pearson_lower(floor(share * tries), tries, lower) > limit
        return clopper_pearson_upper(ceil(share * tries - 1e-9), tries, upper) <= limit

    if share == limit:
        return None
    high = 1
    while not decides(high):
        high *= 2
        if high > _MOST_TRIES:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Between which of the sorted values, counted from 1, a quantile lies; None: none of them bounds it."""

    lower: int | None
    upper: int | None


def quantile_ranks(
    count: int, q: float, *, upper: float = HOLDING, lower: float = ACCUSING
) -> Ranks:
    """The ranks that bound quantile ``q`` of ``count`` values, whatever their distribution.

    Upper: the smallest k with ``P(Bin(n, q) ≤ k − 1) ≥ upper``; lower: the largest with
    ``P(Bin(n, q) ≥ k) ≥ lower``. So p95 has an upper one from 59 values on, p99 from 299, p99.9 from
    2,995 (contract §5.4).
    """
    above = bisect_left(
        range(1, count + 1), x=True, key=lambda k: at_most(k - 1, count, q) >= upper
    )
    # One before the first rank that says too little.
    below = bisect_left(range(1, count + 1), x=True, key=lambda k: at_least(k, count, q) < lower)
    return Ranks(lower=below or None, upper=above + 1 if above < count else None)


def quantile_bounds(
    ordered: Sequence[int], q: float, *, upper: float = HOLDING, lower: float = ACCUSING
) -> tuple[int | None, int | None]:
    """The lower and the upper bound of quantile ``q`` of the sorted values; None: there is none."""
    ranks = quantile_ranks(len(ordered), q, upper=upper, lower=lower)
    return (
        None if ranks.lower is None else ordered[ranks.lower - 1],
        None if ranks.upper is None else ordered[ranks.upper - 1],
    )


def quantile(ordered: Sequence[int], q: float) -> int:
    """The value below or at which a share of ``q`` lies: what is shown beside its bounds."""
    return ordered[max(0, ceil(q * len(ordered) - 1e-9) - 1)]


def poisson_rate_higher(
    x1: int, t1: float, x2: int, t2: float, confidence: float = ACCUSING
) -> bool:
    """Whether ``x1`` events in ``t1`` certainly came at a higher rate than ``x2`` in ``t2``.

    Exact: were the rates equal, the first count would be a draw of Bin(x1 + x2, t1 / (t1 + t2))
    (J. Przyborowski and H. Wilenski, "Homogeneity of results in testing samples from Poisson series",
    Biometrika 31 (1940) 313-323). Few events show little: one against none says nothing.

    Raises:
        ValueError: a count or a time is negative, or nothing was watched at all.
    """
    if min(x1, x2, t1, t2) < 0 or t1 + t2 <= 0:
        raise ValueError(f"{x1} in {t1} and {x2} in {t2}: expected counts and times of at least 0")
    return at_least(x1, x1 + x2, t1 / (t1 + t2)) <= 1 - confidence


def poisson_at_least(count: int, mean: float) -> float:
    """The chance of ``count`` events or more where ``mean`` are expected."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    return min(1.0, max(0.0, 1.0 - fsum(_poisson(k, mean) for k in range(count))))


def _poisson(k: int, mean: float) -> float:
    return exp(k * log(mean) - mean - lgamma(k + 1))


def theil_sen(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The median slope over all pairs of points: one outlier does not tilt it.

    H. Theil, "A rank-invariant method of linear and polynomial regression analysis" (1950); P. K. Sen,
    "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968) 1379-1389.

    Raises:
        ValueError: there are not two points at different places.
    """
    points = list(zip(xs, ys, strict=True))
    slopes = [
        (y2 - y1) / (x2 - x1)
        for i, (x1, y1) in enumerate(points)
        for x2, y2 in points[i + 1 :]
        if x2 != x1
    ]
    if not slopes:
        raise ValueError(f"{len(points)} points have no slope: expected two at different places")
    return float(median(slopes))
