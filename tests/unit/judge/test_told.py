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
                exact=isinstance(value, str),
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
        "round 3: 100 - balance is 20 and 10 * acknowledged(withdraw) is 500 "
        "(balance = 80.00, acknowledged(withdraw) = 50, unknown 0)"
    )


def test_counterexample_when_one_side_is_a_bare_probe_then_does_not_say_it_twice():
    assert told("balance >= 0", balance=-10).summary == (
        "round 3: balance >= 0 is false (balance = -10)"
    )


def test_counterexample_when_outcomes_are_unknown_then_says_that_none_fits():
    counts = {"w": Count(acknowledged=2, rejected=1, unknown=3)}
    assert told("paid == acknowledged(w)", counts, paid=9).summary == (
        "round 3: acknowledged(w) is 2 "
        "(paid = 9, acknowledged(w) = 2, rejected(w) = 1, unknown 3, none of whose outcomes fits)"
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
