"""How much a number of rounds can show: exact binomial intervals and the smallest chance that shows.

The interval is that of C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits
illustrated in the case of the binomial", Biometrika 26 (1934) 404–413: its ends are the chances for
which as many successes, or as few, would be seen with a chance of half the error allowed.
"""

from dataclasses import dataclass
from math import ceil, floor

from harness.judge.binomial import at_least, at_most, root
from harness.judge.judgement import number_of

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    low: float
    high: float

    def __str__(self) -> str:
        """Two decimals, rounded outwards, so that the words never claim more than was shown."""
        low = floor(self.low * 100 + 1e-9) / 100
        high = ceil(self.high * 100 - 1e-9) / 100
        return f"{low:.2f}–{high:.2f}"


def clopper_pearson(k: int, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """The interval for the chance behind k successes in n tries.

    Raises:
        ValueError: there was no try, or there were more successes than tries.
    """
    if n < 1 or not 0 <= k <= n:
        raise ValueError(f"{k} successes in {n} tries have no interval")
    error = (1 - confidence) / 2
    low = 0.0 if k == 0 else root(lambda chance: at_least(k, n, chance) < error)
    high = 1.0 if k == n else root(lambda chance: at_most(k, n, chance) > error)
    return Interval(low=low, high=high)


def inverse_sampling(k: int, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """The interval where the tries ended with the ``k``-th success, in the ``n``-th try.

    That many tries or fewer were needed as often as n tries have k successes or more; that many or
    more, as often as the n - 1 before have fewer than k (J. B. S. Haldane's inverse sampling, "On a
    method of estimating frequencies", Biometrika 33 (1945) 222-225).

    Raises:
        ValueError: there was no success, or there were more successes than tries.
    """
    if not 1 <= k <= n:
        raise ValueError(f"{k} successes cannot have ended {n} tries")
    high = clopper_pearson(k - 1, n - 1, confidence=confidence).high if n > 1 else 1.0
    return Interval(low=clopper_pearson(k, n, confidence=confidence).low, high=high)


def chance_of(violated: int, rounds: int, *, ended: bool = False) -> Interval:
    """The interval for the chance of a violation per round.

    ``ended``: the last violation ended the run, so its number was set before and the rounds came out.
    Otherwise it is the other way round; that interval is never the narrower one, so it also stands for
    an invariant that was still being counted when another ended the run.
    """
    return inverse_sampling(violated, rounds) if ended else clopper_pearson(violated, rounds)


def smallest_shown(rounds: int, *, confidence: float = CONFIDENCE) -> float:
    """The smallest chance per round that would have shown in ``rounds`` with this confidence.

    Raises:
        ValueError: there was no round.
    """
    if rounds < 1:
        raise ValueError("no round shows nothing")
    return float(1 - (1 - confidence) ** (1 / rounds))


def violated_sentence(
    violated: int, rounds: int, *, stopped: bool = False, ended: bool = False
) -> str:
    """``violated in 20 of 20 rounds (95 % CI 0.83–1.00)``; ``…, then stopped`` before the brackets."""
    interval = chance_of(violated, rounds, ended=ended)
    of = number_of(rounds, "round")
    return (
        f"violated in {violated} of {of}{', then stopped' if stopped else ''} (95 % CI {interval})"
    )


def power_sentence(rounds: int) -> str:
    """What ``rounds`` that held say, without the word held."""
    shown = percent_upwards(smallest_shown(rounds))
    return (
        f"a race with a chance of {shown} or more per round would have shown with 95 % confidence"
    )


def percent_upwards(share: float) -> str:
    """Rounded up, to whole percents or one digit: a smaller chance was not shown."""
    percent = share * 100
    digits = 0
    while percent < 1 and percent * 10**digits < 1 and digits < 6:
        digits += 1
    scale = 10**digits
    return f"{ceil(percent * scale - 1e-9) / scale:.{digits}f} %"
