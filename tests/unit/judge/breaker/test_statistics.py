from math import comb, exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge import power
from harness.judge.breaker.statistics import (
    Ranks,
    clopper_pearson_lower,
    clopper_pearson_upper,
    deciding_m,
    poisson_at_least,
    poisson_rate_higher,
    quantile,
    quantile_bounds,
    quantile_ranks,
    theil_sen,
    zero_bound,
)

tries = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(tries, st.sampled_from([0.9, 0.95, 0.999]))
def test_bounds_when_taken_together_then_are_the_two_sided_interval(k_of_n, confidence):
    """One-sided at c is two-sided at 2c − 1, as ``power.py`` has it from another summation."""
    k, n = k_of_n
    both = power.clopper_pearson(k, n, confidence=2 * confidence - 1)
    assert clopper_pearson_lower(k, n, confidence) == pytest.approx(both.low, abs=1e-9)
    assert clopper_pearson_upper(k, n, confidence) == pytest.approx(both.high, abs=1e-9)


def test_bounds_when_there_are_very_many_tries_then_are_near_the_share():
    lower = clopper_pearson_lower(2_500, 250_000)
    upper = clopper_pearson_upper(2_500, 250_000)
    assert 0.0093 < lower < 0.0095
    assert 0.0103 < upper < 0.0104


@pytest.mark.parametrize("function", [clopper_pearson_lower, clopper_pearson_upper])
@pytest.mark.parametrize(
    ("x", "m"),
    [
        pytest.param(0, 0, id="no try"),
        pytest.param(3, 2, id="more than tries"),
        pytest.param(-1, 2, id="fewer than none"),
    ],
)
def test_bounds_when_the_counts_make_no_sense_then_are_refused(function, x, m):
    with pytest.raises(ValueError, match="has no bound"):
        function(x, m)


@pytest.mark.parametrize(
    ("m", "bound"),
    [
        pytest.param(5, 0.45, id="5"),
        pytest.param(10, 0.26, id="10"),
        pytest.param(20, 0.14, id="20"),
        pytest.param(60, 0.049, id="60"),
        pytest.param(300, 0.010, id="300"),
    ],
)
def test_zero_bound_when_none_was_seen_then_is_the_contracts(m, bound):
    assert zero_bound(m) == pytest.approx(bound, abs=0.006 if m < 60 else 0.0005)
    assert zero_bound(m) == pytest.approx(clopper_pearson_upper(0, m), abs=1e-9)


@pytest.mark.parametrize(
    ("q", "least"),
    [
        pytest.param(0.95, 59, id="p95"),
        pytest.param(0.99, 299, id="p99"),
        pytest.param(0.999, 2_995, id="p99.9"),
    ],
)
def test_quantile_when_one_value_is_missing_then_has_no_upper_bound(q, least):
    assert quantile_ranks(least - 1, q).upper is None
    assert quantile_ranks(least, q).upper == least


def test_quantile_when_600_values_are_sorted_then_p99_lies_below_the_599th():
    assert quantile_ranks(600, 0.99).upper == 599


def test_quantile_when_there_is_no_value_then_nothing_bounds_it():
    assert quantile_ranks(0, 0.99) == Ranks(lower=None, upper=None)
    assert quantile_bounds([], 0.99) == (None, None)


@given(st.integers(1, 400), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantile_ranks_when_searched_by_hand_then_are_the_same(n, q):
    chances = [comb(n, i) * q**i * (1 - q) ** (n - i) for i in range(n + 1)]
    upper = [k for k in range(1, n + 1) if sum(chances[:k]) >= 0.95]
    lower = [k for k in range(1, n + 1) if sum(chances[k:]) >= 0.999]
    assert quantile_ranks(n, q) == Ranks(
        lower=lower[-1] if lower else None, upper=upper[0] if upper else None
    )


def test_quantile_bounds_when_there_are_few_values_then_can_still_accuse():
    """40 values cannot show that p99 is low, but if all are high, it is not."""
    lower, upper = quantile_bounds([100] * 40, 0.99)
    assert (lower, upper) == (100, None)
    lower, _ = quantile_bounds([1] * 39 + [100], 0.99)
    assert lower == 1


def test_quantile_when_shown_then_is_a_value_that_was_seen():
    assert quantile(list(range(1, 101)), 0.99) == 99
    assert quantile([7], 0.5) == 7


def test_rates_when_one_is_plainly_higher_then_that_is_told():
    assert poisson_rate_higher(30, 1.0, 10, 5.0)
    assert not poisson_rate_higher(10, 5.0, 30, 1.0)
    assert not poisson_rate_higher(11, 5.0, 10, 5.0)


def test_rates_when_nothing_or_one_event_was_seen_then_nothing_is_told():
    assert not poisson_rate_higher(0, 1.0, 0, 1.0)
    assert not poisson_rate_higher(1, 1.0, 0, 5.0)
    assert not poisson_rate_higher(3, 5.0, 0, 0.0)


def test_rates_when_compared_by_hand_then_agree():
    """5 against 0 in equal times: 1/32; in one against nine: 10⁻⁵."""
    assert poisson_rate_higher(5, 1.0, 0, 1.0, 0.95)
    assert not poisson_rate_higher(5, 1.0, 0, 1.0, 0.97)
    assert poisson_rate_higher(5, 1.0, 0, 9.0, 0.9999)


def test_rates_when_nothing_was_watched_then_is_refused():
    with pytest.raises(ValueError, match="expected counts and times"):
        poisson_rate_higher(1, 0.0, 1, 0.0)
    with pytest.raises(ValueError, match="expected counts and times"):
        poisson_rate_higher(-1, 1.0, 1, 1.0)


def test_slope_when_one_point_is_far_out_then_hardly_moves():
    xs = [0, 1, 2, 3, 4, 5, 6]
    assert theil_sen(xs, [2 * x for x in xs]) == 2
    assert theil_sen(xs, [0, 2, 4, 600, 8, 10, 12]) == 2


@pytest.mark.parametrize(
    ("xs", "ys"),
    [pytest.param([], [], id="none"), pytest.param([3, 3], [1, 2], id="all at one place")],
)
def test_slope_when_there_is_none_then_is_refused(xs, ys):
    with pytest.raises(ValueError, match="no slope"):
        theil_sen(xs, ys)


def test_deciding_number_when_asked_then_decides_and_half_of_it_does_not():
    few_enough = deciding_m(1, 300, 0.01)
    assert few_enough is not None
    assert clopper_pearson_upper(-(-few_enough // 300), few_enough) <= 0.01
    assert clopper_pearson_upper(1, 300) > 0.01
    too_many = deciding_m(6, 300, 0.01)
    assert too_many is not None
    assert clopper_pearson_lower(too_many * 6 // 300, too_many) > 0.01
    assert clopper_pearson_lower(6, 300) <= 0.01


def test_deciding_number_when_none_was_seen_then_is_that_of_the_zero_rule():
    assert deciding_m(0, 10, 0.05) == 59
    assert deciding_m(0, 10, 0.01) == 299


def test_deciding_number_when_the_share_is_the_limit_then_there_is_none():
    assert deciding_m(1, 100, 0.01) is None
    assert deciding_m(0, 10, 0.0) is None


@given(st.integers(0, 60), st.floats(0.1, 60))
def test_poisson_when_compared_with_the_sum_of_its_terms_then_agrees(count, mean):
    below = sum(mean**k / factorial(k) for k in range(count)) * exp(-mean)
    assert poisson_at_least(count, mean) == pytest.approx(1 - below, abs=1e-12)


def test_poisson_when_nothing_is_expected_then_nothing_may_come():
    assert poisson_at_least(0, 0.0) == 1.0
    assert poisson_at_least(1, 0.0) == 0.0
