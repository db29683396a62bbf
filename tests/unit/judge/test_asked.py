import pytest

from harness.expressions.evaluate import EvaluationProblem
from harness.expressions.parse import parse
from harness.judge.asked import a_reading_matters, refused_counts, refused_in_flight


@pytest.mark.parametrize(
    ("source", "short"),
    [
        pytest.param("a + b", "several probes", id="two-probes"),
        pytest.param("1 + 1", "no probe", id="no-probe"),
        pytest.param("a - unknown(pay)", "unknown outcomes", id="unknown-outcomes"),
    ],
)
def test_expression_when_nobody_can_say_it_of_one_moment_then_is_refused(source, short):
    lack = refused_in_flight(parse(source))
    assert (lack.short, lack.withheld) == (short, True)


def test_expression_when_of_one_probe_then_is_not_refused():
    assert refused_in_flight(parse("a - acknowledged(pay)")) is None


def test_expression_when_it_counts_then_has_no_one_value():
    lack = refused_counts(parse("a - acknowledged(pay)"))
    assert lack.detail.startswith("it counts pay, so it has no one value")
    assert lack.withheld
    assert refused_counts(parse("a - 1")) is None


@pytest.mark.parametrize(
    ("source", "value", "matters"),
    [
        pytest.param("a", 1, True, id="itself"),
        pytest.param("0 * a", 1, False, id="times-nothing"),
        pytest.param("a - a", 1, False, id="itself-away"),
        pytest.param("1 if a > 5 else 0", 1, True, id="far-away"),
        pytest.param("a.v", {"v": 1}, True, id="within-a-map"),
        pytest.param("1 if a == a else 2", "t", False, id="always-true"),
    ],
)
def test_reading_when_another_would_give_another_value_then_matters(source, value, matters):
    assert a_reading_matters(parse(source), {"a": value}) is matters


def test_reading_when_it_gives_no_value_then_raises():
    with pytest.raises(EvaluationProblem):
        a_reading_matters(parse("1 / a"), {"a": 0})
