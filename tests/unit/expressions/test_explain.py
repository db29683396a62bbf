from harness.expressions.evaluate import Count
from harness.expressions.explain import failed_comparison
from harness.expressions.parse import parse

COUNTS = {"withdraw": Count(acknowledged=50, rejected=0, unknown=0)}


def failed(source, **values):
    return failed_comparison(parse(source), values, COUNTS)


def told(source, **values):
    found = failed(source, **values)
    if found is None:
        return None
    left, right = found.left, found.right
    return left.source, left.value, right.source, right.value, found.operator


def test_comparison_when_false_then_both_sides_are_told():
    assert told("100 - balance == 10 * acknowledged(withdraw)", balance=80) == (
        *("100 - balance", 20),
        *("10 * acknowledged(withdraw)", 500),
        "==",
    )


def test_and_when_one_part_is_false_then_that_part_is_told():
    assert told("a >= 0 and b >= 0 and c >= 0", a=1, b=-2, c=-3) == ("b", -2, "0", 0, ">=")


def test_chain_when_false_then_the_pair_that_failed_is_told():
    assert told("0 <= a <= b < 9", a=5, b=3) == ("a", 5, "b", 3, "<=")
    assert told("0 <= a <= b < 9", a=-1, b=3) == ("0", 0, "a", -1, "<=")


def test_or_when_false_then_no_single_comparison_is_to_blame():
    assert told("a > 0 or b > 0", a=0, b=0) is None


def test_comparison_when_true_then_there_is_nothing_to_tell():
    assert told("a == 1", a=1) is None


def test_distance_when_two_numbers_then_is_their_difference():
    assert failed("a == b", a=3, b=10).distance == 7
    assert failed("a == 'x'", a=3).distance == 0


def test_sides_when_one_has_no_value_then_none_is_told():
    assert told("1 / a == b", a=0, b=1) is None
