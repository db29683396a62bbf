"""The tails of the binomial distribution, and where a tail has a given weight. Exact, no approximation.

Tails are summed outwards from where they begin, on the side away from the middle, so that a hundred
thousand tries cost some hundred terms.
"""

from collections.abc import Callable
from math import exp, lgamma, log, log1p

# A double has 53 bits: after 60 halvings of [0, 1] nothing moves any more.
_HALVINGS = 60


def at_least(k: int, n: int, chance: float) -> float:
    """The chance of ``k`` successes or more in ``n`` tries."""
    if k <= 0:
        return 1.0
    if k > n or chance <= 0:
        return 0.0
    if chance >= 1:
        return 1.0
    if k <= n * chance:
        return 1.0 - _tail(n - k + 1, n, 1 - chance)
    return _tail(k, n, chance)


def at_most(k: int, n: int, chance: float) -> float:
    """The chance of ``k`` successes or fewer in ``n`` tries."""
    return at_least(n - k, n, 1 - chance)


def _tail(k: int, n: int, chance: float) -> float:
    """``at_least`` for a ``k`` beyond the middle, where each term is smaller than the one before."""
    choose = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    term = exp(choose + k * log(chance) + (n - k) * log1p(-chance))
    odds = chance / (1 - chance)
    total = 0.0
    while k <= n and term > total * 1e-17:
        total += term
        term *= (n - k) / (k + 1) * odds
        k += 1
    return min(total, 1.0)


def root(below: Callable[[float], bool]) -> float:
    """Where in [0, 1] ``below`` turns from true to false."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2
