from harness.expressions.evaluate import Count
from harness.expressions.explain import distance, failing_sides
from harness.expressions.parse import parse

COUNTS = {"withdraw": Count(acknowledged=50, rejected=0, unknown=0)}


def sides(source, **values):
    return [(side.source, side.value) for side in failing_sides(parse(source), values, COUNTS)]


def test_comparison_when_false_then_both_sides_are_told():
    assert sides("100 - balance == 10 * acknowledged(withdraw)", balance=80) == [
        ("100 - balance", 20),
        ("10 * acknowledged(withdraw)", 500),
    ]


def test_and_when_one_part_is_false_then_that_part_is_told():
    assert sides("a >= 0 and b >= 0 and c >= 0", a=1, b=-2, c=-3) == [("b", -2), ("0", 0)]


def test_or_when_false_then_no_single_comparison_is_to_blame():
    assert sides("a > 0 or b > 0", a=0, b=0) == []


def test_distance_when_two_numbers_then_is_their_difference():
    values = {"a": 3, "b": 10}
    assert distance(failing_sides(parse("a == b"), values, {})) == 7
    assert distance(failing_sides(parse("a == 'x'"), values, {})) == 0
    assert distance(()) == 0


def test_sides_when_one_has_no_value_then_none_is_told():
    assert sides("1 / a == b", a=0, b=1) == []
