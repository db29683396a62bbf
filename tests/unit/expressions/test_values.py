from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.values import (
    MAX_BITS,
    EvaluationProblem,
    arithmetic,
    compare,
    contains,
    equal,
    intake,
    is_number,
    outward,
    show,
    type_name,
)
from harness.model.units import Duration, Size

numbers = st.integers(-(10**12), 10**12) | st.fractions(max_denominator=10**6)
anything = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | st.text(max_size=4)
    | st.integers(0, 99).map(Duration.of_ms),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        pytest.param(0.1, Fraction(1, 10), id="float as written"),
        pytest.param(2.0, 2, id="whole float"),
        pytest.param(Decimal("80.00"), 80, id="whole decimal"),
        pytest.param(Decimal("1E+3"), 1000, id="decimal with exponent"),
        pytest.param(Size.parse("1KiB"), 1024, id="size"),
        pytest.param(True, True, id="boolean"),
    ],
)
def test_foreign_value_when_taken_in_then_is_exact(foreign, ours):
    assert intake(foreign) == ours
    assert type(intake(foreign)) is type(ours)


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(Decimal("NaN"), id="decimal nan"),
        pytest.param(Decimal("1E+999999"), id="huge decimal"),
        pytest.param(Decimal("1E-999999"), id="fine decimal"),
        pytest.param(1 << (MAX_BITS + 1), id="huge whole number"),
        pytest.param(b"bytes", id="bytes"),
        pytest.param(object(), id="any object"),
    ],
)
def test_foreign_value_when_none_of_ours_then_is_a_problem(foreign):
    with pytest.raises(EvaluationProblem):
        intake(foreign)


@given(anything, anything)
def test_equal_when_types_differ_then_is_false_and_never_a_problem(left, right):
    assert equal(left, left)
    assert equal(left, right) == equal(right, left)
    if type_name(left) != type_name(right):
        assert not equal(left, right)


def test_equal_when_boolean_and_number_then_is_false():
    assert not equal(True, 1)
    assert not equal([0], [False])
    assert not is_number(False)


def test_equal_when_nested_without_end_then_is_a_problem():
    deep = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(EvaluationProblem, match="nested"):
        equal(deep, deep)


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        pytest.param("80", 0, "text '80' and the number 0", id="text and number"),
        pytest.param(None, 0, "null and the number 0", id="null"),
        pytest.param(True, 0, "boolean true and the number 0", id="boolean"),
        pytest.param(
            Duration.of_ms(1), 5, "duration 1ms and the number 5", id="duration and number"
        ),
        pytest.param([1], [2], "a list of 1", id="lists"),
        pytest.param({}, {}, "a map of 0", id="maps"),
        pytest.param(True, False, "boolean", id="booleans"),
    ],
)
def test_ordering_when_types_have_none_then_names_both_types_and_values(left, right, words):
    with pytest.raises(EvaluationProblem, match=words):
        compare("<", left, right)


@given(numbers, numbers)
def test_ordering_when_numbers_then_is_exact(left, right):
    assert compare("<", left, right) == (left < right)
    assert compare(">=", left, right) == (left >= right)


def test_contains_when_list_map_or_text_then_finds_items_keys_or_parts():
    assert contains([1, Decimal("2.0")], 2)
    assert contains({"a": 1}, "a")
    assert contains("abc", "b")
    with pytest.raises(EvaluationProblem, match="'in' does not apply"):
        contains("abc", 1)


@given(numbers, numbers)
def test_arithmetic_when_numbers_then_is_exact(left, right):
    assert arithmetic("+", left, right) == left + right
    assert arithmetic("*", left, right) == left * right
    if right:
        assert arithmetic("/", left, right) * Fraction(right) == left
        quotient, rest = arithmetic("//", left, right), arithmetic("%", left, right)
        assert quotient * right + rest == left


@pytest.mark.parametrize("operator", ["/", "//", "%"])
def test_arithmetic_when_divided_by_zero_then_is_a_problem_with_the_numbers(operator):
    with pytest.raises(EvaluationProblem, match=r"5 .+ 0 divides by zero"):
        arithmetic(operator, 5, 0)


def test_arithmetic_when_durations_then_add_scale_and_divide():
    second = Duration.of_ms(1000)
    assert arithmetic("-", second, Duration.of_ms(400)) == Duration.of_ms(600)
    assert arithmetic("*", Fraction(1, 2), second) == Duration.of_ms(500)
    assert arithmetic("/", second, 4) == Duration.of_ms(250)
    assert arithmetic("/", second, Duration.of_ms(250)) == 4
    with pytest.raises(EvaluationProblem, match="duration 1s and the number 5"):
        arithmetic("+", second, 5)
    with pytest.raises(EvaluationProblem, match="divides by zero"):
        arithmetic("/", second, Duration.ZERO)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(2, 65, id="exponent too large"),
        pytest.param(2, -1, id="exponent negative"),
        pytest.param(2, Fraction(1, 2), id="root"),
        pytest.param(10**300, 64, id="result too large"),
    ],
)
def test_power_when_out_of_bounds_then_is_a_problem(left, right):
    with pytest.raises(EvaluationProblem):
        arithmetic("**", left, right)


def test_numbers_when_they_grow_then_end_in_a_problem():
    value = 10
    with pytest.raises(EvaluationProblem, match="too large"):
        for _ in range(100):
            value = arithmetic("*", value, value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(Fraction(-5, 4), "-1.25", id="decimals"),
        pytest.param(Fraction(1, 3), "about 0.333333", id="endless decimals"),
        pytest.param(1 << 300, "a number of more than 60 digits", id="huge"),
        pytest.param("x" * 100, repr("x" * 59 + "…"), id="long text"),
        pytest.param(None, "null", id="null"),
        pytest.param(False, "false", id="boolean"),
        pytest.param([1, 2], "a list of 2", id="list"),
        pytest.param(Duration.of_ms(1500), "1.5s", id="duration"),
        pytest.param(Decimal("80.00"), "80.00", id="decimal as it came"),
        pytest.param(1.0, "1", id="whole float"),
        pytest.param(0.0, "0", id="float of nothing"),
        pytest.param(2.5, "2.5", id="float"),
        pytest.param(float("inf"), "inf", id="infinite float"),
        pytest.param(Decimal(1), "1", id="decimal of one"),
        pytest.param(Decimal(0), "0", id="decimal of nothing"),
    ],
)
def test_value_when_shown_then_is_short(value, shown):
    assert show(value) == shown


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6
    )
)
def test_fraction_when_it_goes_outward_then_is_the_exact_decimal(value):
    assert outward(Fraction(value)) == value


def test_fraction_when_its_decimals_never_end_then_goes_outward_as_it_is():
    assert outward(Fraction(1, 3)) == Fraction(1, 3)
    assert outward("text") == "text"
