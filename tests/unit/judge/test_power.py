from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.binomial import at_least, at_most
from harness.judge.power import (
    Interval,
    chance_of,
    clopper_pearson,
    inverse_sampling,
    percent_upwards,
    power_sentence,
    smallest_shown,
    violated_sentence,
)

tries = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(tries)
def test_interval_when_at_its_ends_then_what_was_seen_has_half_the_error(k_of_n):
    """The property that defines it."""
    k, n = k_of_n
    interval = clopper_pearson(k, n)
    assert interval.low == 0 if k == 0 else at_least(k, n, interval.low) == pytest.approx(0.025)
    assert interval.high == 1 if k == n else at_most(k, n, interval.high) == pytest.approx(0.025)
    assert interval.low <= k / n <= interval.high


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.3085, id="none of 10"),
        pytest.param(10, 10, 0.6915, 1.0, id="all of 10"),
        pytest.param(5, 20, 0.0866, 0.4910, id="5 of 20"),
        pytest.param(1, 1, 0.025, 1.0, id="one of one"),
    ],
)
def test_interval_when_in_the_tables_then_is_theirs(k, n, low, high):
    interval = clopper_pearson(k, n)
    assert (interval.low, interval.high) == (
        pytest.approx(low, abs=1e-4),
        pytest.approx(high, abs=1e-4),
    )


@pytest.mark.parametrize(
    ("k", "n"),
    [
        pytest.param(0, 0, id="no try"),
        pytest.param(3, 2, id="more successes than tries"),
        pytest.param(-1, 2, id="fewer than none"),
    ],
)
def test_interval_when_it_makes_no_sense_then_is_refused(k, n):
    with pytest.raises(ValueError, match="no interval"):
        clopper_pearson(k, n)


@given(tries)
def test_inverse_when_at_its_ends_then_the_number_of_tries_has_half_the_error(k_of_n):
    """By the chances of each number of tries until the k-th success, which nothing here uses."""
    k, n = k_of_n
    if not k:
        return
    interval = inverse_sampling(k, n)

    def within(chance):
        """The chance that n tries or fewer are needed."""
        each = (comb(m - 1, k - 1) * chance**k * (1 - chance) ** (m - k) for m in range(k, n + 1))
        return sum(each)

    last = comb(n - 1, k - 1) * interval.high**k * (1 - interval.high) ** (n - k)
    assert within(interval.low) == pytest.approx(0.025)
    more = 1 - within(interval.high) + last
    assert interval.high == 1 if k == n else more == pytest.approx(0.025)


@given(tries)
def test_chance_when_another_ended_the_run_then_its_interval_is_never_narrower(k_of_n):
    k, n = k_of_n
    if k:
        ended, counted = chance_of(k, n, ended=True), chance_of(k, n)
        assert counted.low <= ended.low + 1e-12
        assert ended.high <= counted.high + 1e-12


def test_inverse_when_every_try_succeeded_then_nothing_bounds_it_from_above():
    assert str(inverse_sampling(5, 5)) == "0.47–1.00"
    assert str(inverse_sampling(1, 1)) == "0.02–1.00"


@pytest.mark.parametrize(("k", "n"), [(0, 3), (4, 3)], ids=["no success", "more than tries"])
def test_inverse_when_it_makes_no_sense_then_is_refused(k, n):
    with pytest.raises(ValueError, match="cannot have ended"):
        inverse_sampling(k, n)


@given(st.integers(1, 2_000))
def test_smallest_shown_when_it_is_the_chance_then_no_round_shows_it_one_time_in_twenty(rounds):
    assert (1 - smallest_shown(rounds)) ** rounds == pytest.approx(0.05)


def test_smallest_shown_when_no_round_then_is_refused():
    with pytest.raises(ValueError, match="no round"):
        smallest_shown(0)


@given(st.floats(0, 1), st.floats(0, 1))
def test_interval_when_written_then_never_claims_more_than_it_is(a, b):
    low, high = sorted((a, b))
    said_low, said_high = map(float, str(Interval(low=low, high=high)).split("–"))
    assert said_low <= low + 1e-9
    assert said_high >= high - 1e-9


@given(st.floats(1e-4, 1))
def test_percent_when_written_then_is_never_less_than_it_is(share):
    assert float(percent_upwards(share).removesuffix(" %")) >= share * 100 - 1e-8


def test_sentences_when_twenty_rounds_then_say_what_twenty_rounds_show():
    assert violated_sentence(20, 20) == "violated in 20 of 20 rounds (95 % CI 0.83–1.00)"
    assert violated_sentence(5, 7, stopped=True, ended=True) == (
        "violated in 5 of 7 rounds, then stopped (95 % CI 0.29–0.96)"
    )
    assert violated_sentence(5, 7, stopped=True) == (
        "violated in 5 of 7 rounds, then stopped (95 % CI 0.29–0.97)"
    )
    assert violated_sentence(1, 1) == "violated in 1 of 1 round (95 % CI 0.02–1.00)"
    assert power_sentence(20) == (
        "a race with a chance of 14 % or more per round would have shown with 95 % confidence"
    )
    assert "0.3 % or more" in power_sentence(1_000)
