from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.evaluate import Count
from harness.expressions.parse import parse
from harness.judge.falsifiable import could_break

CONSERVED = parse("100 - balance == 10 * acknowledged(w)")


def count(acknowledged=0, rejected=0, unknown=0):
    return Count(acknowledged=acknowledged, rejected=rejected, unknown=unknown)


@pytest.mark.parametrize(
    ("counts", "could"),
    [
        pytest.param(count(acknowledged=10, rejected=40), True, id="all known"),
        pytest.param(count(acknowledged=10), True, id="all acknowledged"),
        pytest.param(count(unknown=50), False, id="all unknown"),
        pytest.param(count(acknowledged=2, rejected=3, unknown=45), False, id="so many unknown"),
        pytest.param(count(acknowledged=10, rejected=35, unknown=5), True, id="few unknown"),
    ],
)
def test_round_when_outcomes_are_unknown_then_counts_only_if_others_could_have_broken_it(
    counts, could
):
    assert could_break(CONSERVED, {"balance": 0}, {"w": counts}) is could


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("acknowledged(w) >= 0", id="tautology"),
        pytest.param("balance == 0 or acknowledged(w) == 3", id="true of the reading alone"),
        pytest.param("acknowledged(w) + rejected(w) <= 20", id="true of any split"),
        pytest.param("1 / (acknowledged(w) - acknowledged(w)) == 1", id="without a value"),
    ],
)
def test_expression_when_no_outcome_breaks_it_then_could_not_fail(source):
    counts = {"w": count(acknowledged=10, rejected=10)}
    assert could_break(parse(source), {"balance": 0}, counts) is False


def test_expression_when_it_counts_unknown_alone_then_their_number_is_the_outcome():
    assert could_break(parse("unknown(w) == 0"), {}, {"w": count(acknowledged=5)})
    assert not could_break(parse("unknown(w) >= 0"), {}, {"w": count(acknowledged=5)})


def test_unknown_outcomes_when_they_excuse_anything_then_are_not_imagined_away():
    expression = parse("acknowledged(w) == 3 or unknown(w) > 0")
    assert not could_break(expression, {}, {"w": count(acknowledged=2, unknown=3)})


def test_two_operations_when_one_could_break_it_then_it_could_fail():
    expression = parse("balance == acknowledged(a) - acknowledged(b)")
    counts = {"a": count(acknowledged=3), "b": count(unknown=2)}
    assert could_break(expression, {"balance": 1}, counts)


def test_too_many_ways_when_they_cannot_be_tried_then_the_round_does_not_count():
    expression = parse("acknowledged(a) + rejected(a) + acknowledged(b) + rejected(b) >= 0")
    many = count(acknowledged=200, rejected=200, unknown=200)
    assert could_break(expression, {}, {"a": many, "b": many}) is False


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 8))
def test_could_break_when_compared_with_every_split_then_agrees(a, r, u, effects):
    """Brute force: each decided request the other way round, each unknown one every way."""
    paid = 10 * effects
    broken = False
    for decided in product((True, False), repeat=a + r):
        fits = any(paid == 10 * (sum(decided) + k) for k in range(u + 1))
        broken = broken or not fits
    counts = {"w": count(acknowledged=a, rejected=r, unknown=u)}
    assert could_break(CONSERVED, {"balance": 100 - paid}, counts) is broken
