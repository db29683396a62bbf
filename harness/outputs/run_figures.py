"""The figures of a run in a few characters each: rounds, rate, time, what was expected. For tables.

Read from a ``Result`` alone; nothing here decides a verdict.
"""

from harness.judge.power import Interval, clopper_pearson, smallest_shown
from harness.model.breaker_findings import BreakerResult
from harness.model.plan import Expected
from harness.model.units import Duration
from harness.model.verdicts import InvariantFinding, Result, Verdict

NOTHING = "–"


def expected_in_words(expected: Expected) -> str:
    """``held``, or ``violated by money-conserved``."""
    by = f" by {' and '.join(expected.invariants)}" if expected.invariants else ""
    return f"{expected.verdict}{by}"


def seen_in_words(result: Result) -> str:
    """The verdict, and what was broken."""
    broken = [each.name for each in result.invariants if each.verdict == "violated"]
    named = result.verdict == Verdict.VIOLATED.value and broken
    return result.verdict + (f" by {' and '.join(broken)}" if named else "")


def rounds_in_words(result: Result) -> str:
    """``5/5 broken``, ``19/20 count``, or how many there were."""
    if result.breaker is not None:
        return _of_breaker(result.breaker)
    shown = telling(result)
    if shown is None:
        return number_of_rounds(result)
    rounds = shown.evidence.get("rounds", result.rounds)
    if shown.verdict == "violated":
        return f"{shown.evidence['violated_rounds']}/{rounds} broken"
    return f"{shown.evidence['rounds_with_power']}/{rounds} count"


def _of_breaker(breaker: BreakerResult) -> str:
    """``14/26 held``, or ``4/26 broken``: of a breaker numbered invariants are counted, not rounds."""
    verdicts = [finding.verdict for finding in breaker.invariants]
    broken = verdicts.count("violated")
    counted = (
        f"{broken}/{len(verdicts)} broken"
        if broken
        else f"{verdicts.count('held')}/{len(verdicts)} held"
    )
    return counted if verdicts else NOTHING


def number_of_rounds(result: Result) -> str:
    """``5/20``, or ``20`` where all of them were run."""
    planned = result.planned_rounds
    return f"{result.rounds}" + ("" if planned in (None, result.rounds) else f"/{planned}")


def rate_in_words(result: Result) -> str:
    """The share of rounds broken with its interval, or the smallest that would have shown."""
    shown = telling(result)
    if shown is None:
        return NOTHING
    evidence = shown.evidence
    if shown.verdict == "violated":
        broken, rounds = evidence["violated_rounds"], evidence["rounds"]
        if "ci" in evidence:
            # The interval is that of the rounds that count, and so has the share to be.
            rounds = max(evidence["rounds_with_power"], broken)
            interval = Interval(low=evidence["ci"][0], high=evidence["ci"][1])
        elif rounds:
            interval = clopper_pearson(min(broken, rounds), rounds)
        else:
            return NOTHING
        return f"{broken / rounds:.2f} ({interval})"
    # ``always`` and its like have readings; which share of rounds would have shown they cannot say.
    counted = evidence["rounds_with_power"] if "ci" in evidence else 0
    return f"under {_upwards(smallest_shown(counted))}" if counted else NOTHING


def telling(result: Result) -> InvariantFinding | None:
    """The finding whose numbers stand for the run; None where it came to no verdict.

    Of those broken the one broken most often, of those that held the one with the fewest rounds.
    """
    found = [each for each in result.invariants if each.verdict == result.verdict]
    if result.verdict == Verdict.VIOLATED.value:
        broken = [each for each in found if each.evidence.get("violated_rounds")]
        return max(broken, key=lambda each: int(each.evidence["violated_rounds"]), default=None)
    if result.verdict == Verdict.HELD.value:
        counted = [each for each in found if "rounds_with_power" in each.evidence]
        at_end = [each for each in counted if "ci" in each.evidence]
        return min(
            at_end or counted,
            key=lambda each: int(each.evidence["rounds_with_power"]),
            default=None,
        )
    return None


def time_in_words(duration: Duration | None) -> str:
    """``850 ms``, ``9.3 s``, ``71 s`` or ``9 min 12 s``."""
    if duration is None:
        return NOTHING
    if duration < Duration.of_s(1):
        return f"{round(duration.in_ms)} ms"
    if duration < Duration.of_s(59.5):
        return f"{duration.in_s:.1f} s"
    if duration < Duration.of_s(119.5):
        return f"{duration.in_s:.0f} s"
    minutes, seconds = divmod(round(duration.in_s), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def in_ms(milliseconds: float | None) -> Duration | None:
    return None if milliseconds is None else Duration.of_ms(milliseconds)


def _upwards(share: float) -> str:
    """Two decimals, rounded up, so that no smaller share is claimed than was shown."""
    return f"{-int(-(share * 100 - 1e-9) // 1) / 100:.2f}"
