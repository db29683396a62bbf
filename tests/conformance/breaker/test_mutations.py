"""A breaker with one defect is found where it is wrong; and never called right, however little load there was."""

from functools import cache

import pytest

from harness.judge.breaker.judge import judge
from tests.support.breaker_model.mutants import MUTANTS

SEEDS = (1, 2)
LITTLE = (0.4, 0.15, 0.05)

# Of defects that the judge does not see, or calls right under little load. An entry that is out of
# date fails its test, and goes.
KNOWN_MISSES: dict[tuple[str, int, float], str] = {}

mutants = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)


@cache
def verdict_of(name, seed, load):
    mutant = next(one for one in MUTANTS if one.id == name)
    result = judge(mutant.history(seed, load=load))
    assert result.error is None
    return next(one for one in result.invariants if one.id == mutant.breaks).verdict


def verdict(mutant, seed, load):
    return verdict_of(mutant.id, seed, load)


@pytest.mark.parametrize("seed", SEEDS)
@mutants
def test_defect_when_there_is_load_enough_then_its_invariant_is_violated(mutant, seed):
    if (mutant.id, seed, 1) not in KNOWN_MISSES:
        assert verdict(mutant, seed, 1) == "violated"


@pytest.mark.parametrize("load", LITTLE)
@mutants
def test_defect_when_there_is_little_load_then_its_invariant_is_not_held(mutant, load):
    found = {seed: verdict(mutant, seed, load) for seed in SEEDS}
    assert [
        seed
        for seed, each in found.items()
        if each == "held" and (mutant.id, seed, load) not in KNOWN_MISSES
    ] == []


def test_defect_when_there_is_little_load_then_that_is_the_reason_for_most():
    """Else the test above would say nothing: the least load leaves most of them open."""
    least = [verdict(mutant, 1, LITTLE[-1]) for mutant in MUTANTS if mutant.breaks != "BRK-24"]
    assert least.count("inconclusive") >= len(least) // 3


@pytest.mark.parametrize("number", [f"BRK-{number:02}" for number in range(1, 27)])
def test_invariant_when_numbered_then_has_a_mutant(number):
    assert number in {mutant.breaks for mutant in MUTANTS}


@pytest.mark.parametrize(("case", "missed"), KNOWN_MISSES.items())
def test_miss_when_listed_then_is_still_missed(case, missed):
    name, seed, load = case
    assert verdict_of(name, seed, load) == missed
