from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.tokens import MAX_SOURCE, ExpressionProblem, tokenize
from harness.model.units import Duration


def values(source):
    return [token.value for token in tokenize(source) if token.kind == "constant"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param("42", 42, id="whole"),
        pytest.param("0.10", Fraction(1, 10), id="decimals stay exact"),
        pytest.param("500ms", Duration.of_ms(500), id="duration"),
        pytest.param("1.5s", Duration.of_ms(1500), id="duration with decimals"),
        pytest.param("64KiB", 65_536, id="size is its bytes"),
        pytest.param("'it'", "it", id="single quotes"),
        pytest.param('"a\\"b\\n"', 'a"b\n', id="escapes"),
    ],
)
def test_constant_when_read_then_has_its_value(source, value):
    assert values(source) == [value]


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        pytest.param("a = 1", 3, "write '=='", id="one equals sign"),
        pytest.param("a === 1", 3, "write '=='", id="three equals signs"),
        pytest.param("a && b", 3, "write 'and'", id="ampersands"),
        pytest.param("a || b", 3, "write 'or'", id="bars"),
        pytest.param("!a", 1, "write 'not'", id="exclamation mark"),
        pytest.param("a ? b", 3, "cannot stand", id="foreign character"),
        pytest.param("1 + 5parsecs", 6, "unknown unit 'parsecs'", id="unknown unit"),
        pytest.param("1.5ns", 1, "finer", id="finer than a nanosecond"),
        pytest.param("a == 'b", 6, "no closing '", id="open text"),
        pytest.param(r"'\d'", 2, "no escape", id="unknown escape"),
        pytest.param("1" * 101, 1, "at most 100 digits", id="too many digits"),
        pytest.param("a" * (MAX_SOURCE + 1), MAX_SOURCE + 1, "longer than", id="too long"),
    ],
)
def test_source_when_it_cannot_be_read_then_says_where_and_why(source, column, words):
    with pytest.raises(ExpressionProblem, match=words) as raised:
        tokenize(source)
    assert raised.value.column == column


@given(st.text(max_size=60))
def test_tokens_when_read_from_anything_then_lie_in_order_or_the_problem_has_a_place(source):
    try:
        tokens = tokenize(source)
    except ExpressionProblem as found:
        problem = found
    else:
        in_order(source, tokens)
        return
    assert 1 <= problem.column <= len(source) + 1


def in_order(source, tokens):
    ends = [0]
    for token in tokens:
        assert token.start >= ends[-1]
        assert source[token.start : token.end] == token.text
        ends.append(token.end)
    assert tokens[-1].kind == "end"
