from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.template import Template, TemplateProblem
from harness.model.units import Duration


def fill(value, /, **values):
    return Template.parse(value).fill(values, env=lambda n: f"env-{n}", file=lambda p: f"file-{p}")


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        pytest.param("{amount}", 10, id="alone keeps its type"),
        pytest.param("{ amount }", 10, id="blanks inside"),
        pytest.param("a{amount}b", "a10b", id="within text becomes text"),
        pytest.param("{amount}{amount}", "1010", id="two of them"),
        pytest.param("{{amount}}", "{amount}", id="braces"),
        pytest.param("{{{amount}}}", "{10}", id="value within braces"),
        pytest.param("{hops.db.url}", "u", id="path through maps"),
        pytest.param("{json.items.1}", "b", id="item of a list"),
        pytest.param("{dotted.name}", 7, id="dotted key"),
        pytest.param("Bearer {env:TOKEN}", "Bearer env-TOKEN", id="environment"),
        pytest.param("{file:secrets/a b.txt}", "file-secrets/a b.txt", id="file"),
        pytest.param(
            {"a": ["{amount}", 5, None]}, {"a": [10, 5, None]}, id="within lists and maps"
        ),
        pytest.param({"{amount}": 1}, {"{amount}": 1}, id="keys as they are"),
        pytest.param("", "", id="empty"),
        pytest.param(5, 5, id="no text"),
    ],
)
def test_template_when_filled_then_is_the_value(value, filled):
    values = {
        "amount": 10,
        "hops": {"db": {"url": "u"}},
        "json": {"items": ["a", "b"]},
        "dotted.name": 7,
    }
    assert fill(value, **values) == filled


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(True, "true", id="boolean"),
        pytest.param(Decimal("1E+2"), "100", id="decimal"),
        pytest.param(1.5, "1.5", id="float"),
        pytest.param(Duration.of_ms(40), "40ms", id="duration"),
    ],
)
def test_value_when_within_text_then_is_written_plainly(value, text):
    assert fill("<{x}>", x=value) == f"<{text}>"


@pytest.mark.parametrize(
    ("value", "column", "words"),
    [
        pytest.param("a{b", 2, "never closed", id="open brace"),
        pytest.param("a}b", 2, "closes nothing", id="closing brace"),
        pytest.param('x{"a": 1}', 2, "names nothing", id="JSON in a text"),
        pytest.param("{}", 1, "names nothing", id="no name"),
        pytest.param("{a.}", 1, "names nothing", id="path that ends in a dot"),
        pytest.param("{1 + 1}", 1, "names nothing", id="expression"),
    ],
)
def test_template_when_it_cannot_be_read_then_says_where(value, column, words):
    with pytest.raises(TemplateProblem, match=words) as raised:
        Template.parse([value])
    assert raised.value.column == column


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param("{nothing}", "'nothing' has no value; known are a, b", id="unknown name"),
        pytest.param("{a.b}", "nothing is called 'b' there", id="path into a number"),
        pytest.param("{b.upper}", "nothing is called 'upper' there", id="attribute of a list"),
        pytest.param("x{b}", "is a list and cannot stand within a text", id="list in text"),
    ],
)
def test_template_when_it_cannot_be_filled_then_says_why(value, words):
    with pytest.raises(TemplateProblem, match=words):
        fill(value, a=1, b=[1])


def test_null_when_within_text_then_is_a_problem():
    with pytest.raises(TemplateProblem, match="is null"):
        fill("x{a}", a=None)


def test_template_when_nested_without_end_then_is_a_problem():
    deep = "x"
    for _ in range(200):
        deep = [deep]
    with pytest.raises(TemplateProblem, match="nested deeper"):
        Template.parse(deep)


def test_names_when_several_then_are_sorted_by_source_and_each_once():
    template = Template.parse({"a": "{x}{env:A}", "b": ["{y.z}", "{x}", "{file:f}"]})
    assert template.names == ("x", "y.z")
    assert template.environment == ("A",)
    assert template.files == ("f",)
    assert [each.column for each in template.placeholders] == [1, 4, 1, 1, 1]


@given(st.text(alphabet="a{}:. x", max_size=20))
def test_text_when_its_braces_are_doubled_then_comes_out_as_it_was(text):
    assert fill(text.replace("{", "{{").replace("}", "}}")) == text


@given(st.text(alphabet="ab{}:. ", max_size=12))
def test_text_when_anything_then_is_read_or_is_a_problem(text):
    try:
        template = Template.parse(text)
    except TemplateProblem as found:
        problem = found
    else:
        assert isinstance(template.names, tuple)
        return
    assert 1 <= (problem.column or 0) <= len(text)
