from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.evaluate import (
    MAX_ASSIGNMENTS,
    Count,
    EvaluationProblem,
    TooManyAssignments,
    assignments,
    evaluate,
    evaluate_node,
    number_of_assignments,
    truth,
    truths,
)
from harness.expressions.parse import parse
from harness.model.units import Duration


def count(acknowledged=0, rejected=0, unknown=0, rejecting=0):
    return Count(acknowledged=acknowledged, rejected=rejected, unknown=unknown, rejecting=rejecting)


counts = st.builds(
    count, st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)
)


@pytest.mark.parametrize(
    ("source", "values", "value"),
    [
        pytest.param("0.1 + 0.2 == 0.3", {}, True, id="exact"),
        pytest.param("balance == 80", {"balance": Decimal("80.00")}, True, id="decimal from SQL"),
        pytest.param("price * 3", {"price": 0.1}, Decimal("0.3"), id="float as written"),
        pytest.param("1 / 3", {}, Fraction(1, 3), id="endless decimals stay a fraction"),
        pytest.param("json.items[0].name", {"json": {"items": [{"name": "a"}]}}, "a", id="path"),
        pytest.param("json['a b'][-1]", {"json": {"a b": [1, 2]}}, 2, id="quoted key, last item"),
        pytest.param("elapsed < 500ms", {"elapsed": Duration.of_ms(499)}, True, id="duration"),
        pytest.param("status in [200, 201]", {"status": 201}, True, id="in a list"),
        pytest.param("json.error == null", {"json": {"error": None}}, True, id="null"),
        pytest.param("x == 0 or 1 / x > 0", {"x": 0}, True, id="or guards its right side"),
        pytest.param("x != 0 and 1 / x > 0", {"x": 0}, False, id="and guards its right side"),
        pytest.param("'80' == 80", {}, False, id="text is no number"),
    ],
)
def test_expression_when_evaluated_then_has_its_value(source, values, value):
    assert evaluate(parse(source), values) == value


@pytest.mark.parametrize(
    ("source", "values", "words"),
    [
        pytest.param("a", {}, "'a' has no value here", id="missing name"),
        pytest.param("json.lft", {"json": {"left": 1}}, "did you mean 'left'", id="missing key"),
        pytest.param("json[5]", {"json": [1]}, "no item 5 in a list of 1", id="missing item"),
        pytest.param("x.real", {"x": 5}, "the number 5 has no entry 'real'", id="Python attribute"),
        pytest.param("x.__class__", {"x": "a"}, "has no entry '__class__'", id="dunder"),
        pytest.param("x.keys", {"x": {}}, "no 'keys' in a map of 0", id="method of a map"),
        pytest.param("x and true", {"x": 1}, "neither true nor false", id="number as truth"),
        pytest.param("not x", {"x": None}, "neither true nor false", id="null as truth"),
        pytest.param("1 if x else 2", {"x": "a"}, "neither true nor false", id="text as condition"),
        pytest.param("-x", {"x": "a"}, "'-' does not apply", id="minus text"),
        pytest.param("x < 1", {"x": "0"}, "text '0' and the number 1", id="text before number"),
        pytest.param("1 / x", {"x": 0}, "1 / 0 divides by zero", id="division by zero"),
        pytest.param("x == 1", {"x": float("inf")}, "not a finite number", id="infinity"),
        pytest.param("acknowledged(w)", {}, "no outcomes were counted", id="uncounted operation"),
    ],
)
def test_expression_when_it_has_no_value_then_says_why(source, values, words):
    with pytest.raises(EvaluationProblem, match=words):
        evaluate(parse(source), values)


def test_truth_when_neither_true_nor_false_then_shows_expression_and_value():
    with pytest.raises(EvaluationProblem, match=r"balance \+ 1 is the number 5"):
        truth(parse("balance + 1"), {"balance": 4})


def test_counts_when_evaluated_once_then_unknown_ones_are_neither():
    values = {"w": count(acknowledged=3, rejected=2, unknown=5)}
    assert evaluate(parse("[acknowledged(w), rejected(w), unknown(w)]"), {}, values) == [3, 2, 5]


def test_sent_when_asked_for_then_is_the_sum_of_all():
    assert count(1, 2, 3, 4).sent == 10


@pytest.mark.parametrize(
    ("effects", "fits"),
    [
        pytest.param(2, False, id="fewer than acknowledged"),
        pytest.param(3, True, id="none of the unknown"),
        pytest.param(5, True, id="all of the unknown"),
        pytest.param(6, False, id="more than were sent"),
    ],
)
def test_truths_when_outcomes_are_unknown_then_each_whole_count_is_tried(effects, fits):
    expression = parse("100 - balance == 10 * acknowledged(w)")
    found = truths(
        expression, {"balance": 100 - 10 * effects}, {"w": count(acknowledged=3, unknown=2)}
    )
    assert (found.fits, found.broken, found.of) == (fits, not fits, 3)


def test_truths_when_between_two_whole_counts_then_is_broken():
    """A set of counts, not an interval: 35 paid out fits neither 3 nor 4 withdrawals of 10."""
    expression = parse("paid == 10 * acknowledged(w)")
    assert truths(expression, {"paid": 35}, {"w": count(acknowledged=3, unknown=2)}).broken


def test_truths_when_an_assignment_has_no_value_then_it_is_no_fit_and_no_violation():
    expression = parse("100 / acknowledged(w) == x")
    assert truths(expression, {"x": 100}, {"w": count(unknown=1)}).fits
    with pytest.raises(EvaluationProblem, match="divides by zero"):
        truths(expression, {"x": 7}, {"w": count(unknown=1)})


def test_truths_when_there_are_too_many_ways_then_says_so():
    expression = parse("acknowledged(a) == rejected(a) + acknowledged(b)")
    with pytest.raises(TooManyAssignments, match="100,000"):
        truths(expression, {}, {"a": count(unknown=300), "b": count(unknown=300)})


@given(counts, counts)
def test_assignments_when_listed_then_are_all_that_brute_force_finds(a, b):
    """Each operation of unknown outcome took effect, was rejected or neither; each rejecting one may be."""
    expression = parse("acknowledged(a) + rejected(a) + rejected(b) == 0")

    def brute(one, names):
        found = set()
        for fates in product("ern", repeat=one.unknown):
            for rejecting in range(one.rejecting + 1):
                acknowledged = one.acknowledged + fates.count("e") * ("a" in names)
                found.add((acknowledged, one.rejected + fates.count("r") + rejecting))
        return found

    expected = set(product(brute(a, "a"), brute(b, "")))
    both = {"a": a, "b": b}
    listed = [
        tuple((each[name].acknowledged, each[name].rejected) for name in ("a", "b"))
        for each in assignments(expression, both)
    ]
    assert set(listed) == expected
    assert len(listed) == len(expected) == number_of_assignments(expression, both)


@given(counts, st.integers(0, 120))
def test_truths_when_compared_with_trying_each_fate_then_agree(one, paid):
    expression = parse("paid == 10 * acknowledged(w) + rejected(w)")
    possible = {
        10 * (one.acknowledged + fates.count("e")) + one.rejected + fates.count("r") + rejecting
        for fates in product("ern", repeat=one.unknown)
        for rejecting in range(one.rejecting + 1)
    }
    assert truths(expression, {"paid": paid}, {"w": one}).fits == (paid in possible)


def test_number_of_assignments_when_only_unknown_is_counted_then_is_one():
    expression = parse("unknown(w) == 0")
    assert number_of_assignments(expression, {"w": count(unknown=MAX_ASSIGNMENTS * 2)}) == 1


def test_evaluate_node_when_given_a_part_then_evaluates_just_that():
    expression = parse("2 * a == 7")
    assert evaluate_node(expression.root.operands[0], {"a": 3}, {}) == 6
