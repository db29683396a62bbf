from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.evaluate import Count, truth, truths
from harness.expressions.parse import parse
from harness.judge import falsifiable
from harness.judge.falsifiable import could_break, hidden_by_unknowns

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


SOLD = parse("10 - stock == acknowledged(buy)")


def hidden(acknowledged: int, rejected: int, unknown: int, *, sold: int) -> bool:
    count = Count(acknowledged=acknowledged, rejected=rejected, unknown=unknown)
    return hidden_by_unknowns(SOLD, {"stock": 10 - sold}, {"buy": count})


def test_hidden_when_a_wrong_rule_made_the_successes_unknown_then_a_fitting_count_shows_nothing():
    assert hidden(0, 21, 9, sold=3)


def test_hidden_when_all_outcomes_are_known_then_nothing_is():
    assert not hidden(10, 20, 0, sold=10)


@pytest.mark.parametrize(
    ("rejected", "sold"),
    [
        pytest.param(10, 9, id="it-did-nothing-or-it-sold-and-one-was-lost"),
        pytest.param(10, 10, id="it-sold-or-another-sold-twice"),
        pytest.param(0, 10, id="with-none-rejected"),
    ],
)
def test_hidden_when_one_is_unknown_then_an_error_of_one_hides_on_either_side(rejected, sold):
    assert hidden(9, rejected, 1, sold=sold)


def test_hidden_when_errors_on_one_side_are_allowed_then_the_other_is_still_asked_for():
    """One unknown that sold, and one sale lost: the state fits as if the unknown one had not."""
    none_lost = parse("10 - stock >= acknowledged(buy)")
    counts = {"buy": Count(acknowledged=9, rejected=10, unknown=1)}
    assert hidden_by_unknowns(none_lost, {"stock": 1}, counts)


def test_hidden_when_no_number_of_effects_is_counted_then_nothing_is():
    counts = {"buy": Count(acknowledged=9, rejected=10, unknown=1)}
    assert not hidden_by_unknowns(parse("unknown(buy) <= 1"), {}, counts)


def test_hidden_when_an_operation_is_known_then_the_unknown_of_another_still_hide():
    balance = parse("balance == acknowledged(deposit) - acknowledged(withdraw)")
    counts = {
        "deposit": Count(acknowledged=9, rejected=1, unknown=0),
        "withdraw": Count(acknowledged=4, rejected=2, unknown=1),
    }
    assert hidden_by_unknowns(balance, {"balance": 5}, counts)


@pytest.mark.parametrize(
    ("unknown", "trials"),
    [
        pytest.param(400, 200_000, id="too-many-ways"),
        pytest.param(1, 10, id="too-many-trials"),
    ],
)
def test_hidden_when_it_takes_too_long_to_tell_then_it_is(monkeypatch, unknown, trials):
    monkeypatch.setattr(falsifiable, "MAX_TRIALS", trials)
    limit = parse("acknowledged(a) + acknowledged(b) <= 2000")
    many = Count(acknowledged=500, rejected=400, unknown=unknown)
    counts = {"a": many, "b": many}
    assert hidden_by_unknowns(limit, {}, counts)
    monkeypatch.undo()
    # A limit that nothing reaches hides nothing, if there is time to find out.
    assert hidden_by_unknowns(limit, {}, counts) == (unknown == 400)


def test_hidden_when_several_are_unknown_and_the_state_lies_amid_them_then_it_is():
    assert hidden(8, 18, 4, sold=10)


def test_hidden_when_a_limit_has_slack_then_only_unknowns_that_eat_more_of_it_hide():
    limit = parse("acknowledged(buy) <= 12")
    one = {"buy": Count(acknowledged=10, rejected=19, unknown=1)}
    assert hidden_by_unknowns(limit, {}, one)
    assert not hidden_by_unknowns(
        limit, {}, {"buy": Count(acknowledged=10, rejected=20, unknown=0)}
    )


@given(
    st.sampled_from(["==", ">=", "<="]),
    st.integers(0, 6),
    st.integers(0, 6),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(-3, 3),
)
def test_hidden_when_not_then_no_number_of_effects_makes_the_state_wrong(
    operator: str, acknowledged: int, rejected: int, unknown: int, took_effect: int, error: int
):
    """From the truth to what is observed: what counts as holding is right, whatever was unknown."""
    took_effect = min(took_effect, unknown)
    expression = parse(f"10 - stock {operator} acknowledged(buy)")
    values = {"stock": 10 - (acknowledged + took_effect + error)}
    counts = {"buy": Count(acknowledged=acknowledged, rejected=rejected, unknown=unknown)}
    known = {"buy": Count(acknowledged=acknowledged + took_effect, rejected=rejected, unknown=0)}
    if truths(expression, values, counts).fits and not hidden_by_unknowns(
        expression, values, counts
    ):
        assert truth(expression, values, known)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 4), st.integers(0, 20))
def test_hidden_when_a_limit_is_not_then_every_error_as_small_as_shows_without_shows_with_them(
    acknowledged: int, rejected: int, unknown: int, limit: int
):
    counts = {"buy": Count(acknowledged=acknowledged, rejected=rejected, unknown=unknown)}
    if acknowledged + unknown > limit:
        return
    # With all of the unknown ones acknowledged a smaller error breaks it than with none of them.
    reachable = acknowledged + unknown + (rejected > 0) * rejected > limit
    expected = unknown > 0 and reachable
    assert hidden_by_unknowns(parse(f"acknowledged(buy) <= {limit}"), {}, counts) == expected
