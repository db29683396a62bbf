import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.evaluate import evaluate
from harness.expressions.grammar import MAX_NESTING, Parser
from harness.expressions.parse import parse
from harness.expressions.tokens import ExpressionProblem


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param("2 + 3 * 4", 14, id="times before plus"),
        pytest.param("(2 + 3) * 4", 20, id="parentheses"),
        pytest.param("10 - 3 - 2", 5, id="minus to the left"),
        pytest.param("2 ** 3 ** 2", 512, id="power to the right"),
        pytest.param("-2 ** 2", -4, id="power before minus"),
        pytest.param("2 * -3", -6, id="minus behind times"),
        pytest.param("not 1 == 2", True, id="not after comparison"),
        pytest.param("true or true and false", True, id="and before or"),
        pytest.param("1 < 2 < 3", True, id="chain"),
        pytest.param("1 < 3 < 2", False, id="chain that breaks late"),
        pytest.param("3 not in [1, 2,]", True, id="not in"),
        pytest.param("1 if false else 2 if false else 3", 3, id="choices to the right"),
        pytest.param("1 + 1 if true else 9", 2, id="choice after plus"),
        pytest.param("max(1, 2 + 3)", 5, id="call"),
        pytest.param("[1, [2]][1][0]", 2, id="index"),
    ],
)
def test_operators_when_mixed_then_bind_as_written(source, value):
    assert evaluate(parse(source), {}) == value


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        pytest.param("", 1, "found the end, expected a value", id="nothing"),
        pytest.param("1 +", 4, "found the end, expected a value", id="no right side"),
        pytest.param("(1", 3, r"expected '\)'", id="open parenthesis"),
        pytest.param("1)", 2, "expected an operator or the end", id="closed too often"),
        pytest.param("a b", 3, "expected an operator or the end", id="two values"),
        pytest.param("a is null", 3, "write '=='", id="is"),
        pytest.param("True", 1, "write 'true'", id="Python's true"),
        pytest.param("1 if true", 10, "expected 'else'", id="no else"),
        pytest.param("a.1", 3, "expected a key|expected an operator", id="number as key"),
        pytest.param("leng(a)", 1, "did you mean len", id="misspelt function"),
        pytest.param("exec('x')", 1, "is no function; known are min", id="no function of ours"),
        pytest.param("a.keys()", 1, "only functions can be called", id="method"),
        pytest.param("min()", 1, "takes 1 to 20 arguments, found 0", id="too few arguments"),
        pytest.param("abs(1, 2)", 1, "takes 1 argument, found 2", id="too many arguments"),
        pytest.param("acknowledged + 1", 1, r"write acknowledged\(operation\)", id="bare count"),
        pytest.param("acknowledged(1)", 14, "the name of an operation", id="count of a number"),
        pytest.param("acknowledged(a, b)", 15, "one operation", id="count of two"),
    ],
)
def test_source_when_it_is_no_expression_then_says_what_was_expected_where(source, column, words):
    with pytest.raises(ExpressionProblem, match=words) as raised:
        parse(source)
    assert raised.value.column == column


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("(" * 3_000 + "1" + ")" * 900, id="parentheses"),
        pytest.param("(" * 10_000, id="parentheses beyond the length"),
        pytest.param("-" * 3_000 + "1", id="minus signs"),
        pytest.param("not " * 900 + "true", id="nots"),
        pytest.param("+".join("1" * 900), id="sum"),
        pytest.param("2" + "**2" * 900, id="powers"),
        pytest.param("a" + ".b" * 900, id="keys"),
        pytest.param("[" * 900 + "]" * 900, id="lists"),
        pytest.param("1 if true else " * 200 + "1", id="choices"),
    ],
)
def test_source_when_nested_without_end_then_is_a_clean_problem(source):
    with pytest.raises(ExpressionProblem, match=r"deeper|chains|longer"):
        Parser(source).whole()


def test_source_when_nested_just_allowed_then_is_read_and_evaluated():
    depth = MAX_NESTING - 1
    assert evaluate(parse("(" * depth + "1" + ")" * depth), {}) == 1


_PIECES = st.sampled_from(
    [
        *("a", "b.c", "1", "2.5", "500ms", "'x'", "true", "null", "(", ")", "[", "]", ",", "."),
        *("+", "-", "*", "/", "//", "%", "**", "<", "<=", "==", "!=", "in", "not", "and", "or"),
        *("if", "else", "min(", "len(", "acknowledged(op)", "rejected("),
    ]
)


@given(st.lists(_PIECES, max_size=25).map(" ".join))
def test_pieces_when_joined_at_random_then_parse_or_are_a_problem_with_a_place(source):
    try:
        parsed = parse(source)
    except ExpressionProblem as found:
        problem = found
    else:
        assert parsed.text_of(parsed.root).strip() in source
        return
    assert 1 <= problem.column <= len(source) + 1
