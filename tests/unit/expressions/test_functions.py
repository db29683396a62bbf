from fractions import Fraction

import pytest

from harness.expressions.functions import call
from harness.expressions.values import EvaluationProblem
from harness.model.units import Duration


@pytest.mark.parametrize(
    ("function", "arguments", "value"),
    [
        pytest.param("min", [3, 1, 2], 1, id="min of values"),
        pytest.param("max", [[3, 0.5]], 3, id="max of a list"),
        pytest.param("max", [["a", "b"]], "b", id="max of texts"),
        pytest.param(
            "min",
            [[Duration.of_ms(2), Duration.of_ms(1)]],
            Duration.of_ms(1),
            id="min of durations",
        ),
        pytest.param("abs", [Fraction(-1, 2)], Fraction(1, 2), id="abs"),
        pytest.param("abs", [Duration.of_ms(-5)], Duration.of_ms(5), id="abs of a duration"),
        pytest.param("len", ["abc"], 3, id="len of text"),
        pytest.param("len", [{"a": 1}], 1, id="len of a map"),
        pytest.param("sum", [[0.1, 0.2]], Fraction(3, 10), id="sum is exact"),
        pytest.param("sum", [[]], 0, id="sum of nothing"),
        pytest.param("round", [Fraction(5, 2)], 2, id="round a tie to even"),
        pytest.param(
            "round", [Fraction(2345, 1000), 2], Fraction(234, 100), id="round to decimals"
        ),
        pytest.param("int", [Fraction(-27, 10)], -2, id="int cuts"),
        pytest.param("int", [" -12 "], -12, id="int of text"),
    ],
)
def test_function_when_called_then_has_its_value(function, arguments, value):
    assert call(function, arguments) == value


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        pytest.param("min", [[]], "empty list", id="min of nothing"),
        pytest.param("min", [5], "takes a list, or two values", id="min of one number"),
        pytest.param("max", [1, "a"], "does not apply", id="max of mixed types"),
        pytest.param("abs", ["a"], "takes a number", id="abs of text"),
        pytest.param(
            "len", [5], "takes a text, list or map, found the number 5", id="len of a number"
        ),
        pytest.param("sum", [["a"]], "takes a list of numbers", id="sum of texts"),
        pytest.param("sum", [[True]], "takes a list of numbers", id="sum of booleans"),
        pytest.param("round", [1, -1], "decimals", id="round to negative decimals"),
        pytest.param("int", ["12.5"], "text of digits", id="int of decimals"),
        pytest.param("int", ["9" * 101], "text of digits", id="int of a huge text"),
        pytest.param("int", [True], "found the boolean true", id="int of a boolean"),
    ],
)
def test_function_when_it_does_not_apply_then_says_what_it_takes(function, arguments, words):
    with pytest.raises(EvaluationProblem, match=words):
        call(function, arguments)
