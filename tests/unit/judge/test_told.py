import pytest

from harness.expressions.evaluate import Count, EvaluationProblem
from harness.expressions.parse import parse
from harness.judge.evidence import Reading
from harness.judge.told import broken_by, problem_told
from tests.support.journals import a_reading, at


def read(**values):
    return {
        probe: Reading.of(
            a_reading(
                value,
                purpose="at-end",
                round=3,
                asked=at(1),
                probe=probe,
                exact=isinstance(value, str) and value[0].isdigit(),
            )
        )
        for probe, value in values.items()
    }


def told(source, counts=None, **values):
    return broken_by(parse(source), 3, read(**values), counts or {}).counterexample


def test_counterexample_when_two_sides_differ_then_says_both_and_all_numbers():
    counts = {"withdraw": Count(acknowledged=50, rejected=0, unknown=0)}
    assert told(
        "100 - balance == 10 * acknowledged(withdraw)", counts, balance="80.00"
    ).summary == (
        "round 3: 50 of 50 withdraw were acknowledged; 100 - balance is 20, "
        "but 10 * acknowledged(withdraw) is 500 (balance = 80.00)"
    )


def test_counterexample_when_one_side_is_a_bare_probe_then_does_not_say_it_twice():
    assert told("balance >= 0", balance=-10).summary == "round 3: balance is -10, not >= 0"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a == 3", "a is 5, not 3"),
        ("3 == a", "a is 5, not 3"),
        ("a == b", "a is 5, but b is 7"),
        ("a + 1 == b", "a + 1 is 6, but b is 7 (a = 5)"),
        ("a > b", "a is 5, not > b, which is 7"),
        ("a >= b + 1", "a is 5, not >= b + 1, which is 8 (b = 7)"),
        ("9 <= a", "a is 5, not >= 9"),
        ("9 < a", "a is 5, not > 9"),
        ("3 > a", "a is 5, not < 3"),
        ("4 >= a", "a is 5, not <= 4"),
        ("a != 5", "a is 5, not != 5"),
        ("5 != a", "a is 5, not != 5"),
        ("a in [1, b]", "a is 5, not in [1, b] (b = 7)"),
        ("a not in [5, 6]", "a is 5, in [5, 6]"),
        ("'x' in t", "'x' in t is false (t = 'no')"),
        ("t == 'yes'", "t is 'no', not 'yes'"),
        ("0 <= a <= 4", "a is 5, not <= 4"),
        ("6 <= a <= 9", "a is 5, not >= 6"),
        ("a > 9 or b > 9", "a > 9 or b > 9 is false (a = 5, b = 7)"),
        ("not a == 5", "not a == 5 is false (a = 5)"),
    ],
)
def test_comparison_when_false_then_says_what_is_and_what_should_be(source, words):
    values = {"a": 5, "b": 7, "t": "no"}
    read_by_it = {name: values[name] for name in parse(source).names}
    assert told(source, **read_by_it).summary == f"round 3: {words}"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (Count(acknowledged=0, rejected=0, unknown=0), "no w was sent"),
        (Count(acknowledged=1, rejected=49, unknown=0), "1 of 50 w was acknowledged, 49 rejected"),
        (
            Count(acknowledged=2, rejected=0, unknown=1, rejecting=2),
            "2 of 5 w were acknowledged, 3 unknown, none of whose outcomes fits",
        ),
    ],
)
def test_outcomes_when_some_are_none_then_only_the_others_are_told(count, words):
    assert told("paid == 9", {"w": count}, paid=1).summary == f"round 3: {words}; paid is 1, not 9"


def test_counterexample_when_outcomes_are_unknown_then_says_that_none_fits():
    counts = {"w": Count(acknowledged=2, rejected=1, unknown=3)}
    assert told("paid == acknowledged(w)", counts, paid=9).summary == (
        "round 3: 2 of 6 w were acknowledged, 1 rejected, 3 unknown, none of whose outcomes fits; "
        "paid is 9, but acknowledged(w) is 2"
    )


def test_counterexample_when_nothing_is_read_then_needs_no_brackets():
    assert told("1 == 2").summary == "round 3: 1 == 2 is false"


def test_counterexample_when_re_derived_then_its_values_suffice():
    counts = {"w": Count(acknowledged=2, rejected=1, unknown=0, rejecting=4)}
    assert told("paid == acknowledged(w)", counts, paid="9.50").values == {
        "round": 3,
        "expression": "paid == acknowledged(w)",
        "readings": {"paid": {"value": "9.50", "asked": 1_000_000, "answered": 2_000_000}},
        "counts": {"w": {"acknowledged": 2, "rejected": 1, "unknown": 0, "rejecting": 4}},
    }


def test_problem_when_told_then_has_expression_round_and_readings():
    problem = EvaluationProblem("1 / 0 divides by zero")
    assert problem_told(parse("1 / x == 1"), problem, 3, read(x=0)) == (
        "1 / x == 1 has no value in round 3: 1 / 0 divides by zero (x = 0)"
    )
    assert problem_told(parse("1 / 0 == 1"), problem, 3, {}).endswith("divides by zero")
