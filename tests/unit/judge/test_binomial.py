"""Tails against exact fractions, and where one has a given weight."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.binomial import at_least, at_most, root


@given(st.integers(0, 62), st.integers(1, 60), st.integers(0, 100))
def test_tails_when_compared_with_exact_fractions_then_agree(k, n, percent):
    chance = Fraction(percent, 100)
    exact = sum(comb(n, i) * chance**i * (1 - chance) ** (n - i) for i in range(k, n + 1))
    assert at_least(k, n, float(chance)) == pytest.approx(float(exact), rel=1e-9, abs=1e-14)
    assert at_most(k - 1, n, float(chance)) == pytest.approx(float(1 - exact), rel=1e-9, abs=1e-14)


@given(st.floats(0, 1))
def test_root_when_it_turns_somewhere_then_that_is_found(where):
    assert root(lambda chance: chance < where) == pytest.approx(where, abs=1e-12)
